"""A network of the test's own: a namespace with a pair of interfaces, frames sent as they are."""
import ctypes
import os
import select
import socket
import subprocess
import time

import pytest

CAP_NET_RAW, CAP_SYS_ADMIN = 13, 21
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def capable(*wanted):
    with open("/proc/self/status", encoding="ascii") as f:
        mask = next(int(x.split()[1], 16) for x in f if x.startswith("CapEff"))
    return all(mask >> x & 1 for x in wanted)


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


class Network:
    """While it is entered, everything this thread makes (sockets, processes) lives in it.

    What is sent into `far` arrives at `near`, where the daemon listens.
    """

    near, far = "mirror0", "switch0"

    def __enter__(self):
        if not capable(CAP_NET_RAW, CAP_SYS_ADMIN):
            pytest.skip("needs CAP_NET_RAW and CAP_SYS_ADMIN: run as root")
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if libc.unshare(CLONE_NEWNET):
            os.close(self.before)
            pytest.skip(f"no network namespace: {os.strerror(ctypes.get_errno())}")
        try:
            ip("link", "set", "lo", "up")
            self.plug_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        libc.setns(self.before, CLONE_NEWNET)
        os.close(self.before)

    def plug_in(self):
        ip("link", "add", self.near, "type", "veth", "peer", "name", self.far)
        for name in (self.near, self.far):
            ip("link", "set", name, "addrgenmode", "none", "mtu", "1600")
            ip("link", "set", name, "up")

    def vxlan(self, name="vxlan0"):
        """A tunnel of the kernel's own, out of `far`."""
        ip("addr", "add", "198.51.100.1/24", "dev", self.far)
        ip("neigh", "add", "198.51.100.2", "lladdr", "02:00:00:00:00:99", "dev", self.far)
        made = ip("link", "add", name, "type", "vxlan", "id", "7", "remote", "198.51.100.2",
                  "dstport", "4789", "dev", self.far, check=False)
        if made.returncode:
            pytest.skip(f"no vxlan: {made.stderr.strip()}")
        ip("link", "set", name, "addrgenmode", "none")
        ip("link", "set", name, "up")
        return name

    def send(self, capture, speed=1, into=None):
        """The frames of an oracle.pcapgen.Capture, at their times."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
            s.bind((into or self.far, 0))
            began = time.monotonic()
            for t_us, frame, _ in sorted(capture.frames, key=lambda f: f[0]):
                delay = began + t_us / 1e6 / speed - time.monotonic()
                if delay > 0:
                    select.select([], [], [], delay)
                s.send(frame)
