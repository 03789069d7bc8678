"""Asterisk's AudioSocket: a client of this file's own against the service.

The protocol is written down here from Asterisk's res_audiosocket: one byte of kind, two of
length (big-endian), payload; the UUID first; samples little-endian.
"""
import random
import select
import socket
import struct
import subprocess
import time
import uuid

import pytest

from live import free_port
from serving import Service
from sessions import asr_config, key_file
from simulator import BUILD, Simulator, talk

WAIT_S = 60
HANGUP, UUID, DTMF, SLIN, SLIN16, ERROR = 0x00, 0x01, 0x03, 0x10, 0x12, 0xff
SILENCE = struct.pack(">BH", SLIN, 320) + bytes(320)


def message(kind, payload=b""):
    return struct.pack(">BH", kind, len(payload)) + payload


def speech(ms, seed):
    return bytes(talk((ms, True), seed=seed))


class Asterisk:
    """One AudioSocket connection."""

    def __init__(self, port, name=None, source="127.0.0.1"):
        self.socket = socket.socket()
        self.socket.settimeout(WAIT_S)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.got = b""
        if name is not None:
            self.send(message(UUID, name.bytes))

    def send(self, data):
        self.socket.sendall(data)

    def speak(self, pcm, size=320):
        self.send(b"".join(message(SLIN, pcm[i:i + size]) for i in range(0, len(pcm), size)))

    def in_pieces(self, data, rng):
        """Never two pieces in one segment: TCP_NODELAY and a little time."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        while at < len(data):
            n = rng.choice((1, 2, 3, 5, 319, 320, 323, 1000, 3000))
            self.send(data[at:at + n])
            at += n

    def read_messages(self, n=None):
        """So many messages, or all up to the end."""
        messages = []
        while n is None or len(messages) < n:
            while len(self.got) >= 3 and len(self.got) >= 3 + struct.unpack(">H", self.got[1:3])[0]:
                end = 3 + struct.unpack(">H", self.got[1:3])[0]
                messages.append((self.got[0], self.got[3:end]))
                self.got = self.got[end:]
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            self.got += more
        return messages

    def close(self):
        self.socket.close()


def config(port, more="", extra=""):
    return f'audiosocket {{ listen = {{"tcp:127.0.0.1:{port}"}} {more} }}\n{extra}'


def test_two_announced_legs_and_one_of_its_own(tmp_path):
    """What was sent is what the ASR got, in whatever pieces; each leg has its names."""
    port, rng = free_port(), random.Random(4)
    names = [uuid.UUID(int=rng.getrandbits(128), version=4) for _ in range(3)]
    said = [speech(3000, 5 + i) for i in range(3)]
    events = f'events {{ socket = "{tmp_path}/events.sock" group = "" dtmf = yes }}\n'
    with Simulator(tmp_path) as sim, Service(tmp_path, config(
            port, extra=events + asr_config(sim, key_file(tmp_path)))) as service:
        control = service.control()
        for name, role, label in ((names[0], "caller", "in"), (names[1], "agent", "out")):
            assert control.ask("call.register", call="c-1", uuid=str(name).upper(), role=role,
                               label=label, ids={"channel": "1700.1"}, to="+4930",
                               **{"from": "+49301"}) == {"ok": True}
        legs = [Asterisk(port, name) for name in names]
        for leg in legs:                       # before it has said anything
            assert leg.read_messages(2)[:2] == [(SLIN, bytes(320))] * 2
        legs[0].speak(said[0])
        legs[1].in_pieces(b"".join(
            message(SLIN, said[1][i:i + 1000]) + message(0x42, b"of a later version") +
            message(SLIN) for i in range(0, len(said[1]), 1000)), rng)
        legs[2].send(message(SLIN, said[2][:16000]) + message(DTMF, b"7") + message(DTMF, b"x"))
        legs[2].speak(said[2][16000:], 64)
        assert service.until("dtmf")["digit"] == "7"
        legs[0].close()                        # as Asterisk does
        service.until("leg.end")
        legs[1].send(message(HANGUP))
        service.until("call.end")
        legs[2].send(message(ERROR, b"\x04"))
        legs[2].close()
        service.until("call.end")
    service.valid()
    starts = {e["call"]: e for e in service.of("call.start")}
    assert starts["c-1"]["from"] == "+49301" and starts["c-1"]["to"] == "+4930"
    assert starts["c-1"]["ids"] == {"uuid": str(names[0]), "channel": "1700.1"}
    assert starts[str(names[2])]["ids"] == {"uuid": str(names[2])}
    assert {e["source"] for e in starts.values()} == {"audiosocket"}
    assert [(e["call"], e["role"], e["label"], e["codec"]) for e in service.of("leg.start")] == [
        ("c-1", "caller", "in", "L16"), ("c-1", "agent", "out", "L16"),
        (str(names[2]), "unknown", str(names[2]), "L16")]
    for e in service.of("leg.end"):
        assert e["audio"]["samples"] == {"received": 24000, "sent": 24000, "lost": 0, "paused": 0}
        assert e["duration_ms"] == 3000 and "rtp" not in e
    assert [e["reason"] for e in service.of("leg.end")] == ["hangup", "hangup", "error"]
    assert not service.of("discontinuity") and not service.of("gap")
    assert {sim.dump(line["connection"]) for line in sim.report} == set(said)


def test_silence_goes_back_all_the_time(tmp_path):
    """Asterisk gives up after 2 s without; and it is never more than real time."""
    port = free_port()
    with Service(tmp_path, config(port)) as service:
        leg = Asterisk(port)
        began = time.monotonic()
        leg.send(message(UUID, uuid.uuid4().bytes))
        frames = leg.read_messages(100)
        took = time.monotonic() - began
        assert set(frames) == {(SLIN, bytes(320))}
        assert took > 1.5, "faster than it is heard"
        leg.close()
        service.until("call.end")


def test_one_uuid_used_twice_is_two_calls(tmp_path):
    port, name = free_port(), uuid.uuid4()
    with Service(tmp_path, config(port)) as service:
        legs = [Asterisk(port, name) for _ in range(2)]
        service.until("leg.start", 2)
        for leg in legs:
            leg.close()
        service.until("call.end", 2)
        Asterisk(port, name).close()
        service.until("call.end")
    service.valid()
    calls = [e["call"] for e in service.of("call.start")]
    assert calls[0] == str(name) and len(set(calls)) == 3
    assert all(c.startswith(str(name)) for c in calls)
    assert [e["ids"] for e in service.of("call.start")] == [{"uuid": str(name)}] * 3


@pytest.mark.parametrize("data, leg_reason", [
    (message(SLIN, bytes(320)), None),                       # audio before the UUID
    (message(UUID, bytes(15)), None),
    (b"\x10\x3e\x82", None),                                 # more than a second
    (b"GET / HTTP/1.1\r\n\r\n", None),
    (message(UUID, bytes(16)) + message(SLIN, bytes(321)), "bad_message"),
    (message(UUID, bytes(16)) + message(SLIN16, bytes(640)), "codec"),
    (message(UUID, bytes(16)) + message(DTMF, b"12"), "bad_message")])
def test_what_is_wrong_ends_its_connection_only(data, leg_reason, tmp_path):
    port, said = free_port(), speech(500, 1)
    with Service(tmp_path, config(port)) as service:
        good = Asterisk(port, uuid.uuid4())
        service.until("leg.start")
        bad = Asterisk(port)
        bad.send(data)
        ended = bad.read_messages()
        # a hangup message: Asterisk goes on in its dial plan
        assert (ended[-1:] == [(HANGUP, b"")]) == (leg_reason == "codec")
        if leg_reason:
            assert service.until("leg.end")["reason"] == leg_reason
            service.until("call.end")
        if leg_reason == "codec":
            assert service.of("leg.state")[-1]["reason"] == "codec"
        good.speak(said)
        good.close()
        assert service.until("leg.end")["audio"]["samples"]["received"] == len(said) // 2
        service.until("call.end")
    service.valid()
    assert len(service.of("call.start")) == 1 + bool(leg_reason)
    assert "audiosocket" in service.stderr and "a connection ends" in service.stderr


def test_strangers_and_floods_do_not_touch_a_call(tmp_path):
    """Not permitted: closed without a byte.  Silent: bounded in number, closed in seconds."""
    port, said = free_port(), speech(2000, 1)
    with Service(tmp_path, config(port, 'permit = {"127.0.0.1"} max-connections = 40')) as service:
        good = Asterisk(port, uuid.uuid4())
        service.until("leg.start")
        good.speak(said[:16000])
        assert Asterisk(port, uuid.uuid4(), source="127.0.0.2").read_messages() == []
        silent = [Asterisk(port) for _ in range(200)]
        ends = [s.read_messages() for s in silent]
        assert sum(not e for e in ends) == 161, "closed at once: there were 40"
        # the others heard silence and, in the end, a hangup: they named no call
        assert all(e[-1] == (HANGUP, b"") for e in ends if e)
        good.speak(said[16000:])
        good.close()
        end = service.until("leg.end")
    assert end["audio"]["samples"]["received"] == 16000 and end["duration_ms"] >= 2000
    assert "127.0.0.2 is not in permit" in service.stderr
    assert service.stderr.count("max-connections") == 1
    assert "more since the last such line" in service.stderr


def test_draining_lets_asterisk_go_on(tmp_path):
    port = free_port()
    with Service(tmp_path, config(port)) as service:
        control = service.control()
        old = Asterisk(port, uuid.uuid4())
        service.until("leg.start")
        assert control.ask("drain")["ok"]
        assert Asterisk(port, uuid.uuid4()).read_messages() == [(HANGUP, b"")]
        assert control.ask("drain", cancel=True)["ok"]
        Asterisk(port, uuid.uuid4()).close()
        service.until("call.end")
        service.stop()
        assert old.read_messages()[-1] == (HANGUP, b"")
        assert service.until("call.end")["reason"] == "drain"
    service.valid()


def test_a_peer_that_does_not_read_costs_nothing(tmp_path):
    """Its audio still comes; ours to it is not kept for it."""
    port, said = free_port(), speech(4000, 9)
    with Service(tmp_path, config(port)) as service:
        leg = Asterisk(port, uuid.uuid4())
        for i in range(0, len(said), 3200):
            select.select([], [], [], 0.02)
            leg.speak(said[i:i + 3200])
        leg.close()
        assert service.until("leg.end")["audio"]["samples"]["received"] == len(said) // 2


def test_the_address_in_use_is_said(tmp_path):

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        file = tmp_path / "c.conf"
        file.write_text(f'events {{ socket = "{tmp_path}/e" group = "" }}\n'
                        f'control {{ socket = "{tmp_path}/c" drain-timeout = "0s" }}\n'
                        + config(taken.getsockname()[1]))
        done = subprocess.run([BUILD / "trunkscribed", "-c", file], capture_output=True,
                              text=True, check=False, timeout=WAIT_S)
    assert done.returncode == 2 and "Address already in use; change listen" in done.stderr
