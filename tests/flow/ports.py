"""Ports that nobody has: each share of the tests takes them from a range of its own.

Below the kernel's own range, out of which any client of another test may get one meanwhile.
"""
import itertools
import os
import random
import socket

_SIZE = 1500
_FIRST = 10000 + _SIZE * int(os.environ.get("FLOW_SHARE", 0))
_next = itertools.count(random.randrange(_SIZE))


def free_port(kind=None, host="127.0.0.1"):
    """For UDP and TCP; `kind`: one of them is enough."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for n in itertools.islice(_next, _SIZE):
        port = _FIRST + 7 * n % _SIZE  # the next one belongs to it, too: RTCP, TLS
        try:
            for one in (kind,) if kind else (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(family, one) as s:
                    s.bind((host, port))
            return port
        except OSError:
            continue
    raise AssertionError(f"no port is free from {_FIRST} on")
