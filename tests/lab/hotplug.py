"""What the hypervisor does when EC2 attaches an interface or detaches it: a cable from the node to the switch of its zone comes
or goes at the moment that the cloud reports it."""

import queue
import threading

from .network import ip
from .timeline import Event
from .zones import Zones

LINK = "eth1"


class Hotplug:
    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        for node in zones.nodes.values():
            # As in a VPC, where nobody answers for the address of another interface.
            node.sysctl("net.ipv4.conf.all.arp_ignore", "1")
            node.sysctl("net.ipv4.conf.all.arp_announce", "2")
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="hotplug", daemon=True)
        self._thread.start()
        zones.lab.timeline.listen(self._on_event)

    def close(self) -> None:
        self._events.put(None)
        self._thread.join(10)

    def _on_event(self, event: Event) -> None:
        if event.kind == "movement" and event.fields.get("what") == "interface":
            self._events.put(event)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            name = event.fields["node"].removeprefix("node-")
            place, node = self._zones.places[name], self._zones.nodes[name]
            try:
                if event.fields["arrived"]:
                    self._plug(node, f"zone-{place.zone}", event.fields["mac"])
                else:
                    node.ip("link", "delete", LINK)
            except RuntimeError as error:
                self._zones.lab.timeline.note("lab", "hotplug_failed", reason=str(error))

    def _plug(self, node, bridge: str, mac: str) -> None:
        """As a new interface is: down, and without an address."""
        port = f"h-{node.name}"
        router = self._zones.router
        ip("link", "add", "name", LINK, "netns", node.full_name, "address", mac, "type", "veth",
           "peer", "name", port, "netns", router.full_name)
        router.ip("link", "set", port, "master", bridge, "up")
