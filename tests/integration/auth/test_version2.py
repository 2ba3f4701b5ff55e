"""Signed adverts of VRRPv2: the signature covers its authentication data as well."""

from auth import Auth
from lab.testing import LabTest, main


class Version2(Auth, LabTest):
    version = 2
    interval_ms = 1000.0  # whole seconds


if __name__ == "__main__":
    main()
