"""rtpengine in user space, and its ng protocol: bencode in datagrams behind a cookie."""
import itertools
import socket
import subprocess
import time

import pytest

from peers import peer
from service import WAIT_S
from sip_client import free_port

cookies = itertools.count(1)


def encode(x):
    if isinstance(x, int):
        return b"i%de" % x
    if isinstance(x, str):
        x = x.encode()
    if isinstance(x, bytes):
        return b"%d:%s" % (len(x), x)
    if isinstance(x, list):
        return b"l" + b"".join(map(encode, x)) + b"e"
    return b"d" + b"".join(encode(k) + encode(x[k]) for k in sorted(x)) + b"e"


def decode(b, i=0):
    """(value, where it ends)."""
    kind = b[i:i + 1]
    if kind == b"i":
        end = b.index(b"e", i)
        return int(b[i + 1:end]), end + 1
    if kind in (b"l", b"d"):
        out, i = [], i + 1
        while b[i:i + 1] != b"e":
            value, i = decode(b, i)
            out.append(value)
        return (dict(zip(out[::2], out[1::2])) if kind == b"d" else out), i + 1
    colon = b.index(b":", i)
    end = colon + 1 + int(b[i:colon])
    return b[colon + 1:end].decode(), end


class Rtpengine:
    def __init__(self, directory):
        self.peer, self.port = peer("rtpengine-daemon"), free_port()
        first = free_port() & ~1
        self.first = min(first, 64000)
        self.log = directory / "rtpengine.log"

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.peer.path("usr/bin/rtpengine"), "--config-file=none", "--table=-1",
                 "--interface=127.0.0.1", f"--listen-ng=127.0.0.1:{self.port}",
                 f"--port-min={self.first}", f"--port-max={self.first + 199}", "--foreground",
                 "--log-stderr", "--num-threads=2"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.peer.environment())
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", self.port))
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and self.process.poll() is None:
            self.socket.settimeout(0.2)
            try:
                if self.ask("ping")["result"] == "pong":
                    self.socket.settimeout(WAIT_S)
                    return self
            except (TimeoutError, ConnectionError):
                pass
        said = self.log.read_text()
        if "error while loading shared libraries" in said:
            pytest.skip(said)
        self.__exit__()
        raise AssertionError(said)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(WAIT_S)

    def ask(self, command, **members):
        """One command; names with _ for -."""
        cookie = b"c%d" % next(cookies)
        message = {"command": command, **{k.replace("_", "-"): v for k, v in members.items()}}
        self.socket.send(cookie + b" " + encode(message))
        while True:
            got = self.socket.recv(65536)
            if got.startswith(cookie + b" "):
                return decode(got, len(cookie) + 1)[0]

    def ok(self, command, **members):
        answer = self.ask(command, **members)
        assert answer["result"] == "ok", answer
        return answer
