#!/usr/bin/python3
"""A search that is interrupted goes on where it was, and only with the program that began it.

    tests/sim/test_campaign.py PATH-OF-CLUSTER-SIM
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CLUSTER_SIM = ""


def simulate(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([CLUSTER_SIM, *(str(a) for a in arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, timeout=300)


def without_times(text: str) -> str:
    return re.sub(r".* times real time.*\n", "", text)


class Campaign(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "search.campaign"

    def test_in_two_parts_is_the_same_as_in_one(self):
        simulate("--seed", 101, "--runs", 2, "--campaign", self.file)
        in_parts = simulate("--seed", 101, "--runs", 4, "--campaign", self.file)
        at_once = simulate("--seed", 101, "--runs", 4)
        self.assertEqual(in_parts.returncode, 0, in_parts.stdout)
        self.assertIn("4 schedules", in_parts.stdout)
        self.assertEqual(without_times(in_parts.stdout), without_times(at_once.stdout))

    def test_it_keeps_which_seeds_were_wrong(self):
        simulate("--seed", 101, "--runs", 2, "--campaign", self.file)
        self.file.write_text(self.file.read_text() + "violated_by_seed=101\nviolated_by_seed=102\n")
        simulate("--seed", 101, "--runs", 3, "--campaign", self.file)
        told = simulate("--sum", self.file)
        self.assertIn("2 violations, of seeds 101, 102", told.stdout)

    def test_of_other_sources_is_not_taken_up(self):
        simulate("--seed", 101, "--runs", 2, "--campaign", self.file)
        text = self.file.read_text()
        fingerprint = re.search(r"^fingerprint=(\d+)$", text, re.MULTILINE)
        self.assertNotEqual(int(fingerprint[1]), 0)
        self.file.write_text(text.replace(fingerprint[0], f"fingerprint={int(fingerprint[1]) ^ 1}"))
        refused = simulate("--seed", 101, "--runs", 4, "--campaign", self.file)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("begun with other sources", refused.stdout)
        self.assertIn("next_seed=103", self.file.read_text())


if __name__ == "__main__":
    CLUSTER_SIM = sys.argv.pop(1)
    unittest.main()
