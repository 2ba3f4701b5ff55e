"""What holds in VRRPv2 with a password and without."""

from dialect import Dialect, dissect


class Version2(Dialect):
    version = 2
    interval_ms = 1000.0

    def test_tcpdump_accepts_the_adverts(self) -> None:
        self.vipd(self.a, 150)
        text = dissect(self, count=2)
        self.assertIn("ttl 255", text)
        self.assertRegex(text, r"VRRPv2, Advertisement, vrid 51, prio 150, authtype (none|simple), intvl 1s, length 20, "
                               r"addrs: 172\.16\.1\.100")
        self.assertNotIn("bad", text)
        if self.password:
            self.assertIn(f'auth "{self.password}"', text)
