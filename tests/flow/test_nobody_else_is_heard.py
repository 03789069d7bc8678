"""Media ports under attack: not one foreign byte reaches an ASR, no call changes, nothing grows."""
import array
import os
import random
import struct
import time

import pytest

from oracle import g711
from service import Control, Daemon, bound, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp

BASE = random.SystemRandom().randrange(10000, 22000, 2)  # nobody else's, also not its own twin's
RTP = (BASE, BASE + 249)
CALLS = 50


def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


def sent(pcm, end):
    """What its ASR got of a leg: with the silence that kept the connection alive."""
    audio, out, at = heard(pcm), b"", 0
    for gap in end["asr"].get("inserted", ()):
        out += audio[2 * at:2 * gap["at_samples"]] + bytes(2 * gap["samples"])
        at = gap["at_samples"]
    return out + audio[2 * at:]


def until(what, seconds=60):
    """Poll; what it was last."""
    end = time.monotonic() + seconds
    while not (last := what()) and time.monotonic() < end:
        time.sleep(0.01)
    return last


class Counters:
    """rtp of the status."""

    def __init__(self, daemon):
        self.control = Control(daemon.control)

    def __call__(self, *names):
        rtp = self.control.ask("status")["status"]["rtp"]
        return sum(rtp[n] for n in names)


class Attacker:
    """Who knows everything but the sender's address; counts what went to ports that are open."""

    def __init__(self, host, seed):
        self.socket, self.rng, self.sent = bound(host), random.Random(seed), 0

    def datagram(self, ssrc, seq):
        rng = self.rng
        head = struct.pack(">BBHII", 0x80, 0, seq & 0xffff, seq * 160 & 0xffffffff, ssrc)
        return rng.choice([
            head, head + rng.randbytes(160), head + b"\0" * 160, rng.randbytes(172),
            struct.pack(">BBHI", 0x81, 203, 1, ssrc),              # RTCP: BYE
            struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, 1, 2, 3, 4),
            b"\0\1\0\0\x21\x12\xa4\x42" + rng.randbytes(12),        # STUN
            b"", b"\x80", head[:11], head + rng.randbytes(9000), b"OPTIONS sip:x SIP/2.0\r\n\r\n"])

    def spray(self, n, ports, ssrcs, seq):
        for _ in range(n):
            port = self.rng.randint(*RTP)
            self.socket.sendto(self.datagram(self.rng.choice(ssrcs), seq + 1), ("127.0.0.1", port))
            self.sent += port & ~1 in ports


def test_packets_over_the_whole_range_during_fifty_calls(tmp_path):
    """Half of the calls by SIP, half by the control socket; the SSRCs and numbers are guessed."""
    port = free_port()
    said = [speech(1000, seed=n) for n in range(CALLS)]
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))
                   + f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        count, client = Counters(daemon), Client(("127.0.0.1", port))
        control = Control(daemon.control)
        attackers = [Attacker("127.0.0.2", 1), Attacker("127.0.0.3", 2)]
        legs, dialogs, streams = [], [], []
        for n in range(CALLS):
            sender = bound()
            if n % 2:
                leg, to = control.add(f"c{n}", codec="PCMU",
                                      remote="127.0.0.1:%d" % sender.getsockname()[1])
                legs.append(leg)
            else:
                dialogs.append(Dialog(client, sdp((sender.getsockname()[1], "PCMU"))))
                (host, media, _), = dialogs[-1].ok.media()
                dialogs[-1].ack()
                to = (host, media)
            streams.append((sender, to, list(packets(said[n], 100 + n, seq=65530))))
        ports, ssrcs = {to[1] for _, to, _ in streams}, [100 + n for n in range(CALLS)]
        assert len(ports) == CALLS
        for a in attackers:  # before anybody else spoke
            a.spray(600, ports, ssrcs, 65529)
        began = time.monotonic()
        for n in range(50):
            time.sleep(max(0, began + n * 0.02 - time.monotonic()))
            for sender, to, data in streams:
                sender.sendto(data[n], to)
            for a in attackers:
                a.spray(60, ports, ssrcs, 65530 + n)
        shots = sum(a.sent for a in attackers)
        assert shots > 1500
        assert until(lambda: count("packets") == CALLS * 50)
        assert until(lambda: count("foreign", "odd") >= shots)
        assert count("foreign", "odd") == shots
        assert count("foreign") > count("odd")
        for leg in legs:
            assert control.ask("leg.end", leg=leg) == {"ok": True}
        for d in dialogs:
            d.bye()
        for _ in range(CALLS):
            daemon.until("call.end")
    daemon.valid()
    assert sorted(sim.dump(line["connection"]) for line in sim.report) == sorted(map(heard, said))
    told = [e["text"] for e in daemon.of("daemon.spoof")]
    assert told and len(told) == len({x.split(":")[0] for x in told}), "once a minute and leg"
    odd = [x for x in daemon.lines if b'"discontinuity"' in x or b'"gap"' in x
           or b'"leg.state"' in x and b'"asr_state"' not in x]
    assert not odd, odd[:3]
    for e in daemon.of("leg.end"):
        assert e["reason"] in ("bye", "command")
        rtp = e["rtp"]
        assert (rtp["packets"], rtp["lost"], rtp["late"], rtp["duplicate"]) == (50, 0, 0, 0)
    warned = [x for x in daemon.stderr.splitlines() if "nobody who has to do" in x]
    assert 0 < len(warned) <= 3 * CALLS, "as often as the clock lets it, not for each packet"


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.release  # memory means nothing under the sanitizers
def test_garbage_without_end(tmp_path):
    """10^5 datagrams to each of a leg's ports while it is heard; another leg beside it."""
    burst, rounds = 100, 1000
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)), RTP) as daemon:
        control, count = Control(daemon.control), Counters(daemon)
        said = [speech(4000, seed=n) for n in range(2)]
        streams, legs = [], []
        for n in range(2):
            sender = bound()
            leg, to = control.add(f"c{n}", codec="PCMU",
                                  remote="127.0.0.1:%d" % sender.getsockname()[1])
            legs.append(leg)
            streams.append((sender, to, list(packets(said[n], 100 + n))))
        rng, (host, flooded) = random.Random(4), streams[0][1]
        other, same = bound("127.0.0.2"), bound("127.0.0.1")
        garbage = [rng.randbytes(rng.randrange(0, 400)) for _ in range(burst)]
        # from the right host: nothing that could be RTP
        almost = [bytes([x[0] & 0x3f]) + x[1:] if x else x for x in garbage]
        began, at, before, most = time.monotonic(), 0, None, 0
        for n in range(rounds):
            while at < 200 and time.monotonic() >= began + at * 0.02:
                for sender, to, data in streams:
                    sender.sendto(data[at], to)
                at += 1
            for port in (flooded, flooded + 1):
                sock, data = (same, almost) if n % 10 == 9 else (other, garbage)
                for x in data:
                    sock.sendto(x, (host, port))
            want = 2 * burst * (n + 1)
            # no faster than it reads: what the kernel drops is nobody's merit
            assert until(lambda: count("foreign", "odd") >= want), n  # noqa: B023
            if n == rounds // 20:
                before = resident(daemon.process.pid)
            most = max(most, count("packets"))
        for n in range(at, 200):
            time.sleep(max(0, began + n * 0.02 - time.monotonic()))
            for sender, to, data in streams:
                sender.sendto(data[n], to)
        assert until(lambda: count("packets") == 400)
        grown = resident(daemon.process.pid) / before
        for leg in legs:
            control.ask("leg.end", leg=leg)
            daemon.until("call.end")
    assert most > 10, "it was heard meanwhile"
    assert grown < 1.1, grown
    ends = {e["call"]: e for e in daemon.of("leg.end")}
    assert {sim.dump(x["connection"]) for x in sim.report} == {
        sent(said[n], ends[f"c{n}"]) for n in range(2)}
    for e in ends.values():
        assert (e["rtp"]["packets"], e["rtp"]["lost"]) == (200, 0)
    assert len(daemon.stderr.splitlines()) < 200


HOSTILE = 20000


def wild(kind):
    """Packets of the right sender and SSRC whose numbers are none."""
    rng, seq, ts = random.Random(6), 1, 1
    for n in range(HOSTILE):
        ssrc = 7
        if kind == "usual":
            seq, ts = seq + 1, ts + 160
        elif kind == "timestamps":
            seq, ts = seq + 1, rng.getrandbits(32)
        elif kind == "numbers":
            seq, ts = rng.getrandbits(16), ts + 160
        elif kind == "both":
            seq, ts = rng.getrandbits(16), rng.getrandbits(32)
        elif kind == "a second ahead each time":
            seq, ts = seq + 1, ts + 8000
        elif kind == "half the numbers away each time":
            seq, ts = seq + 32767, ts + 0x7fffffff
        elif kind == "SSRCs":
            seq, ts, ssrc = seq + 1, ts + 160, 7 + n // 2 % 50
        yield struct.pack(">BBHII", 0x80, 0, seq & 0xffff, ts & 0xffffffff, ssrc) + b"\xd5" * 160


@pytest.mark.release
def test_wild_timestamps_cost_nothing(tmp_path):
    """CPU and memory as of a usual leg that is sent as much."""
    used, grown = {}, {}
    with Daemon(tmp_path, "", RTP) as daemon:
        control, count, pid = Control(daemon.control), Counters(daemon), daemon.process.pid
        for turn, kind in enumerate([
                "usual", "timestamps", "numbers", "both", "a second ahead each time",
                "half the numbers away each time", "SSRCs"]):
            sender, all_of_them = bound(), list(wild(kind))
            leg, to = control.add(f"c{turn}", codec="PCMU",
                                  remote="127.0.0.1:%d" % sender.getsockname()[1])
            done = count("packets", "foreign", "odd")
            sender.sendto(all_of_them[0], to)
            began, size = cpu_s(pid), resident(pid)
            for n in range(0, HOSTILE, 100):
                for x in all_of_them[n + (n == 0):n + 100]:
                    sender.sendto(x, to)
                # held ones are counted when it is known whose they are
                assert until(lambda: count("packets", "foreign", "odd")  # noqa: B023
                             >= done + n + 95 - n // 8), (kind, n)  # noqa: B023
            used[kind], grown[kind] = cpu_s(pid) - began, resident(pid) / size
            control.ask("leg.end", leg=leg)
            daemon.until("call.end")
    usual = used.pop("usual")
    assert all(x < 3 * usual + 0.3 for x in used.values()), (usual, used)
    assert all(x < 1.1 for x in grown.values()), grown
    daemon.valid()
