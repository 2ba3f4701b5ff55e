"""VRRPv2 without authentication: what keepalived speaks unless it is told otherwise."""

from lab.testing import LabTest, main
from version2 import Version2


class Version2Plain(Version2, LabTest):
    pass


if __name__ == "__main__":
    main()
