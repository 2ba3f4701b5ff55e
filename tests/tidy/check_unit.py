#!/usr/bin/python3
"""Asks systemd what it thinks of the packaged unit: whether it can be read, and how exposed the service is.

    check_unit.py UNIT
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

EXPOSURE_MAX = 20  # tenths: systemd's "OK" begins below 4.0, and every protection that can be had brings it to 2.0


def verify(unit: Path) -> list[str]:
    """systemd wants the programs to be there, so they are made to be others that are."""
    text = unit.read_text(encoding="utf-8").replace("/usr/sbin/vipd", "/bin/true")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, unit.name)
        copy.write_text(text, encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False,
                              env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    # What systemd says about units of the machine is not about ours.
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    return said or ([done.stderr] if done.returncode else [])


def exposure(unit: Path) -> list[str]:
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager",
                           str(unit)], capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout.strip().splitlines()[-1] if done.stdout else done.stderr]


if __name__ == "__main__":
    found = Path(sys.argv[1])
    complaints = verify(found) + exposure(found)
    print("\n".join(complaints) or "nothing to say")
    sys.exit(1 if complaints else 0)
