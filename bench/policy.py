"""How long the rules and routes of a policy take when a node becomes Active: 50 of each, asked for in one turn.

A netlink socket in the node's namespace says when the kernel has done what. The address is the first thing that is added and
the last rule the last: what lies between is the time for which the node was half set up. A reader in Python is a little late,
so the figure is too large rather than too small.
"""

import socket
import struct
import threading

from lab.laboratory import Lab
from lab.network import Namespace
from lab.timeline import now
from lab.vipd import Vipd, VipdConfig

from measure import Figure, Options, Report, summary

PARTS = 50
TARGET_MS = 5.0
VIP = "10.1.0.50/32"
_RTM_NEWADDR, _RTM_NEWROUTE, _RTM_NEWRULE = 20, 24, 32
_GROUPS = (1 << 4) | (1 << 6) | (1 << 7)  # RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE
_PROTOCOL = 112


class Watch(threading.Thread):
    """Waits for the address and then for all rules and routes."""

    def __init__(self, node: Namespace) -> None:
        super().__init__(daemon=True)

        def open_socket() -> socket.socket:
            opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            opened.bind((0, _GROUPS))
            opened.settimeout(20)
            return opened

        self._heard = node.call(open_socket)
        self.milliseconds = float("nan")
        self.start()

    def run(self) -> None:
        first, rules, routes = 0, 0, 0
        while rules < PARTS or routes < PARTS:
            data = self._heard.recv(65536)
            at = now()
            kind = struct.unpack("=IH", data[:6])[1]
            if kind == _RTM_NEWADDR:
                first = first or at
            elif kind == _RTM_NEWROUTE and data[16 + 5] == _PROTOCOL:
                routes += 1
            elif kind == _RTM_NEWRULE:
                rules += 1
        self.milliseconds = (at - first) / 1e6
        self._heard.close()


def configuration() -> VipdConfig:
    policy = {"table": 100, "rules": [{"from": f"10.5.0.{i}", "priority": 100 + i} for i in range(PARTS)],
              "routes": [{"to": f"10.6.{i}.0/24", "via": "10.99.0.2", "interface": "eth0"} for i in range(PARTS)]}
    return VipdConfig("10.99.0.1", ["10.99.0.2"], advert_interval="100ms", policies=[policy],
                      addresses=[{"address": VIP, "interface": "eth0"}])


def run(options: Options) -> Report:
    samples = []
    with Lab() as lab:
        a, _ = lab.two_nodes()
        for _ in range(options.pick(50, 5)):
            watch = Watch(a)
            vipd = lab.own(Vipd(lab, a, configuration()))
            watch.join(30)
            samples.append(watch.milliseconds)
            vipd.stop()
    found = summary(samples)
    result = Report(data={"milliseconds": samples})
    result.row(f"{PARTS} rules and {PARTS} routes, first change to last",
               f"p50 {found['p50']:.2f}, p99 {found['p99']:.2f}, max {found['max']:.2f} ms", f"<= {TARGET_MS:g} ms",
               found["p99"] <= TARGET_MS)
    return result


FIGURES = [Figure("policy", "50 rules and 50 routes when a node becomes Active", run)]
