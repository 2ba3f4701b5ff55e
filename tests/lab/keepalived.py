"""Debian's keepalived as a peer, with every file of its own in the lab's directory."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from .process import Process
from .timeline import Event, now

PROGRAM = "/usr/sbin/keepalived"


@dataclass
class KeepalivedConfig:
    source: str
    peers: list[str]
    vrid: int = 51
    version: int = 3
    priority: int = 100
    interval: str = "0.2"  # seconds; whole ones with version 2
    interface: str = "eth0"
    addresses: list[str] = field(default_factory=lambda: ["172.16.1.100/32 dev lo"])
    password: str = ""
    lines: list[str] = field(default_factory=list)  # further lines of vrrp_instance

    def text(self) -> str:
        password = f"authentication {{\n auth_type PASS\n auth_pass {self.password}\n }}" if self.password else ""
        newline = "\n        "
        return f"""global_defs {{
    vrrp_version {self.version}
    vrrp_garp_master_repeat 1
    vrrp_check_unicast_src
}}
vrrp_instance lab {{
    state BACKUP
    interface {self.interface}
    virtual_router_id {self.vrid}
    priority {self.priority}
    advert_int {self.interval}
    unicast_src_ip {self.source}
    unicast_peer {{
        {newline.join(self.peers)}
    }}
    virtual_ipaddress {{
        {newline.join(self.addresses)}
    }}
    {password}
    {newline.join(self.lines)}
}}
"""


class Keepalived(Process):
    """keepalived is two processes: a parent that restarts its VRRP child."""

    def __init__(self, lab, node, config: KeepalivedConfig) -> None:
        directory = Path(lab.directory)
        file = directory / f"keepalived-{node.name}.conf"
        file.write_text(config.text())
        # Of this start alone: the file of one that was killed names a process that its new parent may not have buried yet.
        pid_file = directory / f"keepalived-{node.name}-{now()}.pid"
        super().__init__(lab.timeline, lab.observer, node.name,
                         [PROGRAM, "--dont-fork", "--vrrp", "--log-console", "--no-syslog", "--use-file", str(file),
                          "--pid", str(pid_file), "--vrrp_pid", f"{pid_file}.vrrp"],
                         namespace=node)

    def kill(self) -> Event:
        """The crash of both. The parent is stopped first: it would restart the child, and its own death would have the child
        say goodbye with priority 0."""
        self.signal(signal.SIGSTOP)
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        at = now()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        super().kill()
        event = Event(at, "lab", "crash", {"target": self.name})
        self._timeline.add(event)
        return event
