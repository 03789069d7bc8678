"""FreeSWITCH's mod_oreka: what it prints is printed here, line by line, and its RTP is sent.

It is at one address of the loopback interface, the recorder at another: it sends from a port to the
same port.
"""
import itertools
import random
import socket
import subprocess
import uuid

import pytest

from service import packets, paced, speech
from serving import Service
from sessions import asr_config, key_file
from simulator import BUILD, Simulator
from test_rtpengine_forks_both_parties import heard

FREESWITCH, RECORDER, STRANGER = "127.0.0.5", "127.0.0.6", "127.0.0.7"
WAIT_S = 60
PORTS = itertools.count(random.randrange(11000, 15000) * 2, 2)


def free_sip_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((RECORDER, 0))
        return s.getsockname()[1]


def config(port, more="", extra=""):
    return (f'oreka {{ listen = {{"udp:{RECORDER}:{port}"}} permit = {{"{FREESWITCH}"}} '
            f'{more} }}\n{extra}')


class FreeSwitch:
    """A channel that is recorded, as switch_rtp and mod_oreka see it."""

    def __init__(self, sip_port, name=None, address=FREESWITCH, **headers):
        self.to, self.address = (RECORDER, sip_port), address
        self.uuid = name or str(uuid.uuid4())
        self.headers = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((address, 0))
        self.rtp = {}

    def message(self, method, stream, caller="+49301", name="Alice Doe", recorder=RECORDER):
        sdp = ""
        if method == "INVITE":
            port = self.rtp[stream].getsockname()[1]
            sdp = (f"v=0\r\no=freeswitch {self.uuid} 1 IN IP4 {self.address}\r\n"
                   f"c=IN IP4 {recorder}\r\ns=Phone Recording ({stream})\r\n"
                   "i=FreeSWITCH Oreka Recorder (pid=4711)\r\n"
                   f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n")
        head = (f"{method} sip:Bob Roe@{self.address}:5060 SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.address}:5061;branch=z9hG4bK-{self.uuid}\r\n"
                f"From: <sip:{caller}@{self.address}:5061;tag=1>\r\n"
                f"To: <sip:1002@{self.address}:5060>\r\nCall-ID: {self.uuid}\r\n"
                f"CSeq: 1 {method}\r\nContact: sip:freeswitch@{self.address}:5061\r\n"
                "Max-Forwards: 70\r\n"
                f"Subject: {'BEGIN' if sdp else 'END'} {stream} recording of {name}\r\n"
                + self.headers + ("Content-Type: application/sdp\r\n" if sdp else "")
                + f"Content-Length: {len(sdp)}\r\n")
        return f"{head}\r\n{sdp}\n".encode()

    def send(self, data):
        self.sip.sendto(data, self.to)

    def port(self, stream):
        """Taken at its own address; whatever is at the other."""
        while stream not in self.rtp:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                s.bind((self.address, next(PORTS)))
                self.rtp[stream] = s
            except OSError:
                s.close()
        return self.rtp[stream].getsockname()[1]

    def begin(self, stream, **more):
        self.port(stream)
        self.send(self.message("INVITE", stream, **more))

    def end(self, *streams):
        for stream in streams:
            self.send(self.message("BYE", stream))

    def stream(self, which, pcm, ssrc):
        return self.rtp[which], (RECORDER, self.port(which)), list(packets(pcm, ssrc))


def test_both_streams_are_heard(tmp_path):
    port = free_sip_port()
    said = [speech(1500, 1), speech(1500, 2)]
    with Simulator(tmp_path) as sim, Service(tmp_path, config(
            port, extra=asr_config(sim, key_file(tmp_path)))) as service:
        fs = FreeSwitch(port, X_customer="Customer 123", CallUniqueIdentifier="u1")
        fs.begin("RX")
        fs.begin("TX")
        fs.begin("RX")                                   # a datagram may come twice
        service.until("leg.start", 2)
        # nobody else is heard on these ports
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stranger.bind((STRANGER, 0))
        for packet in packets(speech(200, 9), 9):
            stranger.sendto(packet, (RECORDER, fs.port("RX")))
        paced(fs.stream("RX", said[0], 71), fs.stream("TX", said[1], 72))
        fs.end("RX")
        assert service.until("leg.end")["reason"] == "hangup"
        fs.end("TX", "RX")
        service.until("call.end")
        fs.begin("RX")                                   # oreka_record again
        service.until("call.start")
        fs.end("RX")
        service.until("call.end")
    service.valid()
    start, again = service.of("call.start")
    assert {k: start[k] for k in ("call", "source", "from", "to", "sip_call_id", "ids")} == {
        "call": fs.uuid, "source": "oreka", "from": "+49301", "to": "1002",
        "sip_call_id": fs.uuid, "ids": {"X-customer": "Customer 123", "CallUniqueIdentifier": "u1"}}
    assert again["call"].startswith(fs.uuid) and again["call"] != fs.uuid
    assert [(e["role"], e["role_source"], e["label"], e["codec"])
            for e in service.of("leg.start")][:2] == [
        ("caller", "channel", "RX", "PCMU"), ("agent", "channel", "TX", "PCMU")]
    for end in service.of("leg.end")[:2]:
        assert end["audio"]["samples"] == {"received": 12000, "sent": 12000, "lost": 0, "paused": 0}
    assert {sim.dump(line["connection"]) for line in sim.report} - {b""} == {
        heard(pcm, "PCMU") for pcm in said}
    assert "from nobody who has to do with it" in service.stderr


def test_one_stream_of_both(tmp_path):
    port = free_sip_port()
    with Service(tmp_path, config(port, "mixed = yes")) as service:
        fs = FreeSwitch(port)
        fs.begin("RX")
        assert service.until("leg.start")["role"] == "mixed"
        fs.end("RX")
        service.until("call.end")
    service.valid()


def test_an_agents_channel(tmp_path):
    port = free_sip_port()
    with Service(tmp_path, config(port, 'party = "agent"')) as service:
        fs = FreeSwitch(port)
        fs.begin("TX")
        assert service.until("leg.start")["role"] == "caller"
        fs.begin("RX")
        assert service.until("leg.start")["role"] == "agent"
        assert service.control().ask("hangup", call=fs.uuid)["ok"]
        assert service.until("call.end")["reason"] == "ctl"
    service.valid()


def test_a_port_that_is_taken_is_said(tmp_path):
    port = free_sip_port()
    fs = FreeSwitch(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((RECORDER, fs.port("RX")))
        with Service(tmp_path, config(port)) as service:
            fs.begin("RX")
            assert service.until("call.end")["reason"] == "error"
            fs.begin("TX")
            assert service.until("leg.start")["label"] == "TX"
            fs.end("TX")
            service.until("call.end")
    service.valid()
    assert f"{RECORDER}:{fs.port('RX')} is where FreeSWITCH will send, and is taken" \
        in service.stderr


def test_a_lost_goodbye(tmp_path):
    port = free_sip_port()
    with Service(tmp_path, config(port, extra='rtp { timeout = "1s" }\n')) as service:
        fs = FreeSwitch(port)
        fs.begin("RX")
        fs.begin("TX")
        assert service.until("call.end")["reason"] == "timeout"
    assert [e["reason"] for e in service.of("leg.end")] == ["timeout"] * 2
    service.valid()


def test_who_may_announce(tmp_path):
    port = free_sip_port()
    with Service(tmp_path, config(port, "max-calls = 1")) as service:
        good = FreeSwitch(port)
        good.begin("RX")
        service.until("leg.start")
        FreeSwitch(port, address=STRANGER).begin("RX")
        named = FreeSwitch(port)                         # from FreeSWITCH, for somebody else
        named.port("RX")
        named.send(named.message("INVITE", "RX").replace(
            b"1 IN IP4 " + FREESWITCH.encode(), b"1 IN IP4 " + STRANGER.encode()))
        named.send(named.message("INVITE", "RX", recorder="127.0.0.8"))
        thief = FreeSwitch(port, name=good.uuid, address=STRANGER)
        thief.end("RX")
        for junk in (b"", b"\0" * 100, b"INVITE sip:a@b SIP/2.0\r\n\r\n", b"x" * 9000,
                     good.message("INVITE", "RX").replace(b"BEGIN RX", b"BEGIN")):
            good.send(junk)
        FreeSwitch(port).begin("RX")                     # one too many
        good.begin("TX")
        service.until("leg.start")
        assert service.control().ask("drain")["ok"]
        good.end("RX", "TX")
        service.until("call.end")
        FreeSwitch(port).begin("RX")
        assert service.control().ask("drain", cancel=True)["ok"]
        good.begin("RX")
        service.until("call.start")
    service.valid()
    assert [e["call"][:36] for e in service.of("call.start")] == [good.uuid] * 2
    for words in (f"{STRANGER} is not in permit", f"{STRANGER} is named as the sender",
                  f"127.0.0.8:{named.port('RX')} is where FreeSWITCH will send, which is not",
                  "one call too many", "sends what mod_oreka never does"):
        assert words in service.stderr


@pytest.mark.parametrize("section, code, words", [
    ("oreka { }", 1, "an address of its own"),
    ('oreka { listen = {"tcp:192.0.2.1:5060"} }', 1, "oreka: listen"),
    ('oreka { listen = {"udp:127.0.0.6:5060"} }', 0, "where nothing else takes any"),
    ('oreka { listen = {"udp:127.0.0.1:5060"} }\nrtp { address = "127.0.0.1" }', 0,
     "is not its own"),
    ('oreka { listen = {"udp:0.0.0.0:5060"} }', 0, "is not its own")])
def test_the_check_says_what_it_needs(section, code, words, tmp_path):
    file = tmp_path / "c.conf"
    file.write_text(section + "\n")
    done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                          text=True, check=False, timeout=WAIT_S)
    assert done.returncode == code and words in done.stderr, done.stderr
