"""Signed adverts of VRRPv3 over IPv6, where the kernel's checksum covers the trailer."""

from auth import Auth
from lab.testing import LabTest, main


class Ipv6(Auth, LabTest):
    addresses = {"a": "2001:db8:99::1", "b": "2001:db8:99::2"}
    vip = "2001:db8:16::100/128"


if __name__ == "__main__":
    main()
