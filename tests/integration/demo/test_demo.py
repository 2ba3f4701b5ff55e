"""Both parts of the demonstration: every scene comes about. How quickly is its own affair, on a machine that does nothing else;
here its bounds are wider than any noise."""

import contextlib
import io
import re
from collections.abc import Callable
from unittest import mock

from lab import bounds, demo, demo_moves
from lab.laboratory import Lab
from lab.testing import NOISE_SECONDS, LabTest, main

# A program with sanitizers takes a while to start on a busy machine, and who is to be Active must not be late.
INTERVAL_MS = 500.0


class Demonstration(LabTest):
    def shown(self, show: Callable[[Lab], int]) -> str:
        printed = io.StringIO()
        with contextlib.ExitStack() as changed:
            changed.enter_context(mock.patch.object(bounds, "ALLOWANCE_MS", NOISE_SECONDS * 1000))
            for module in (demo, demo_moves):
                changed.enter_context(mock.patch.object(module, "INTERVAL_MS", INTERVAL_MS))
            changed.enter_context(contextlib.redirect_stdout(printed))
            missed = show(self.lab)
        self.assertEqual(missed, 0, printed.getvalue())
        return printed.getvalue()

    def test_routes_move_through_every_scene(self) -> None:
        self.assertIn("Every bound was kept.", self.shown(lambda lab: demo.show(lab, keep=False)))

    def test_a_prefix_list_addresses_an_elastic_ip_and_an_interface_move_in_both_scenes(self) -> None:
        printed = self.shown(demo_moves.show)
        self.assertIn("Every bound was kept.", printed)
        for moved in ("prefix list", "IPv4 address", "IPv6 address", "Elastic IP", "interface"):
            self.assertEqual(len(re.findall(rf"(?m)^ +{moved} .* kept ", printed)), 2, printed)


if __name__ == "__main__":
    main()
