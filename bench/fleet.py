"""A thousand virtual routers between two nodes, for vipd and for keepalived, word for word the same work.

A VRID is 1..255 per address, so the routers are spread over several cables, 250 on each: router i has VRID i % 250 + 1 between
10.99.k.1 and 10.99.k.2 on eth<k>, k = i / 250, and the address 172.16.k.(VRID) on lo while Active.
"""

from dataclasses import dataclass, field

from lab.laboratory import Lab
from lab.network import Namespace
from lab.vipd import Configuration, section

ROUTERS_PER_CABLE = 250


def host_address(cable: int, host: int) -> str:
    return f"10.99.{cable}.{host}"


def virtual_address(router: int) -> str:
    return f"172.16.{router // ROUTERS_PER_CABLE}.{router % ROUTERS_PER_CABLE + 1}/32"


def router_name(router: int) -> str:
    return f"router-{router}"


def cables(routers: int) -> int:
    return (routers + ROUTERS_PER_CABLE - 1) // ROUTERS_PER_CABLE


def lay_cables(lab: Lab, routers: int, names: tuple[str, str] = ("a", "b")) -> tuple[Namespace, Namespace]:
    """Hosts 1 and 2 with as many cables as the routers need."""
    left, right = (lab.network.namespace(name) for name in names)
    for cable in range(cables(routers)):
        lab.network.link(left, f"eth{cable}", right, f"eth{cable}")
        for host, node in ((1, left), (2, right)):
            node.ip("address", "add", f"{host_address(cable, host)}/24", "dev", f"eth{cable}")
    return left, right


def lay_lan(lab: Lab) -> tuple[Namespace, Namespace, Namespace]:
    """Hosts 1 and 2 and a stranger, host 66, on one switch; for the routers of the first cable."""
    switch = lab.network.namespace("switch")
    lab.network.bridge(switch, "lan")
    nodes = []
    for name, host in (("a", 1), ("b", 2), ("stranger", 66)):
        nodes.append(lab.network.namespace(name))
        lab.network.plug(nodes[-1], "eth0", switch, "lan", f"{host_address(0, host)}/24")
    return nodes[0], nodes[1], nodes[2]


@dataclass
class VipdFleet(Configuration):
    """The configuration of one side."""

    host: int
    peer: int
    routers: int
    interval_ms: float
    priority: int
    realtime: bool = True
    http: dict = field(default_factory=dict)

    def text(self, socket_path: str) -> str:
        parts = [f"realtime = {'true' if self.realtime else 'false'}\n",
                 section("[http]", {"listen": [], **self.http, "socket": socket_path})]
        for router in range(self.routers):
            cable = router // ROUTERS_PER_CABLE
            parts.append(section("[[router]]", {
                "name": router_name(router), "vrid": router % ROUTERS_PER_CABLE + 1, "priority": self.priority,
                "interface": f"eth{cable}", "source": host_address(cable, self.host), "peers": [host_address(cable, self.peer)],
                "advert_interval": f"{self.interval_ms:g}ms", "preempt_delay": "0s"}))
            parts.append(section("[[router.address]]", {"address": virtual_address(router), "interface": "lo"}))
        return "\n".join(parts)


@dataclass
class KeepalivedFleet:
    """A configuration as lab.keepalived.Keepalived takes one."""

    host: int
    peer: int
    routers: int
    interval_ms: float
    priority: int
    realtime: bool = True

    def text(self) -> str:
        # vrrp_rt_priority and vrrp_no_swap are what `realtime` is to vipd.
        lines = ["global_defs {", " vrrp_version 3", " vrrp_garp_master_repeat 1", " vrrp_check_unicast_src",
                 *([" vrrp_rt_priority 50", " vrrp_rlimit_rttime 3000000", " vrrp_no_swap"] if self.realtime else []), "}"]
        for router in range(self.routers):
            cable = router // ROUTERS_PER_CABLE
            lines += [f"vrrp_instance {router_name(router)} {{", " state BACKUP", f" interface eth{cable}",
                      f" virtual_router_id {router % ROUTERS_PER_CABLE + 1}", f" priority {self.priority}",
                      f" advert_int {self.interval_ms / 1000:g}", f" unicast_src_ip {host_address(cable, self.host)}",
                      " unicast_peer {", f"  {host_address(cable, self.peer)}", " }", " virtual_ipaddress {",
                      f"  {virtual_address(router)} dev lo", " }", "}"]
        return "\n".join(lines) + "\n"


def sent_packets(node: Namespace) -> int:
    """What the kernel has sent on the cables: adverts, and a handful of ARP."""

    def read() -> int:
        # The file shows the namespace of the thread that opens it.
        with open("/proc/thread-self/net/dev", encoding="ascii") as table:
            devices = dict(line.split(":", 1) for line in table if ":" in line)
        return sum(int(numbers.split()[9]) for name, numbers in devices.items() if name.strip().startswith("eth"))

    return node.call(read)
