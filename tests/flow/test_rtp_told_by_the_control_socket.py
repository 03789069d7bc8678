"""RTP without SIP: legs come and go by the control socket; what was sent is what the ASR heard."""
import array
import contextlib
import json
import os
import random
import socket
import struct
import subprocess

import pytest

from oracle import g711
from service import PORTS, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import BUILD, Simulator
from sip_client import Client, Dialog, free_port, sdp


def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


def test_two_legs_and_a_spoofer(tmp_path):
    """Both parties, another's packets over all ports meanwhile; sample for sample."""
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        control = Control(daemon.control)
        senders = {"caller": bound(), "agent": bound()}
        said = {"caller": ("PCMU", speech(3000)), "agent": ("PCMA", speech(3000, 2))}
        streams, legs = [], {}
        for n, (role, sender) in enumerate(senders.items()):
            codec, pcm = said[role]
            remote = {} if n else {"remote": "127.0.0.1:%d" % sender.getsockname()[1]}
            legs[role], to = control.add("c1", role=role, codec=codec, label=f"l{n}",
                                         ids={"channel": "1700.1"}, **{"from": "+49301"}, **remote)
            assert to[0] == "127.0.0.1" and to[1] % 2 == 0 and PORTS[0] <= to[1] <= PORTS[1]
            streams.append((sender, to, list(packets(pcm, 77 + n, codec))))

        rng, spoofer = random.Random(5), bound("127.0.0.2")
        spray = []
        for n in range(150):
            port = rng.randrange(*PORTS) & ~1 if n % 2 else streams[n // 2 % 2][1][1]
            ssrc = 77 + n % 2 if n % 3 else rng.getrandbits(32)
            body = bytes(rng.randbytes(160)) if n % 5 else b""
            head = struct.pack(">BBHII", 0x80, 8 * (n % 2), rng.getrandbits(16),
                               rng.getrandbits(32), ssrc)
            spray.append((port, head + body))
        for port, packet in spray[:60]:   # before anybody else spoke
            spoofer.sendto(packet, ("127.0.0.1", port))

        class Sprayer:
            """Between the packets of the call."""

            def __init__(self):
                self.left = iter(spray[60:])

            def sendto(self, _, __):
                item = next(self.left, None)
                if item:
                    spoofer.sendto(item[1], ("127.0.0.1", item[0]))

        paced(*streams, (Sprayer(), None, [b""] * 150))
        status = control.ask("status")["status"]
        assert status["rtp"]["packets"] == 300 and status["rtp"]["legs"] == 2
        assert status["rtp"]["foreign"] > 50 and status["rtp"]["ports_used"] == 2
        assert status["calls"] == 1 and status["draining"] is False
        for leg in legs.values():
            assert control.ask("leg.end", leg=leg) == {"ok": True}
        daemon.until("call.end")
        assert control.ask("status")["status"]["rtp"]["ports_used"] == 0
        again = control.ask("leg.add", call="c1")
        assert not again["ok"] and "c1 is over" in again["error"]
    daemon.valid()
    call, = daemon.of("call.start")
    assert (call["source"], call["from"], call["ids"]) == ("rtp", "+49301", {"channel": "1700.1"})
    assert {e["leg"]: (e["role"], e["label"]) for e in daemon.of("leg.start")} == \
        {legs["caller"]: ("caller", "l0"), legs["agent"]: ("agent", "l1")}
    for e in daemon.of("leg.media"):
        assert e["rtp"]["src"] == "%s:%d" % senders[e["role"]].getsockname()
    for e in daemon.of("leg.end"):
        assert e["audio"]["samples"] == {"received": 24000, "sent": 24000, "lost": 0, "paused": 0}
        assert (e["reason"], e["rtp"]["packets"], e["rtp"]["lost"]) == ("command", 150, 0)
    dumps = {sim.dump(line["connection"]) for line in sim.report}
    assert dumps == {heard(pcm, codec) for codec, pcm in said.values()}


def test_a_registered_call_has_its_names(tmp_path):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        assert control.ask("call.register", call="r-1", to="+49302", ids={"uuid": "u"})["ok"]
        leg, _ = control.add("r-1")
        late = control.ask("call.register", call="r-1", to="x")
        assert not late["ok"] and "has begun" in late["error"]
        control.ask("leg.end", leg=leg)
        daemon.until("call.end")
    start, = daemon.of("call.start")
    assert start["to"] == "+49302" and start["ids"] == {"uuid": "u"}


def test_draining_takes_nothing_new_and_sigterm_ends_in_order(tmp_path):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        sender, pcm = bound(), speech(400)
        _, to = control.add("c1", codec="PCMU")
        assert control.ask("drain")["status"]["draining"] is True
        for call in ("c1", "c2"):
            answer = control.ask("leg.add", call=call)
            assert not answer["ok"] and "draining" in answer["error"]
        paced((sender, to, list(packets(pcm, 5))))
        assert control.ask("status")["status"]["rtp"]["packets"] == 20
        assert control.ask("drain", cancel=True)["status"]["draining"] is False
        control.add("c2")
        control.ask("drain")
        daemon.stop()
        ended = [e for e in daemon.until("bye") if e["type"] in ("leg.end", "call.end")]
    assert [(e["type"], e["call"], e["reason"]) for e in ended] == [
        ("leg.end", "c1", "drain"), ("call.end", "c1", "drain"),
        ("leg.end", "c2", "drain"), ("call.end", "c2", "drain")]
    assert ended[0]["audio"]["samples"]["received"] == 3200
    assert not os.path.exists(daemon.control)


def test_trunkscribectl_status_and_drain(tmp_path):
    def ctl(*arguments):
        done = subprocess.run([BUILD / "trunkscribectl", "-s", daemon.control, *arguments],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        control.add("c1")
        lines = dict(line.split(maxsplit=1) for line in ctl("status").splitlines()
                     if not line.startswith(("RTP", "up")))
        assert (lines["calls"], lines["draining"]) == ("1", "no")
        assert "1 of 50 pairs" in ctl("status") and "yes" in ctl("drain")
        assert json.loads(ctl("status", "--json")) == control.ask("status")["status"]
        assert json.loads(ctl("drain", "--cancel", "--json"))["draining"] is False
        control.add("c2")


def test_silence_ends_a_leg(tmp_path):
    """rtp { timeout }, also of one that was heard before."""
    with Daemon(tmp_path, media='timeout = "1s"') as daemon:
        control, sender = Control(daemon.control), bound()
        control.add("c1", codec="PCMU")
        _, to = control.add("c2", codec="PCMU")
        paced((sender, to, list(packets(speech(1400), 5))))
        daemon.until("call.end")
        daemon.until("call.end")
    ends = {e["call"]: e for e in daemon.of("leg.end")}
    assert [e["call"] for e in daemon.of("call.end")] == ["c1", "c2"]
    assert {e["reason"] for e in ends.values()} == {"timeout"}
    assert ends["c2"]["audio"]["samples"]["received"] == 11200


def test_no_port_left_is_said(tmp_path):
    with Daemon(tmp_path, ports=(24700, 24703)) as daemon:
        control = Control(daemon.control)
        legs = [control.add(f"c{n}")[0] for n in range(2)]
        full = control.ask("leg.add", call="c9")
        assert not full["ok"] and "no port is free (2 of 2" in full["error"]
        control.ask("leg.end", leg=legs[0])
        rests = control.ask("leg.add", call="c10")
        assert not rests["ok"] and "rest for 30 s" in rests["error"]


def at_port(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", port))
    return s


def free_range(n):
    """The first of n ports, even, all of them free."""
    while True:
        first = random.SystemRandom().randrange(10000, 22000, 2)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + n):
                stack.enter_context(at_port(port))
            return first


def test_ports_of_other_programs_are_said(tmp_path):
    """The pair beside them is found; with none left both ways say why."""
    first, port = free_range(6), free_port()
    sip = f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n'
    with at_port(first), at_port(first + 3), Daemon(tmp_path, sip, (first, first + 5)) as daemon:
        control = Control(daemon.control)
        assert control.add("c1")[1][1] == first + 4
        none = control.ask("leg.add", call="c2")
        assert not none["ok"] and "other ports" in none["error"] or "is free" in none["error"]
    with at_port(first + 1), Daemon(tmp_path, sip, (first, first + 1)) as daemon:
        call = Dialog(Client(("127.0.0.1", port)), sdp((4000, "PCMU")))
        assert call.ok.status == 503
        none = Control(daemon.control).ask("leg.add", call="c2")
        assert not none["ok"] and "rest for 30 s" in none["error"]
    assert "in use by other programs; choose other ports" in daemon.stderr


@pytest.mark.parametrize("line, word", [
    (b"nonsense", "JSON"), (b"[]", "JSON object"), (b"{}", "do: leg.add"),
    (b'{"do":"fly"}', '"fly"'), (b'{"do":"leg.add"}', "call must be given"),
    (b'{"do":"leg.add","call":"a b"}', "call must be given"),
    (b'{"do":"leg.add","call":"c","role":"king"}', "role"),
    (b'{"do":"leg.add","call":"c","codec":"G729"}', "PCMA"),
    (b'{"do":"leg.add","call":"c","codec":"L16"}', "payload_type"),
    (b'{"do":"leg.add","call":"c","remote":"localhost:1"}', "remote"),
    (b'{"do":"leg.end","leg":"c.1"}', "no leg c.1"),
    (b'{"do":"leg.add","call":"c","ids":{"a b":"c"}}', "ids"),
    (b'{"do":"status","do":"drain"}', "JSON"), (b'\xff{"do":"status"}', "JSON")])
def test_what_is_wrong_is_said_and_the_next_line_answered(line, word, tmp_path):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        answer = control.raw(line + b"\n")
        assert answer["ok"] is False and word in answer["error"], answer
        assert control.ask("status")["ok"]


def test_a_line_without_end_ends_the_connection(tmp_path):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        answer = control.raw(b'{"do":"' + b"x" * 70_000)
        assert "65536" in answer["error"] and control.file.readline() == b""
        assert Control(daemon.control).ask("status")["ok"]


@pytest.mark.parametrize("ports, words", [
    ("24000-27999", []), ("24000-24009", ["enough for 5 legs"]), ("33000-34999", ["overlap"]),
    ('24000-27999" address = "192.0.2.77', ["192.0.2.77 is no address of this machine"])])
def test_the_check_warns_of_ports(ports, words, tmp_path):
    file = tmp_path / "c.conf"
    file.write_text(f'rtp {{ ports = "{ports}" }}\n')
    done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        if f.read().split() == ["32768", "60999"]:
            assert bool(done.stderr) == bool(words)
            assert all(w in done.stderr for w in words), done.stderr


@pytest.mark.parametrize("key", ['ports = "9-9"', 'ports = "24000"', 'address = "0.0.0.0"',
                                 'address = "nohost"', 'ports = "24001-24002"'])
def test_a_wrong_section_is_refused(key, tmp_path):
    file = tmp_path / "c.conf"
    file.write_text(f"rtp {{ {key} }}\n")
    done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1 and "c.conf:1: rtp" in done.stderr and "write" in done.stderr
