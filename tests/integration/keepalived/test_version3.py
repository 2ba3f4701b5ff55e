"""VRRPv3 over IPv4, which keepalived calls vrrp_version 3."""

from dialect import Dialect, dissect
from lab.testing import LabTest, main


class Version3(Dialect, LabTest):
    def test_tcpdump_accepts_the_adverts(self) -> None:
        self.vipd(self.a, 150)
        text = dissect(self, count=3)
        self.assertIn("VRRPv3, Advertisement, vrid 51, prio 150, intvl 20cs, length 12, addrs: 172.16.1.100", text)
        self.assertNotIn("bad", text)


if __name__ == "__main__":
    main()
