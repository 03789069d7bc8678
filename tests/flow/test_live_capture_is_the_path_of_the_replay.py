"""A call on an interface becomes the events its capture becomes, and SIGTERM ends it in order."""
import json
import os
import select
import signal
import socket
import subprocess
import time

import pytest

from oracle import events as oracle_events
from oracle.pcapgen import Call, Capture
from simulator import BUILD, talk

CAP_NET_RAW = 13
WAIT_S = 30


def may_capture():
    with open("/proc/self/status", encoding="ascii") as f:
        mask = next(int(x.split()[1], 16) for x in f if x.startswith("CapEff"))
    return mask >> CAP_NET_RAW & 1


needs_raw = pytest.mark.skipif(not may_capture(), reason="needs CAP_NET_RAW: run as root")


class Daemon:
    """trunkscribed as a service, watching the loopback interface."""

    def __init__(self, directory, interface="lo"):
        self.socket = directory / "events.sock"
        file = directory / "trunkscribe.conf"
        file.write_text(f'events {{ socket = "{self.socket}" group = "" }}\n'
                        f'journal {{ directory = "" }}\n'
                        f'control {{ socket = "{directory}/control.sock" drain-timeout = "0s" }}\n'
                        f'capture {{ interface = "{interface}" filter = "host 127.77.0.1" }}\n')
        self.process = subprocess.Popen(
            [BUILD / "trunkscribed", "-c", file, "--log", "info"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_ready(self):
        for line in self.process.stderr:
            if "ready" in line:
                return
        raise AssertionError("it ended before it was ready")

    def subscribe(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT_S)
        s.connect(str(self.socket))
        s.sendall(b'{"hello":1,"from":"oldest"}\n')
        return s.makefile("rb")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.stderr = self.process.stderr.read()
        return self.process.wait(WAIT_S)


def send_for_real(capture):
    """The capture's datagrams, from and to the loopback addresses they name."""
    class Socket(dict):
        def __missing__(self, at):
            host, _, port = at.rpartition(":")
            s = self[at] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((host, int(port)))
            return s

    sockets = Socket()
    began = time.monotonic()
    for t_us, src, dst, payload in capture:
        sockets[dst]  # somebody receives: no ICMP in between
        delay = began + t_us / 1e6 - time.monotonic()
        if delay > 0:
            select.select([], [], [], delay)
        host, _, port = dst.rpartition(":")
        sockets[src].sendto(payload, (host, int(port)))
    for s in sockets.values():
        s.close()


class Wire(Capture):
    """A capture that keeps datagrams, not frames."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def udp(self, t_us, src, dst, payload, mtu=None, order=None):
        self.sent.append((t_us, src, dst, payload))

    def __iter__(self):
        return iter(sorted(self.sent, key=lambda x: x[0]))


def make_call():
    wire = Wire()
    call = Call(wire, "127.77.0.1", "127.77.0.2", media_a=24100, media_b=25100, sip_a=25061,
                sip_b=25062)
    call.start(0)
    for who in ("caller", "agent"):
        sender = call.sender(who, 200_000, ssrc=7 if who == "caller" else 8)
        pcm = list(memoryview(talk((1000, True))).cast("h"))
        for packet in sender.speak(pcm).sent:
            wire.udp(packet.t_us, packet.src, packet.dst, packet.data)
    call.bye(1_500_000)
    return wire


@needs_raw
def test_a_call_on_the_interface(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.wait_ready()
    reader = daemon.subscribe()
    send_for_real(make_call())
    lines = []
    for line in reader:
        lines.append(line)
        if json.loads(line)["type"] == "call.end":
            break
    assert daemon.end() == 0, daemon.stderr
    events = [json.loads(x) for x in lines]
    oracle_events.validate_lines([x.rstrip(b"\n") for x in lines], complete=False)
    start = next(e for e in events if e["type"] == "call.start")
    assert (start["source"], start["from"], start["to"]) == \
        ("capture", "caller@example.com", "agent@example.com")
    ends = {e["role"]: e for e in events if e["type"] == "leg.end"}
    assert set(ends) == {"caller", "agent"}
    for end in ends.values():
        assert end["audio"]["samples"]["received"] == 8000
        assert end["rtp"]["lost"] == 0 and end["reason"] == "bye"


def test_what_cannot_be_captured_is_said_plainly(tmp_path):
    daemon = Daemon(tmp_path, "nosuch0")
    assert daemon.process.wait(WAIT_S) == 2
    text = daemon.process.stderr.read()
    assert "nosuch0" in text
    assert "ip link" in text if os.geteuid() == 0 else "CAP_NET_RAW" in text or "ip link" in text
