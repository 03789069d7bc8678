"""The service itself under a test: its sockets, its control, RTP to send to it."""
import array
import json
import os
import signal
import socket
import struct
import subprocess
import time

from oracle import events as oracle_events
from oracle import g711
from simulator import BUILD, talk

WAIT_S = 30
# of a daemon; tests/run.py runs several shares of the tests at a time
PORTS = (28000 + 100 * int(os.environ.get("FLOW_SHARE", 0)),
         28099 + 100 * int(os.environ.get("FLOW_SHARE", 0)))


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb")

    def raw(self, data):
        self.socket.sendall(data)
        return json.loads(self.file.readline())

    def ask(self, do, **members):
        answer = self.raw(json.dumps({"id": 7, "do": do, **members}).encode() + b"\n")
        assert answer.pop("id") == 7
        return answer

    def add(self, call, **members):
        answer = self.ask("leg.add", call=call, **members)
        assert answer["ok"], answer
        host, _, port = answer["address"].rpartition(":")
        return answer["leg"], (host, int(port))


class Daemon:
    """trunkscribed as a service that takes RTP."""

    def __init__(self, directory, more="", ports=PORTS, journal="", media="", events="",
                 drain="0s"):
        self.events = directory / "events.sock"
        self.control = directory / "control.sock"
        self.file = directory / "trunkscribe.conf"
        self.file.write_text(f'events {{ socket = "{self.events}" group = "" {events} }}\n'
                             f'control {{ socket = "{self.control}" drain-timeout = "{drain}" }}\n'
                             f'journal {{ directory = "{journal}" }}\n'
                             f'rtp {{ ports = "{ports[0]}-{ports[1]}" {media} }}\n{more}')
        self.process = self.start(
            [BUILD / "trunkscribed", "-c", self.file, "--log", "info"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.stderr, self.stopped = "", False

    start = subprocess.Popen

    def __enter__(self):
        for line in self.process.stderr:
            self.stderr += line
            if line.rstrip().endswith("ready"):
                break
        else:
            raise AssertionError(self.stderr)
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT_S)
        s.connect(str(self.events))
        s.sendall(b'{"hello":1,"from":"oldest"}\n')
        self.reader, self.lines = s.makefile("rb"), []
        return self

    def __exit__(self, kind, *_):
        self.stop()
        self.stderr += self.process.stderr.read()
        code = self.process.wait(WAIT_S)
        if kind is None:
            assert code == 0, self.stderr

    def stop(self):
        """Once: a second SIGTERM may come when nobody handles it any more."""
        if not self.stopped and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.stopped = True

    def until(self, kind):
        """Events up to the next of this type."""
        for line in self.reader:
            self.lines.append(line.rstrip(b"\n"))
            if json.loads(line)["type"] == kind:
                break
        return [json.loads(x) for x in self.lines]

    def of(self, kind):
        return [e for e in map(json.loads, self.lines) if e["type"] == kind]

    def valid(self):
        oracle_events.validate_lines(self.lines, complete=False)


def bound(host="127.0.0.1"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    return s


def packets(pcm, ssrc, codec="PCMU", seq=65530):
    """20 ms of RTP each."""
    pt = {"PCMU": 0, "PCMA": 8}[codec]
    for i in range(0, len(pcm), 160):
        payload = bytes(g711.encode(codec, pcm[i:i + 160]))
        yield struct.pack(">BBHII", 0x80, pt, (seq + i // 160) & 0xffff,
                          (0xfffff000 + i) & 0xffffffff, ssrc) + payload


def speech(ms, seed=1):
    return array.array("h", talk((ms, True), seed=seed))


def paced(*streams):
    """(socket, address, [packets]): all at once, 20 ms apart."""
    began = time.monotonic()
    for n, step in enumerate(zip(*[s[2] for s in streams])):
        time.sleep(max(0, began + n * 0.02 - time.monotonic()))
        for (sock, to, _), packet in zip(streams, step):
            sock.sendto(packet, to)
