"""A mirrored port shows packets twice: the audio is once, and they are no duplicates of RTP."""
import array
import re

import pytest

import replay
from network import Network
from oracle import g711
from oracle.pcapgen import Call, Capture, ethernet, ip_packets, udp
from service import Control, Daemon
from simulator import talk

MS = 1000


def speech(seed):
    return array.array("h", talk((1000, True), seed=seed))


def heard(pcm):
    return array.array("h", g711.decode("PCMU", bytes(g711.encode("PCMU", pcm))))


class Numbered(Capture):
    """Every datagram has an identification, as from any real host."""

    def udp(self, t_us, src, dst, payload, mtu=None, order=None):
        self.ident += 1
        for p in ip_packets(src, dst, 17, udp(src, dst, payload), mtu or 65000, self.ident):
            number = self.ident.to_bytes(2, "big")
            self.ip(t_us, rewritten(p, number=number))


def rewritten(packet, number=None, hops=0, drop_checksum=False):
    """The packet as another place of the network shows it."""
    p = bytearray(packet)
    if number:
        p[4:6] = number
    p[8] -= hops
    if drop_checksum and not p[6] & 0x1f | p[7]:
        p[26:28] = b"\0\0"
    p[10:12] = b"\0\0"
    total = sum(int.from_bytes(p[i:i + 2], "big") for i in range(0, 20, 2))
    total = (total & 0xffff) + (total >> 16)
    p[10:12] = (~(total + (total >> 16)) & 0xffff).to_bytes(2, "big")
    return bytes(p)


def made():
    """A call, its signalling in fragments: (what was said, its IP packets)."""
    capture = Numbered("raw")
    call = Call(capture)
    call.invite(0, mtu=400)
    call.answer(100 * MS)
    said = {}
    for n, who in enumerate(("caller", "agent")):
        pcm = speech(n + 1)
        said[who] = heard(pcm)
        capture.add(call.sender(who, 200 * MS + n * MS, ssrc=n + 1).speak(pcm).sent)
    call.bye(1400 * MS)
    return said, [(t, p) for t, p, _ in capture.frames]


OTHER_MACS = bytes.fromhex("02000000000402000000000308004500")[:14]
VLAN = [(0x8100, 100)]
# How a packet is shown the second time, and how much later [us]
MIRRORS = {
    "both directions of one port": (lambda p: ethernet(p), 5),
    "both sides of a VLAN": (lambda p: ethernet(p, VLAN), 30),
    "both sides of a router": (lambda p: OTHER_MACS + rewritten(p, hops=1), 800),
    "before the card's checksum": (lambda p: ethernet(rewritten(p, drop_checksum=True)), 20),
    "a VLAN, a router and 60 ms": (lambda p: ethernet(rewritten(p, hops=3), VLAN), 60 * MS),
}


def doubled(packets, again, later):
    frames = Capture()
    for t, p in packets:
        frames.ip(t, p)
        frames.frames.append((t + later, again(p), "ether"))
    return frames


def check(events, said):
    assert [e["type"] for e in events].count("call.start") == 1
    ends = [e for e in events if e["type"] == "leg.end"]
    assert sorted(e["role"] for e in ends) == sorted(said)
    for e in ends:
        assert e["rtp"]["packets"] == 50
        assert (e["rtp"]["duplicate"], e["rtp"]["lost"], e["rtp"]["reordered"]) == (0, 0, 0)
        assert e["audio"]["samples"]["received"] == 8000


@pytest.mark.parametrize("how", MIRRORS)
def test_in_a_file(tmp_path, how):
    said, packets = made()
    run = replay.replay(doubled(packets, *MIRRORS[how]).write(tmp_path / "twice.pcap"),
                        tmp_path / "run", "--log", "info")
    check(run.events, said)
    for leg in run.legs:
        assert run.wav(leg) == said[leg.role]
    told, = re.findall(r"(\d+) packets were there twice", run.stderr)
    assert int(told) == len(packets)


def test_live(tmp_path):
    said, packets = made()
    with Network() as net, \
            Daemon(tmp_path, f'capture {{ interface = "{net.near}" }}\n') as daemon:
        net.send(doubled(packets, *MIRRORS["both sides of a VLAN"]))
        daemon.until("call.end")
        status = Control(daemon.control).ask("status")["status"]["capture"]
    check([*daemon.of("call.start"), *daemon.of("leg.end")], said)
    assert status["copies"] == len(packets) and status["rtp"] == 100


def test_what_is_sent_twice_is_a_duplicate(tmp_path):
    """Two datagrams with one content: the sender's doing, or the network's on purpose."""
    said, packets = made()
    twice = Capture()
    for n, (t, p) in enumerate(packets):
        twice.ip(t, p)
        if p[9] == 17 and len(p) == 200:   # RTP
            twice.ip(t + 5, rewritten(p, number=(40000 + n).to_bytes(2, "big")))
    run = replay.replay(twice.write(tmp_path / "twice.pcap"), tmp_path / "run", "--log", "info")
    for leg in run.legs:
        assert leg.end["rtp"]["duplicate"] == 50 and run.wav(leg) == said[leg.role]
    assert "twice (mirrored)" not in run.stderr


def test_both_sides_of_a_nat(tmp_path):
    """Not the same packets any more: SDP and addresses were rewritten on the way, in a VLAN."""
    inside, outside = "10.0.0.1", "198.51.100.1"
    whole = Capture()
    said = {}
    for where, a, vlans in (("in", inside, VLAN), ("out", outside, [])):
        c = Capture(vlans=vlans)
        call = Call(c, a, "203.0.113.2", name="call", media_a=4000)
        call.start(0 if where == "in" else 3 * MS)
        for n, who in enumerate(("caller", "agent")):
            pcm = speech(n + 1)
            said[who] = heard(pcm)
            # outwards it is seen inside first, inwards outside
            first = (where == "in") == (who == "caller")
            sender = call.sender(who, 200 * MS + (0 if first else 400), ssrc=n + 1)
            c.add(sender.speak(pcm).sent)
        call.bye(1400 * MS + (0 if where == "in" else 3 * MS))
        whole.frames += c.frames
    run = replay.replay(whole.write(tmp_path / "nat.pcap"), tmp_path / "run")
    check(run.events, said)
    for leg in run.legs:
        assert run.wav(leg) == said[leg.role]
