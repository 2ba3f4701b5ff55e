"""A lab needs to make network namespaces. Root may; others may inside a user namespace of their own, where the kernel allows
that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_INSIDE = "VIPD_LAB_INSIDE_USER_NAMESPACE"


def is_root() -> bool:
    """Root of the machine, that is: SCHED_FIFO is to be had."""
    return os.geteuid() == 0 and _INSIDE not in os.environ


def enter() -> None:
    """Returns where network namespaces can be made, restarting this program inside a user namespace when that is needed; ends
    the program with a sentence when it is impossible."""
    missing = [tool for tool in ("ip", "setpriv", "unshare", "mount") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"{', '.join(missing)} not found: run deploy/setup first.")
    if _INSIDE in os.environ:
        # `ip netns` keeps its handles under /run, which belongs to the machine's root.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    if os.geteuid() == 0:
        if not _works(["unshare", "--net", "true"]):
            sys.exit("Root here may not make network namespaces: give the container CAP_SYS_ADMIN and CAP_NET_ADMIN "
                     "(docker run --privileged), or run this on the machine itself.")
        Path("/run/netns").mkdir(exist_ok=True)
        return
    unshare = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--"]
    if not _works([*unshare, "true"]):
        sys.exit("This user may not make namespaces: run it as root (sudo), or allow it with "
                 "`sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`.")
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", [*unshare, sys.executable, *sys.orig_argv[1:]])


def _works(command: list[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0
