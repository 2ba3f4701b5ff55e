"""VRRPv3 over IPv6, between global addresses: link-local ones do not reach from one subnet of a VPC to another."""

from dialect import Dialect
from lab.testing import LabTest, main


class Version3Ipv6(Dialect, LabTest):
    addresses = {"a": "2001:db8:99::1", "b": "2001:db8:99::2"}
    vip = "2001:db8:51::100/128"
    # keepalived 2.2.7 sends unicast over IPv6 with the kernel's hop limit of 64 unless it is told otherwise, and vipd, like the
    # RFC, wants 255 unless a peer's min_ttl says less.
    keepalived_lines = ["unicast_ttl 255"]


if __name__ == "__main__":
    main()
