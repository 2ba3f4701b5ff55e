#!/usr/bin/python3
"""Runs a command that judges a source, unless it has found nothing in the same text before.

    once.py --root ROOT --build BUILD --source SOURCE -- COMMAND [ARGUMENT...]
    once.py --self-test

What a source is, with all that it includes, its macros and its comments, is what the compiler makes of it (-E -dD -C); what
judges it are the command's words, the files among them (its rules, a script) and what its program says of its version. When all
of that is as it was when the command last succeeded, it would succeed again, and is not run. Where the tree stands does not
matter, so that a clean checkout profits from the one before it, as it does from the compiler's cache. A failure is never kept.

It remembers in $XDG_CACHE_HOME/vipd-tidy, an empty file for each success, for 60 days. Without a place to write it runs the
command every time.
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REMEMBERED_SECONDS_MAX = 60 * 24 * 3600.0


def compile_command(build: Path, source: Path) -> list[str]:
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["directory"], entry["file"]) == source:
            return shlex.split(entry["command"])
    raise LookupError(f"{build}/compile_commands.json does not say how {source} is compiled")


def text_of(build: Path, source: Path) -> bytes:
    compiler, *arguments = compile_command(build, source)
    kept = []
    words = iter(arguments)
    for word in words:
        if word == "-o":
            next(words)
        elif word != "-c":
            kept.append(word)
    return subprocess.run([compiler, *kept, "-E", "-dD", "-C"], cwd=build, stdout=subprocess.PIPE, check=True).stdout


def key_of(root: Path, build: Path, source: Path, command: list[str]) -> str:
    """Of everything that the command's answer depends on."""
    version = subprocess.run([command[0], "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    files = [Path(word.removeprefix("--config-file=")) for word in command]
    parts = [shlex.join([*compile_command(build, source), *command]).encode(), version.stdout, text_of(build, source),
             *(path.read_bytes() for path in files if path.is_file())]
    digest = hashlib.sha256()
    for part in parts:
        here = part.replace(os.fsencode(root), b"ROOT")
        digest.update(b"%d:" % len(here) + here)
    return digest.hexdigest()


def remember(success: Path) -> None:
    try:
        success.parent.mkdir(parents=True, exist_ok=True)
        success.touch()
        for old in success.parent.iterdir():
            if old.stat().st_mtime < time.time() - REMEMBERED_SECONDS_MAX:
                old.unlink(missing_ok=True)
    except OSError:
        pass  # the command has succeeded, and will be run again


def run_once(root: Path, build: Path, source: Path, command: list[str], memory: Path) -> int:
    success = memory / key_of(root, build, source, command)
    if not success.exists():
        code = subprocess.run(command, check=False).returncode
        if code != 0:
            return code
    remember(success)
    return 0


def self_test() -> int:
    """Runs are counted by what the command writes: a line for each."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source, header, rules, runs = (folder / name for name in ("a.cpp", "a.hpp", "rules", "runs"))
        source.write_text('#include "a.hpp"\nint a() { return b; }\n')
        rules.write_text("as they were\n")
        entry = {"directory": made, "file": str(source), "command": f"c++ -I{made} -o a.o -c {source}"}
        (folder / "compile_commands.json").write_text(json.dumps([entry]))

        def number_of_runs(text: str, code: int = 0) -> int:
            header.write_text(text)
            command = ["/bin/sh", "-c", f"echo >>{runs}; exit {code}", f"--config-file={rules}"]
            runs.write_text("")
            for _ in range(2):
                if run_once(folder, folder, source, command, folder / "memory") != code:
                    return -1
            return len(runs.read_text())

        one, two = "const int b = 1;\n", "const int b = 2;\n"
        found = [number_of_runs(one), number_of_runs(one), number_of_runs(two), number_of_runs(two + "// NOLINT\n"),
                 number_of_runs(two + "#define C 3\n"), number_of_runs("const int b = 3;\n", code=1)]
        rules.write_text("other ones\n")
        found.append(number_of_runs(one))
    expected = [1, 0, 1, 1, 1, 2, 1]  # new, the same, another header, comment and macro, failures, other rules
    if found != expected:
        print(f"once.py: it ran the command {found} times, and should have {expected} times")
    return found != expected


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    for name in ("root", "build", "source"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    memory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "vipd-tidy")
    return run_once(options.root, options.build, options.source, options.command, memory)


if __name__ == "__main__":
    sys.exit(main())
