#!/usr/bin/python3
"""The rules that a compiler does not hold, as a test.

    tidy.py ROOT               checks the tree
    tidy.py --format ROOT      runs clang-format, changing nothing
    tidy.py --scripts ROOT     parses shell and Python scripts without running them
    tidy.py --symbols LIBRARY  checks what a library asks of the system
    tidy.py --self-test        shows that every rule can fail

The pure core (common/, agent/ without agent/io and main.cpp, and the model of the cloud in tests/cloud/) does no I/O and reads
no clock, no environment and no randomness. Two checks hold that: one reads its text, the other the undefined symbols of the
library that was built from it. Every rule carries a sample that it must refuse and one that it must accept.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

LINE_LENGTH_MAX = 128
# About 500, and more for tests, which are lists.
FILE_LENGTH_MAX = 550
TEST_LENGTH_MAX = 700

SOURCES = (".cpp", ".hpp")
TEXTS = (*SOURCES, ".py", ".sh", ".txt", ".md", ".cmake", ".json", ".toml", ".service", ".html", ".css", ".js", "")
IGNORED_NAMES = {".git", "build", "__pycache__", "corpus", "samples", "node_modules"}

# What stands between the text and the rule: the rule's name and the file where it does not hold, each for a reason.
EXCEPTIONS = {
    ("pure-include", "common/ip.cpp"): "inet_pton and inet_ntop are conversions, not I/O",
    ("pure-include", "agent/net/netlink.cpp"): "the kernel's message layouts and constants, not its calls",
    ("pure-include", "agent/net/netlink_wire.hpp"): "likewise",
    ("pure-include", "agent/net/netlink_policy.cpp"): "likewise",
    ("pure-include", "agent/net/source_filter.hpp"): "the layout of a socket filter's instructions",
    ("pure-call", "common/ensure.cpp"): "the last words of a program that is about to abort",
    ("pure-symbol", "ensure.cpp.o"): "the last words of a program that is about to abort",
}

BANNED_INCLUDES = re.compile(
    r'#include\s*[<"]('
    r"sys/(socket|epoll|timerfd|eventfd|signalfd|select|poll|ioctl|stat|mman|time|random|wait|un)\.h"
    r"|netinet/|arpa/|net/if|linux/|netdb\.h|poll\.h|unistd\.h|fcntl\.h|pthread\.h|signal\.h|time\.h|spawn\.h|dlfcn\.h"
    r"|boost/(asio|beast|filesystem|process|thread|log)|ares\.h|openssl/(ssl|bio|rand)\.h"
    r"|iostream|fstream|filesystem|thread|mutex|condition_variable|future|ctime|csignal)")

BANNED_CALLS = re.compile(
    r"\b(steady_clock::now|system_clock::now|high_resolution_clock::now|random_device|mt19937\w*\s*\w*\{\}|srand|getenv|setenv"
    r"|secure_getenv|fopen|freopen|ifstream|ofstream|printf|fprintf|fputs|puts|cout|cerr|clog|clock_gettime|gettimeofday"
    r"|getrandom|RAND_bytes|load_file|save_file|parse_file|sleep_for|sleep_until|getaddrinfo|gethostbyname)\b"
    r"|(?<![\w.>:])(?:std::)?(time|rand|system|popen|localtime|gmtime)\s*\((nullptr|NULL|0|&|\))"
    r"|(?<![\w>])::(open|close|read|write|send|recv|socket|connect|bind|poll|time)\s*\(")

# fprintf and fwrite are not among them: header-only fmt puts them into every object that formats. The rule on the text has
# them.
BANNED_SYMBOLS = re.compile(
    r"^(socket|connect|bind|listen|accept4?|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg"
    r"|getaddrinfo|gethostbyname\w*|ioctl|fcntl(64)?|stat(64)?|fstat(64)?|lstat(64)?"
    r"|open(64|at|at64)?|creat(64)?|fopen(64)?|read|pread(64)?|write|pwrite(64)?|close"
    r"|opendir|readdir(64)?|unlink|rename|mmap(64)?"
    r"|poll|ppoll|select|pselect|epoll_\w+|eventfd|timerfd_\w+|signalfd|kill|fork|vfork|execv\w*|posix_spawn\w*|system|popen"
    r"|clock_gettime|gettimeofday|time|clock|nanosleep|usleep|sleep|localtime\w*|gettid|getpid"
    r"|getrandom|getentropy|rand|rand_r|random|srand|arc4random\w*|RAND_\w+|BIO_new_(file|fp|socket|connect)"
    r"|getenv|secure_getenv|setenv|putenv|printf|puts|fputs|pthread_create|ares_\w+|SSL_\w+"
    r"|std::random_device::.*|std::chrono::(_V2::)?\w+_clock::now\(\)|std::thread::.*|std::this_thread::.*"
    r"|std::(__cxx11::)?basic_[io]?f(stream|ilebuf)<.*|std::filesystem::.*|std::cout|std::cerr|std::clog"
    r"|pugi::xml_document::(load|save)_file.*)$")

CHANGE_MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X{3}|HA" r"CK)\b")
MACHINE_PATHS = re.compile(r"\.\./sha" r"red|(?<![\w.])/wo" r"rk/")


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True)
class Rule:
    name: str
    why: str
    applies: Callable[[str], bool]
    check: Callable[[str], Iterator[tuple[int, str]]]  # text -> (line, what)
    bad: str
    good: str


def is_core(path: str) -> bool:
    if not path.endswith(SOURCES) or path == "agent/main.cpp" or path.startswith("agent/io/"):
        return False
    return path.startswith(("common/", "agent/", "tests/cloud/"))


def is_source(path: str) -> bool:
    return path.endswith(SOURCES)


def is_header(path: str) -> bool:
    return path.endswith(".hpp")


def is_test(path: str) -> bool:
    return path.startswith("tests/") and "test" in path.rsplit("/", 1)[-1]


def any_text(_: str) -> bool:
    return True


def without_comments(text: str) -> str:
    """Blanks comments and string literals, keeping the lines: a rule about calls is not about words."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.S)
    kept_includes = re.compile(r'^\s*#include\s*"', re.M)

    def blank(match: re.Match) -> str:
        line_start = text.rfind("\n", 0, match.start()) + 1
        if kept_includes.match(text, line_start):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())

    return pattern.sub(blank, text)


def lines_matching(pattern: re.Pattern, *, code_only: bool = False) -> Callable[[str], Iterator[tuple[int, str]]]:
    def check(text: str) -> Iterator[tuple[int, str]]:
        for number, line in enumerate((without_comments(text) if code_only else text).split("\n"), 1):
            if found := pattern.search(line):
                yield number, f"'{found.group().strip()}'"

    return check


def long_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LINE_LENGTH_MAX:
            yield number, f"{len(line)} columns"


def longer_than(lines_max: int) -> Callable[[str], Iterator[tuple[int, str]]]:
    def check(text: str) -> Iterator[tuple[int, str]]:
        count = text.count("\n")
        if count > lines_max:
            yield count, f"{count} lines"

    return check


def guarded(text: str) -> Iterator[tuple[int, str]]:
    if not text.startswith("#pragma once\n"):
        yield 1, "the first line is not '#pragma once'"


def rooted_includes(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r'\s*#include "([^"]+)"', line)
        if found and not found.group(1).startswith(("agent/", "common/", "tests/", "bench/")):
            yield number, found.group(1)


def clean_end(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "white space at the end of the line"
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield text.count("\n"), "a file ends with exactly one line end"


RULES = [
    Rule("pure-include", "the core does no I/O", is_core, lines_matching(BANNED_INCLUDES),
         bad="#include <sys/socket.h>\n", good="#include <string>\n"),
    Rule("pure-call", "the core reads no clock, environment, randomness or file", is_core,
         lines_matching(BANNED_CALLS, code_only=True),
         bad="auto t = std::chrono::steady_clock::now();\n", good="// steady_clock::now() is the shell's\nresult.time();\n"),
    # C++ is clang-format's, which knows what cannot be broken.
    Rule("line-length", f"{LINE_LENGTH_MAX} are allowed", lambda path: path.endswith((".py", ".txt", ".cmake")), long_lines,
         bad="x" * (LINE_LENGTH_MAX + 1) + "\n", good="x" * LINE_LENGTH_MAX + "\n"),
    Rule("file-length", "a file holds one idea", lambda path: path.endswith((*SOURCES, ".py")) and not is_test(path),
         longer_than(FILE_LENGTH_MAX), bad="\n" * (FILE_LENGTH_MAX + 1), good="\n" * FILE_LENGTH_MAX),
    Rule("test-length", "a file holds one idea", lambda path: path.endswith((*SOURCES, ".py")) and is_test(path),
         longer_than(TEST_LENGTH_MAX), bad="\n" * (TEST_LENGTH_MAX + 1), good="\n" * TEST_LENGTH_MAX),
    Rule("pragma-once", "a header may be included twice", is_header, guarded,
         bad="#include <string>\n", good="#pragma once\n\n#include <string>\n"),
    Rule("rooted-include", "own headers are named from the root", is_source, rooted_includes,
         bad='#include "ip.hpp"\n', good='#include "common/ip.hpp"\n'),
    Rule("using-namespace", "names say where they come from", is_source,
         lines_matching(re.compile(r"\busing namespace (std|boost);"), code_only=True),
         bad="using namespace std;\n", good="using namespace std::chrono_literals;\n"),
    Rule("change-mark", "work that is left is an issue, not a comment", any_text, lines_matching(CHANGE_MARKS),
         bad="// TO" "DO: later\n", good="// Later adverts win.\n"),
    Rule("machine-path", "the project knows no machine's folders", any_text, lines_matching(MACHINE_PATHS),
         bad="see ../sha" "red/design.md\n", good="see agent/README.md\n"),
    Rule("clean-end", "white space", lambda path: not path.endswith((".md", "LICENSE")), clean_end,
         bad="int x; \n", good="int x;\n"),
]


def tree(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - IGNORED_NAMES)
        for name in sorted(set(files) - IGNORED_NAMES):
            path = Path(folder, name)
            if path.suffix in TEXTS and not path.is_symlink():
                yield path


def check_tree(root: Path) -> list[Finding]:
    findings = []
    for path in tree(root):
        name = path.relative_to(root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not a text
        for rule in RULES:
            if rule.applies(name) and (rule.name, name) not in EXCEPTIONS:
                findings += [Finding(name, line, rule.name, f"{what}: {rule.why}") for line, what in rule.check(text)]
    return findings


def check_format(root: Path) -> list[str]:
    files = [str(path) for path in tree(root) if path.suffix in SOURCES]
    done = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], capture_output=True, text=True, check=False)
    return [line for line in done.stderr.splitlines() if "error:" in line] or ([done.stderr] if done.returncode else [])


def check_scripts(root: Path) -> list[str]:
    complaints = []
    for path in tree(root):
        first = path.open("rb").readline(80)
        if path.suffix == ".py":
            try:
                compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
            except SyntaxError as error:
                complaints.append(f"{path}:{error.lineno}: {error.msg}")
        elif first.startswith((b"#!/bin/bash", b"#!/bin/sh", b"#!/usr/bin/env bash")):
            done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
            complaints += [done.stderr.strip()] if done.returncode else []
    return complaints


def banned_symbols(nm_output: str) -> list[Finding]:
    """From `nm -C -u -A`: "libvipd_core.a:ip.cpp.o:                 U inet_pton"."""
    findings = []
    for line in nm_output.splitlines():
        found = re.match(r"^(?:.*?:)?([^:\s]+\.o):\s+[Uwv] (.+?)(@\S+)?$", line)
        if found and BANNED_SYMBOLS.match(found.group(2)) and ("pure-symbol", found.group(1)) not in EXCEPTIONS:
            findings.append(Finding(found.group(1), 0, "pure-symbol", f"the core calls {found.group(2)}"))
    return findings


def check_symbols(library: str) -> list[Finding]:
    output = subprocess.run(["nm", "-C", "-u", "-A", library], capture_output=True, text=True, check=True).stdout
    if not output.strip():
        return [Finding(library, 0, "pure-symbol", "the library has no undefined symbol at all: it is not the one meant")]
    return banned_symbols(output)


SYMBOLS_BAD = ["socket", "clock_gettime@GLIBC_2.17", "getenv", "epoll_ctl", "std::chrono::_V2::steady_clock::now()",
               "std::random_device::_M_getval()", "pthread_create",
               "std::basic_ifstream<char, std::char_traits<char> >::open()"]
SYMBOLS_GOOD = ["memcpy", "HMAC", "vipd::time(int)", "std::__throw_length_error(char const*)", "inet_pton"]


CALLS_BAD = ["steady_clock::now()", "std::random_device r", 'getenv("X")', "std::time(nullptr)", "time(&t)", "::open(p, 0)",
             "fopen(p)", "std::ifstream f", "rand()"]
CALLS_GOOD = ["sink.write(record)", "void send(out)", "window.time()", "operand(1)", "vipd::close(x)"]


def self_test() -> list[str]:
    """What is wrong with the rules themselves."""
    wrong = []
    for rule in RULES:
        if not list(rule.check(rule.bad)):
            wrong.append(f"{rule.name} accepts {rule.bad[:60]!r}")
        if found := list(rule.check(rule.good)):
            wrong.append(f"{rule.name} refuses {rule.good[:60]!r}: {found}")
    for call in CALLS_BAD:
        if not BANNED_CALLS.search(call):
            wrong.append(f"pure-call accepts {call!r}")
    for call in CALLS_GOOD:
        if BANNED_CALLS.search(call):
            wrong.append(f"pure-call refuses {call!r}")
    for name in SYMBOLS_BAD:
        if not banned_symbols(f"lib.a:x.cpp.o:                 U {name}\n"):
            wrong.append(f"pure-symbol accepts {name}")
    for name in SYMBOLS_GOOD:
        if banned_symbols(f"lib.a:x.cpp.o:                 U {name}\n"):
            wrong.append(f"pure-symbol refuses {name}")
    in_core = {"common/ip.cpp": True, "agent/vrrp/advert.hpp": True, "tests/cloud/state.cpp": True,
               "agent/io/daemon.hpp": False, "agent/main.cpp": False, "tests/unit/a.cpp": False}
    for path, core in in_core.items():
        if is_core(path) != core:
            wrong.append(f"{path} is {'not ' if core else ''}taken for the core")
    return wrong


def main(arguments: list[str]) -> int:
    match arguments:
        case ["--self-test"]:
            complaints = self_test()
        case ["--symbols", library]:
            complaints = [str(finding) for finding in check_symbols(library)]
        case ["--format", root]:
            complaints = check_format(Path(root).resolve())
        case ["--scripts", root]:
            complaints = check_scripts(Path(root).resolve())
        case [root] if Path(root).is_dir():
            complaints = [str(finding) for finding in check_tree(Path(root).resolve())]
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    print("\n".join(complaints) or "nothing to say")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
