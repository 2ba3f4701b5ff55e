"""amazon-ec2-net-utils (2.x) and the systemd-networkd that it configures, as a node with a second interface has them: an
address with the length of its subnet, an alias, a table with rules that lead there, and worse routes in the main table."""

from .hotplug import LINK
from .movables import FLOATING_ADDRESS, FLOATING_ADDRESS6
from .network import Namespace
from .zones import ROUTER6

# 10000 and the device number: both the table and the priority of the rules. In the main table it is 512 and the device number.
TABLE, METRIC = "10001", "513"
SUBNET, SUBNET6, GATEWAY = "10.0.2.0/24", "2001:db8:2::/64", "10.0.2.1"


class NetUtils:
    def __init__(self, node: Namespace, alias: str) -> None:
        """`alias` is an address of the interface beside its first one."""
        self._node = node
        self._address = f"{FLOATING_ADDRESS}/24"
        self._alias = f"{alias}/32"
        self._rules = [("-4", FLOATING_ADDRESS), ("-4", alias), ("-6", FLOATING_ADDRESS6)]
        self._routes = [("-4", SUBNET, "dev", LINK), ("-4", "default", "via", GATEWAY, "dev", LINK),
                        ("-6", SUBNET6, "dev", LINK), ("-6", "default", "via", ROUTER6, "dev", LINK)]

    def add(self) -> None:
        self._node.ip("link", "set", LINK, "up")
        self._node.ip("address", "replace", self._address, "dev", LINK, "metric", METRIC)
        self._node.ip("address", "replace", self._alias, "dev", LINK, "noprefixroute")
        self._node.ip("address", "replace", f"{FLOATING_ADDRESS6}/128", "dev", LINK, "valid_lft", "450", "preferred_lft", "140")
        for family, *route in self._routes:
            self._node.ip(family, "route", "replace", *route, "table", TABLE)
        for family, *route in self._routes[1::2]:
            self._node.ip(family, "route", "replace", *route, "metric", METRIC)
        for family, address in self._rules:
            self._node.ip(family, "rule", "add", "from", address, "priority", TABLE, "table", TABLE)

    def change(self) -> None:
        for family, *route in self._routes:
            self._node.ip(family, "route", "replace", *route, "table", TABLE, "mtu", "1500")

    def flush(self) -> None:
        """All that is its own, and with that the alias, which is somebody else's as well."""
        for family, address in self._rules:
            self._node.ip(family, "rule", "delete", "from", address, "priority", TABLE)
        for family in ("-4", "-6"):
            self._node.ip(family, "route", "flush", "table", TABLE)
            self._node.ip(family, "route", "flush", "table", "main", "metric", METRIC)
        for address in (self._address, self._alias):
            self._node.ip("address", "delete", address, "dev", LINK)

    def rules(self) -> list[str]:
        return [line for family in ("-4", "-6")
                for line in self._node.ip(family, "rule", "show", "priority", TABLE).splitlines()]

    def left(self) -> list[str]:
        """What is there of all that is its own alone, as the kernel shows it."""
        routes = [line for family in ("-4", "-6") for where in (("table", TABLE), ("table", "main", "metric", METRIC))
                  for line in self._node.ip(family, "route", "show", *where).splitlines()]
        has_address = self._address in self._node.ip("address", "show", "dev", LINK).split()
        return self.rules() + routes + [self._address] * has_address
