#pragma once

namespace vipd {

// std::visit(overloaded{[](const a&) {...}, [](const b&) {...}}, variant)
template <class... F>
struct overloaded : F... {
    using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace vipd
