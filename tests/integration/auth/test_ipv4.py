"""Signed adverts of VRRPv3 over IPv4."""

from auth import Auth
from lab.testing import LabTest, main


class Ipv4(Auth, LabTest):
    pass


if __name__ == "__main__":
    main()
