"""A laboratory of network namespaces: nodes in two zones, a cloud, and everything they do on one timeline.

The demonstration and the integration tests are both written with it. The idea is that nobody sleeps and guesses: every
process's log lines, every advert on the wire, every address the kernel adds or removes and every request the cloud answers
arrives on one Timeline, stamped with CLOCK_MONOTONIC, and whoever waits for something waits for an event there, with a
deadline. What a lab made it takes away again, by process id and by namespace name, however it ends.

It needs root, or a kernel that lets users have namespaces (see rootless.py), iproute2, and nothing outside Python's library.
"""
