// An aggregate that is made inside of a co_await, which the check of coroutines must refuse.

#include <coroutine>
#include <string>

struct task {
    struct promise_type {
        task get_return_object() { return {}; }
        std::suspend_never initial_suspend() { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
};

struct request {
    std::string target;
    int attempts = 0;
};

std::suspend_never send(request);

task coroutine_sample()
{
    co_await send(request{"a target that is too long for the small buffer", 1});
}
