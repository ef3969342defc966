"""The watcher between a devstack and its services: they die when the process that asked for them is gone.

A process of its own, standard library alone. One JSON object per line comes in by a Unix socket, one goes
out. When the socket ends, or the parent dies in whatever way, every descendant is killed, and data that is
not to be kept is removed.
"""
