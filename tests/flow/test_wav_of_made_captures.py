"""The same comparison over networks made to order: loss, reorder, jumps, noise, digits, forks.

Every row says by hand which legs there must be, how long each is and what was heard of it; the
samples are compared with the independent decoder's.
"""
import array
import random
from collections import namedtuple

import pytest

from oracle import packets, timeline
from oracle.pcapgen import Call, Capture, Out, Sender, network, rtp_packet
from replay import differs, replay

MS = 8                # samples
A, B = "10.0.0.1:4000", "10.0.0.2:5000"

# One leg by hand: where it goes, length and received [samples], what else must be told of it.
Want = namedtuple("Want", "role src dst length received lost breaks", defaults=(0, []))


def noise_codes(ms, seed=1):
    """Every code of the law, in no order."""
    rng = random.Random(seed)
    return bytes(rng.randrange(256) for _ in range(ms * MS))


def one_call(build):
    """A call whose caller sends what `build` makes of a sender: (packets that arrive, Want)."""
    def make(c):
        call = Call(c).start()
        s = call.sender("caller", 200_000)
        arrive, want = build(s)
        c.add(arrive)
        call.bye(max(p.t_us for p in arrive) + 20_000)
        return [Want("caller", A, B, *want)]
    return make


def ptime(ms, length=2000, codec="PCMU", pt=0):
    def build(s):
        s.ptime, s.codec, s.pt = ms, codec, pt
        s.codes(noise_codes(length))
        return s.sent, (length * MS, length * MS)
    return one_call(build)


def swapped(s):
    """Neighbours swapped, the very first pair, too; one 40 ms late."""
    s.codes(noise_codes(2000))
    late = {0: 25_000, 20: 25_000, 50: 45_000}
    return network(s.sent, late=late), (16000, 16000)


def too_late(s):
    """Two come 90 ms late: their turn was over."""
    s.codes(noise_codes(2000))
    return network(s.sent, late={30: 90_000, 60: 90_000}), (16000, 16000 - 320, 0)


def losses(s):
    """1, 3 and 4 packets in a row: 20 and 60 ms are concealed, 80 ms are silence."""
    s.codes(noise_codes(2000))
    return network(s.sent, drop={10, 20, 21, 22, 30, 31, 32, 33}), (16000, 16000 - 8 * 160, 8)


def twice(s):
    s.codes(noise_codes(1000))
    return network(s.sent, twice=set(range(5, 30))), (8000, 8000)


def shaken(s):
    """10 % loss, 3 % twice, 50 ms of jitter: reorder without end."""
    rng = random.Random(7)
    s.codes(noise_codes(20000))
    n = range(1, len(s.sent) - 1)
    return network(s.sent, drop={i for i in n if rng.random() < .1},
                   twice={i for i in n if rng.random() < .03}, jitter_us=50_000), (None, None)


def dtx(s):
    """Silence without packets, no number missing: 1 s, 20 s."""
    s.codes(noise_codes(500)).pause(1000).codes(noise_codes(500)).pause(20000)
    s.codes(noise_codes(500))
    return s.sent, (22500 * MS, 1500 * MS)


def comfort_noise(s):
    """PT 13 each 200 ms within a pause, and one at the very end: time goes on up to it."""
    s.codes(noise_codes(500))
    for _ in range(5):
        s.noise().pause(180)
    s.codes(noise_codes(500)).pause(300).noise()
    return s.sent, (2300 * MS, 1000 * MS)


def old_comfort_noise(s):
    s.codes(noise_codes(500)).noise(pt=19).pause(480).codes(noise_codes(500))
    return s.sent, (1500 * MS, 1000 * MS)


def digits(s):
    s.codes(noise_codes(500)).event(5).codes(noise_codes(500)).event(11, 200)
    s.codes(noise_codes(500))
    return s.sent, (1800 * MS, 1500 * MS)


def digit_with_losses(s):
    """Event packets are lost: nothing to conceal but the packets' place is unknown."""
    s.codes(noise_codes(500)).event(5).codes(noise_codes(500))
    return network(s.sent, drop={26, 27}), (1100 * MS, 1000 * MS, 2)


def wraps(s):
    """Sequence and timestamp both wrap."""
    s.seq, s.ts = 65535 - 20, 2 ** 32 - 3000
    s.codes(noise_codes(1000))
    return network(s.sent, drop={21}, late={30: 25_000}), (8000, 8000 - 160, 1)


def hold(s):
    """Hold as baresip does it: no packets for 6 s, the timestamp goes on."""
    s.codes(noise_codes(1000)).pause(6000).codes(noise_codes(1000))
    return s.sent, (8000 * MS, 2000 * MS)


def standing_clock(s):
    """No packets for 6 s and the timestamp stands still: no step, so no hole."""
    s.codes(noise_codes(1000)).stop(6000).codes(noise_codes(1000))
    return s.sent, (2000 * MS, 2000 * MS)


def jump_ahead(s):
    """The timestamp leaps 100 s although no time passed: not believed."""
    s.codes(noise_codes(1000))
    s.ts += 800_000
    s.codes(noise_codes(1000))
    return s.sent, (2000 * MS, 2000 * MS, 0, [(1000, "timestamp")])


def jump_back(s):
    s.codes(noise_codes(1000))
    s.ts -= 80_000
    s.codes(noise_codes(1000))
    return s.sent, (2000 * MS, 2000 * MS, 0, [(1000, "timestamp")])


def jump_with_a_pause(s):
    """5 s pass and the timestamp restarts anywhere: the arrival clock says where it goes on."""
    s.codes(noise_codes(1000)).stop(5000)
    s.ts = 99
    s.codes(noise_codes(1000))
    return s.sent, (7000 * MS, 2000 * MS, 0, [(6000, "timestamp")])


def jump_after_a_little_wait(s):
    """The same 40 ms late (within the window: no hole), then 100 ms late (one of 100 ms)."""
    s.codes(noise_codes(1000)).stop(40)
    s.ts += 800_000
    s.codes(noise_codes(2000)).stop(100)
    s.ts += 800_000
    s.codes(noise_codes(1000))
    return s.sent, (4100 * MS, 4000 * MS, 0, [(1000, "timestamp"), (3100, "timestamp")])


def new_ssrc(s):
    """A re-INVITE's new source after 2 s of nothing: the leg goes on."""
    s.codes(noise_codes(1000)).stop(2000)
    t = Sender(s.src, s.dst, s.t_us, ssrc=0x2000, seq=7, ts=77)
    t.codes(noise_codes(1000, 2))
    return s.sent + t.sent, (4000 * MS, 2000 * MS, 0, [(3000, "ssrc")])


def new_ssrc_at_once(s):
    s.codes(noise_codes(1000))
    t = Sender(s.src, s.dst, s.t_us, ssrc=0x2000, seq=7, ts=77)
    t.codes(noise_codes(1000, 2))
    return s.sent + t.sent, (2000 * MS, 2000 * MS, 0, [(1000, "ssrc")])


def strange_ssrc(s):
    """One packet of another source in the middle of it: nobody's."""
    s.codes(noise_codes(1000))
    stray = Sender(s.src, s.dst, s.t_us - 510_000, ssrc=0xbad, seq=1, ts=1)
    stray.codes(noise_codes(20, 3))
    return s.sent + stray.sent, (8000, 8000)


def strange_digits(s):
    """sipp's way: digits with a source of their own, while the audio pauses."""
    s.codes(noise_codes(500)).pause(500)
    t = Sender(s.src, s.dst, s.t_us - 450_000, ssrc=0xd161, seq=7, ts=77)
    t.event(1).event(2)
    s.codes(noise_codes(500))
    return s.sent + t.sent, (1500 * MS, 1000 * MS)


def both_laws(s):
    """PT 0 -> 8 -> 0 within one stream."""
    s.codes(noise_codes(500))
    s.pt = 8
    s.codes(noise_codes(500, 2))
    s.pt = 0
    s.codes(noise_codes(1000, 3))
    s.pt = 8
    s.codes(noise_codes(500, 4))
    # told of at most once a second
    return s.sent, (2500 * MS, 2500 * MS, 0, [(500, "codec"), (2000, "codec")])


def ptime_changes(s):
    for ms in (20, 10, 60, 30, 40, 20):
        s.ptime = ms
        s.codes(noise_codes(600, ms))
    return network(s.sent, drop={3}), (3600 * MS, 3580 * MS, 1)


def header_extras(s):
    """CSRC, extension, padding, marker: none of it is audio."""
    s.ptime = 20
    s.codes(noise_codes(200), marker=True).codes(noise_codes(200), csrc=(1, 2, 3))
    s.codes(noise_codes(200), extension=b"12345678").codes(noise_codes(200), pad=7)
    s.codes(noise_codes(200), csrc=(9,), extension=b"", pad=255)
    return s.sent, (8000, 8000)


def rtcp_between(s):
    """RTCP on RTP's port (RFC 5761): sender reports, BYE, an application's."""
    s.codes(noise_codes(1000))
    more = []
    for i, pt in enumerate((200, 201, 202, 203, 204)):
        body = bytes([0x80, pt, 0, 6]) + bytes(24)
        more.append(Out(300_000 + 100_000 * i, s.src, s.dst, body))
    return s.sent + more, (8000, 8000)


def rubbish_between(s):
    """Empty and short datagrams, STUN, version 0, DTLS."""
    s.codes(noise_codes(1000))
    more = [Out(300_000 + 50_000 * i, s.src, s.dst, data) for i, data in enumerate(
        (b"", b"\0", bytes(20), b"\x80\0\0", b"\x80" * 11, bytes([0, 1, 0, 0, 33, 18, 164, 66]),
         b"\x16\xfe\xfd" + bytes(30), b"\x40" * 60))]
    return s.sent + more, (8000, 8000)


def l16(c):
    """Linear audio at 8 kHz, as a PBX on the same machine sends it."""
    call = Call(c, formats=(96, 101)).start()
    s = call.sender("caller", 200_000, pt=96, codec="L16")
    rng = random.Random(5)
    s.speak([rng.randrange(-32768, 32768) for _ in range(8000)])
    c.add(network(s.sent, drop={9}))
    call.bye(s.t_us + 20_000)
    return [Want("caller", A, B, 8000, 8000 - 160, 1)]


def both_ways(c):
    call = Call(c).start()
    a, b = call.sender("caller", 200_000), call.sender("agent", 300_000, ssrc=0x1000)
    a.codes(noise_codes(3000))
    b.codes(noise_codes(2000, 2))
    c.add(network(a.sent, drop={5}) + network(b.sent, late={9: 25_000}))
    call.bye(a.t_us + 20_000, "agent")
    return [Want("caller", A, B, 24000, 24000 - 160, 1), Want("agent", B, A, 16000, 16000)]


def asked_again(c):
    """401, then the INVITE with an answer to it: one call."""
    call = Call(c)
    call.invite(0)
    call.send(10_000, "agent", call.status(401))
    call.send(12_000, "caller", call.request("ACK"))
    call.start(20_000)
    s = call.sender("caller", 200_000).codes(noise_codes(1000))
    c.add(s.sent)
    call.bye(s.t_us + 20_000)
    return [Want("caller", A, B, 8000, 8000)]


def two_hops(c):
    """The capture sees both sides of a proxy: each message twice, the media once."""
    first = Call(c, a="10.0.0.1", b="10.0.0.9", sip_b=5070)
    second = Call(c, a="10.0.0.9", b="10.0.0.2", sip_a=5070)
    for call in (first, second):
        call.ip = {"caller": "10.0.0.1", "agent": "10.0.0.2"}   # the SDP goes through
        call.media = {"caller": A, "agent": B}
    first.invite(0)
    second.invite(2_000)
    for call, t_us in ((second, 100_000), (first, 102_000)):
        call.answer(t_us)
    s = first.sender("caller", 200_000).codes(noise_codes(1000))
    t = first.sender("agent", 200_000).codes(noise_codes(1000, 2))
    c.add(s.sent + t.sent)
    first.bye(s.t_us + 20_000)
    second.bye(s.t_us + 22_000)
    return [Want("caller", A, B, 8000, 8000), Want("agent", B, A, 8000, 8000)]


def early_media(c):
    """The ringing tone comes before the 200 says from where."""
    call = Call(c)
    call.invite(0)
    s = call.sender("agent", 50_000).codes(noise_codes(2000))
    c.add(s.sent)
    call.answer(1_000_000)
    call.bye(s.t_us + 20_000)
    return [Want("agent", B, A, 16000, 16000)]


def hold_and_back(c):
    """re-INVITEs: sendonly, then sendrecv; the media pauses meanwhile."""
    call = Call(c).start()
    s = call.sender("caller", 200_000).codes(noise_codes(1000))
    t = call.sender("agent", 200_000).codes(noise_codes(1000, 2))
    for at, way, back in ((1_300_000, "sendonly", "recvonly"), (4_000_000, "sendrecv", None)):
        call.send(at, "caller", call.request("INVITE", body=call.sdp("caller", way)))
        call.send(at + 5_000, "agent", call.status(200, body=call.sdp("agent", back or way)))
        call.send(at + 6_000, "caller", call.request("ACK"))
    s.pause(3000).codes(noise_codes(1000))
    t.pause(3000).codes(noise_codes(1000))
    c.add(s.sent + t.sent)
    call.bye(s.t_us + 20_000)
    return [Want("caller", A, B, 5000 * MS, 2000 * MS), Want("agent", B, A, 5000 * MS, 2000 * MS)]


def nobody_announced(c):
    """Bare RTP both ways: one call, no roles; the four packets that made it are heard."""
    s = Sender(A, B, 0).codes(noise_codes(1000))
    t = Sender(B, A, 500_000, ssrc=9).codes(noise_codes(1000, 2))
    c.add(s.sent + t.sent)
    return [Want("unknown", A, B, 8000, 8000), Want("unknown", B, A, 8000, 8000)]


def icmp(c):
    """Somebody's ICMP quotes RTP of the call and of a call nobody has."""
    legs = both_ways(c)
    s = Sender("10.7.0.1:4000", "10.7.0.2:5000", 0, ssrc=7).codes(noise_codes(500))
    for p in s.sent:
        c.icmp_quotes(p.t_us, p.src, p.dst, p.data)
    for i in range(20):
        c.icmp_quotes(300_000 + i, A, B, rtp_packet(0, 2000 + i, i * 160, 0x1000, bytes(160)))
    return legs


def fragments(c):
    """INVITE and media in IP fragments, in order and out of it."""
    call = Call(c)
    call.send(0, "caller", call.request("INVITE", to_tag=False, body=call.sdp("caller"),
                                        more=("X-Long: " + "x" * 2000,)), mtu=576)
    call.answer(100_000)
    s = call.sender("caller", 200_000, ptime=60).codes(noise_codes(1200))
    for i, p in enumerate(s.sent):   # 492 bytes of UDP: 4 fragments of 176, 176, 176 ...
        c.udp(p.t_us, p.src, p.dst, p.data, mtu=200, order=[2, 0, 1] if i % 2 else None)
    call.bye(s.t_us + 20_000)
    return [Want("caller", A, B, 1200 * MS, 1200 * MS)]


def ipv6_fragments(c):
    call = Call(c, a="[fd00::1]", b="[fd00::2]")
    call.send(0, "caller", call.request("INVITE", to_tag=False, body=call.sdp("caller"),
                                        more=("X-Long: " + "x" * 2000,)), mtu=1280)
    call.answer(100_000)
    s = call.sender("caller", 200_000).codes(noise_codes(1000))
    for i, p in enumerate(s.sent):
        c.udp(p.t_us, p.src, p.dst, p.data, mtu=128 if i % 3 == 0 else None,
              order=[1, 0, 2] if i % 2 and i % 3 == 0 else None)
    call.bye(s.t_us + 20_000)
    return [Want("caller", "[fd00::1]:4000", "[fd00::2]:5000", 8000, 8000)]


def twenty_calls(c):
    """sipp's way: 20 at once, one SSRC and one destination port for all of them."""
    wants, everything = [], []
    for i in range(20):
        call = Call(c, a="10.0.0.1", b="10.0.0.2", name=f"n{i}", media_a=4000 + 2 * i,
                    media_b=5000, sip_a=6000 + i)
        call.start(i * 7_000)
        s = call.sender("caller", 300_000 + i * 3_000, ssrc=0xca11)
        s.codes(noise_codes(1000 + 20 * i, i))
        everything += network(s.sent, drop={i})
        call.bye(s.t_us + 20_000)
        n = (1000 + 20 * i) * MS
        # the first packet of call 0 is lost: its leg begins with the second
        wants.append(Want("caller", f"10.0.0.1:{4000 + 2 * i}", B,
                          *((n - 160, n - 160) if i == 0 else (n, n - 160, 1))))
    c.add(everything)
    return wants


def other_codec_between(s):
    """G.729 (PT 18) is offered and used for a second: no audio of ours, time goes on."""
    s.codes(noise_codes(500))
    for _ in range(50):
        s.t_us += 20_000
        s.packet(bytes(20), pt=18)
        s.ts += 160
    s.codes(noise_codes(500))
    return s.sent, (2000 * MS, 1000 * MS)


MADE = {
    **{f"ptime {ms}": ptime(ms) for ms in (10, 20, 30, 40, 50, 60)},
    "A-law ptime 20": ptime(20, codec="PCMA", pt=8),
    **{f.__name__.replace("_", " "): one_call(f) for f in (
        swapped, too_late, losses, twice, shaken, dtx, comfort_noise, old_comfort_noise, digits,
        digit_with_losses, wraps, hold, standing_clock, jump_ahead, jump_back, jump_with_a_pause,
        jump_after_a_little_wait, new_ssrc, new_ssrc_at_once, strange_ssrc, strange_digits,
        both_laws, ptime_changes,
        header_extras, rtcp_between, rubbish_between, other_codec_between)},
    **{f.__name__.replace("_", " "): f for f in (
        l16, both_ways, asked_again, two_hops, early_media, hold_and_back, nobody_announced,
        icmp, fragments, ipv6_fragments, twenty_calls)},
}
CALLS_IN = {"twenty calls": 20}


@pytest.mark.parametrize("name", MADE)
def test_a_made_capture_is_heard_to_the_sample(name, tmp_path):
    c = Capture()
    wants = MADE[name](c)
    path = c.write(tmp_path / "made.pcap")
    run = replay(path, tmp_path, "--asr", "none")
    legs = {(leg.src, leg.dst): leg for leg in run.legs}
    assert sorted((leg.src, leg.dst) for leg in run.legs) == \
        sorted((w.src, w.dst) for w in wants)
    assert len(run.calls) == CALLS_IN.get(name, 1)
    for w in wants:
        leg = legs[w.src, w.dst]
        want = timeline.decode(packets.flow(path, w.src, w.dst), {96: "L16", 101: "EVENT"})
        assert leg.role == w.role
        if w.length is not None:     # by hand; the oracle must know it, too
            assert (len(want.pcm), want.received, want.lost) == (w.length, w.received, w.lost)
            assert [(b.at // MS, b.kind) for b in want.breaks] == w.breaks
        assert differs(run.wav(leg), want.pcm, want.concealed) is None
        assert leg.samples["received"] == want.received
        rtp = leg.end["rtp"]
        assert (rtp["lost"], rtp["late"], rtp["duplicate"]) == \
            (want.lost, want.late, want.duplicate)
        told = [tuple(s) for e in leg.all("gap", cause="rtp_loss")
                for s in e.get("spans", [[e["start_ms"], e["end_ms"]]])]
        assert told == [(s.start // MS, -(-s.end // MS)) for s in want.loss]
        assert [(e["at_ms"], e["kind"]) for e in leg.all("discontinuity")] == \
            [(b.at // MS, b.kind) for b in want.breaks]


@pytest.mark.parametrize("numbers, heard", [
    ((1, 2, 3, 4), 640), ((65534, 65535, 0, 1), 640), ((1, 2, 3), 0), ((1, 2, 3, 5), 0),
    ((1, 2, 3, 5, 6, 7), 0), ((1, 2, 3, 5, 6, 7, 8), 640), ((1, 2, 2, 3, 4), 640),
    ((1, 3, 5, 7, 9, 11), 0)])
def test_four_packets_in_order_make_a_call(numbers, heard, tmp_path):
    """... of nobody's announcing; those four are heard."""
    c = Capture()
    for i, number in enumerate(numbers):
        c.udp(i * 20_000, A, B, rtp_packet(0, number, (number - numbers[0]) % 65536 * 160, 5,
                                           noise_codes(20, number)))
    run = replay(c.write(tmp_path / "made.pcap"), tmp_path, "--asr", "none")
    assert sum(leg.samples["received"] for leg in run.legs) == heard
    assert len(run.calls) == len(run.legs) == (1 if heard else 0)


@pytest.mark.parametrize("pt", [3, 9, 13, 18, 34, 96, 101])
def test_other_payload_types_make_no_call(pt, tmp_path):
    c = Capture()
    c.add(Sender(A, B, 0, pt=pt).codes(noise_codes(1000)).sent)
    run = replay(c.write(tmp_path / "made.pcap"), tmp_path, "--asr", "none")
    assert run.events == []


class TcpCall(Call):
    """SIP over TCP: `cut` bytes a segment, and what a network does to those."""

    def __init__(self, capture, cut, trouble=None):
        super().__init__(capture)
        self.cut, self.trouble = cut, trouble
        self.next = {"caller": 0xfffffe00, "agent": 77}   # the caller's numbers wrap
        for who, ack in (("caller", 0), ("agent", 1)):
            a, b = self.ends(who)
            capture.tcp(0, a, b, self.next[who] - 1, self.next["caller"] if ack else 0,
                        0x12 if ack else 2)

    def ends(self, who):
        other = "agent" if who == "caller" else "caller"
        return self.sip[who], self.sip[other]

    def send(self, t_us, who, data, **how):
        a, b = self.ends(who)
        pieces = [(self.next[who] + at, data[at:at + self.cut])
                  for at in range(0, len(data), self.cut)]
        self.next[who] += len(data)
        if self.trouble == "backwards":
            pieces.reverse()
        elif self.trouble == "twice":
            pieces += pieces
        elif self.trouble == "overlapping":
            pieces = [(seq - min(9, at * self.cut), data[max(0, at * self.cut - 9):
                                                         (at + 1) * self.cut])
                      for at, (seq, _) in enumerate(pieces)]
        for seq, piece in pieces:
            self.capture.tcp(t_us, a, b, seq, 0, 0x18, piece)


def spoken(call, c):
    call.start(1000)
    s = call.sender("caller", 200_000).codes(noise_codes(1000))
    t = call.sender("agent", 200_000, ssrc=9).codes(noise_codes(1000, 2))
    c.add(s.sent + t.sent)
    call.bye(s.t_us + 20_000)


@pytest.mark.parametrize("cut, trouble", [
    (4000, None), (100, None), (7, None), (1, None), (100, "backwards"), (100, "twice"),
    (100, "overlapping")])
def test_sip_over_tcp_is_sip(cut, trouble, tmp_path):
    """The same lines as over UDP, however the messages were cut."""
    c = Capture()
    spoken(Call(c), c)
    over_udp = replay(c.write(tmp_path / "udp.pcap"), tmp_path / "udp", "--asr", "none")
    assert [leg.role for leg in over_udp.legs] == ["caller", "agent"]
    c = Capture()
    spoken(TcpCall(c, cut, trouble), c)
    path = c.write(tmp_path / "tcp.pcap")
    if trouble != "backwards" and cut == 4000:
        assert packets.tshark(path, "-Y", "sip", "-T", "fields", "-e", "sip.Method",
                              "-e", "sip.Status-Code").split() == \
            ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert replay(path, tmp_path / "tcp", "--asr", "none").text == over_udp.text


@pytest.mark.parametrize("announced", [True, False])
def test_two_live_sources_are_two_legs(announced, tmp_path):
    c = Capture()
    if announced:
        call = Call(c).start()
    first = Sender(A, B, 200_000, ssrc=1).codes(noise_codes(1000))
    second = Sender(A, B, 507_000, ssrc=2, seq=9, ts=99).codes(noise_codes(1000, 2))
    c.add(first.sent + second.sent)
    if announced:
        call.bye(1_700_000)
    path = c.write(tmp_path / "made.pcap")
    run = replay(path, tmp_path, "--asr", "none")
    assert len(run.calls) == 1
    assert [leg.start["rtp"]["ssrc"] for leg in run.legs] == [1, 2]
    arrived = packets.flow(path, A, B)
    for leg in run.legs:
        want = timeline.decode([p for p in arrived if p.ssrc == leg.start["rtp"]["ssrc"]])
        assert differs(run.wav(leg), want.pcm) is None
        assert leg.samples["received"] == 8000
        assert leg.all("discontinuity") == []


def zrtp(kind, ssrc, body=b""):
    """RFC 6189 5: preamble, cookie, SSRC, the message, a checksum nobody looks at."""
    message = b"\x50\x5a" + (3 + len(body) // 4).to_bytes(2, "big") + kind + body
    return b"\x10\0\0\1ZRTP" + ssrc.to_bytes(4, "big") + message + bytes(4)


def test_a_zrtp_commit_ends_the_hearing(tmp_path):
    """Hello and HelloACK are only talk about it; behind a Commit, of either side, nothing is
    audio."""
    c = Capture()
    call = Call(c).start()
    s, t = call.sender("caller", 200_000), call.sender("agent", 210_000, ssrc=7)
    s.codes(noise_codes(1000))
    t.codes(noise_codes(1000, 2))
    c.add(s.sent + t.sent)
    for t_us, kind in ((300_000, b"Hello   "), (320_000, b"HelloACK"), (705_000, b"Commit  "),
                       (725_000, b"DHPart1 ")):
        c.udp(t_us, A, B, zrtp(kind, 0x1000, bytes(64)))
    call.bye(1_400_000)
    path = c.write(tmp_path / "made.pcap")
    run = replay(path, tmp_path, "--asr", "none")
    assert len(run.legs) == 2
    for leg in run.legs:
        state, = leg.all("leg.state")
        assert state["reason"] == "encrypted"
        want = timeline.decode([p for p in packets.flow(path, leg.src, leg.dst)
                                if p.t_us < 1_700_000_000_000_000 + 705_000])
        assert want.received in (24 * 160, 25 * 160)
        assert differs(run.wav(leg), want.pcm) is None


def test_concealment_fills_what_was_lost(tmp_path):
    """A steady vowel with holes of 20-60 ms: what is put in is loud, and not a repeated click."""
    c = Capture()
    call = Call(c).start()
    s = call.sender("caller", 200_000)
    tone = array.array("h", [6000 if i % 40 < 20 else -6000 for i in range(16000)])
    s.speak(tone)
    c.add(network(s.sent, drop={20, 40, 41, 60, 61, 62, 80, 81, 82, 83}))
    call.bye(s.t_us + 20_000)
    path = c.write(tmp_path / "made.pcap")
    run = replay(path, tmp_path, "--asr", "none")
    pcm = run.wav(run.legs[0])
    for first, packets_lost in ((20, 1), (40, 2), (60, 3)):
        span = pcm[first * 160:(first + packets_lost) * 160]
        assert sum(map(abs, span[:80])) / 80 > 2000
        assert max(map(abs, span)) < 9000
    assert set(pcm[80 * 160:84 * 160]) == {0}
    assert run.legs[0].end["audio"]["concealed_ms"] == 120


DRESSES = [("pcap", False, False, "ether", ()), ("pcap", True, False, "ether", ()),
           ("pcap", False, True, "ether", ()), ("pcap", True, True, "ether", ()),
           ("pcapng", False, False, "ether", ()), ("pcapng", True, False, "ether", ()),
           ("pcapng", False, True, "ether", ()),
           ("pcap", False, False, "ether", ((0x8100, 7),)),
           ("pcap", False, False, "ether", ((0x88a8, 7), (0x8100, 9))),
           ("pcap", False, False, "ether", ((0x9100, 7), (0x8100, 9))),
           ("pcap", False, False, "sll", ()), ("pcap", False, False, "sll2", ()),
           ("pcap", False, False, "raw", ()), ("pcap", False, False, "null", ()),
           ("pcap", False, False, "loop", ())]


def dressed(path, form, big_endian, nano, link, vlans, ip6=False):
    c = Capture(link, vlans)
    hosts = {"a": "[fd00::1]", "b": "[fd00::2]"} if ip6 else {}
    call = Call(c, **hosts).start()
    s = call.sender("caller", 200_000).codes(noise_codes(400))
    t = call.sender("agent", 200_000).codes(noise_codes(400, 2))
    c.add(s.sent + t.sent)
    call.bye(s.t_us + 20_000)
    return c.write(path, form, big_endian, nano)


@pytest.mark.parametrize("ip6", [False, True], ids=["IPv4", "IPv6"])
def test_the_same_call_in_every_dress_gives_the_same_lines(ip6, tmp_path):
    texts = {}
    for i, dress in enumerate(DRESSES):
        path = dressed(tmp_path / f"{i}.pcap", *dress, ip6=ip6)
        run = replay(path, tmp_path / str(i), "--asr", "none")
        assert [leg.samples["received"] for leg in run.legs] == [3200, 3200]
        texts[dress] = run.text
    assert len(set(texts.values())) == 1


def test_the_oracle_sees_what_was_made(tmp_path):
    """pcapgen against tshark: every checksum right, nothing malformed."""
    for i, make in enumerate((fragments, ipv6_fragments, icmp, both_ways)):
        c = Capture()
        make(c)
        path = c.write(tmp_path / f"{i}.pcap")
        bad = packets.tshark(
            path, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y",
            "ip.checksum.status == 0 || udp.checksum.status == 0 || "
            "_ws.expert.severity == 8388608")
        assert bad == ""
