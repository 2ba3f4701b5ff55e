#!/usr/bin/python3
"""Holds the rule "name it first" in coroutines, for g++ 12's sake.

    check_coroutines.py SOURCE BUILD_DIRECTORY    with the compile commands of a build
    check_coroutines.py SOURCE                    by itself
    check_coroutines.py --version                 of the program that looks

g++ 12.2 destroys some temporaries twice when the full expression that makes them contains a co_await: aggregates, lambdas with
captures, and whatever stands in braces around the co_await. Clang compiles them right, so no test of clang's build would tell.
What is asked for is that such a value be a named variable before the co_await.
"""

import re
import subprocess
import sys

OURS = r'isExpansionInFileMatching("/(agent|tests|bench)/")'
TEMPORARIES = ("lambdaExpr(unless(hasParent(cxxConstructExpr(hasParent(varDecl())))))", "cxxTemporaryObjectExpr()",
               "initListExpr()", "cxxStdInitializerListExpr()")
LOOKS = "clang-query-14"
QUERIES = ("set output diag\n"
           f"m expr({OURS}, anyOf({', '.join(TEMPORARIES)}), hasAncestor(coawaitExpr())).bind(\"unnamed_in_co_await\")\n"
           f"m initListExpr({OURS}, hasDescendant(coawaitExpr())).bind(\"co_await_in_braces\")\n")


def main(source: str, build: str | None) -> int:
    place = ["-p", build, source] if build else [source, "--", "-std=c++20"]
    done = subprocess.run([LOOKS, "-f", "/dev/stdin", *place], input=QUERIES, capture_output=True, text=True,
                          check=False)
    counts = [int(count) for count in re.findall(r"^(\d+) match(?:es)?\.$", done.stdout, re.M)]
    if len(counts) != 2 or done.returncode != 0:
        print(f"clang-query did not look at {source}:\n{done.stdout}\n{done.stderr}")
        return 2
    if sum(counts):
        print(f"{source}: name these values before the co_await; g++ 12 destroys them twice\n{done.stdout}")
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--version":
        sys.exit(subprocess.run([LOOKS, "--version"], check=False).returncode)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None))
