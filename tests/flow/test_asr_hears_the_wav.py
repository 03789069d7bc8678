"""What an ASR service got is the WAV, less what was skipped, plus what was put in: every sample.

The simulator counts and keeps what it receives and names it in its finals; the skipped spans
are worked out from the packets, the inserted ones the daemon lists.
"""
import pytest

from oracle import packets, timeline
from oracle.pcapgen import Call, Capture, network
from replay import differs, replay
from sessions import (Simulator, asr_config, check_final, connections_of, expected, inserted_of,
                      key_file, leg_start, long_holes, named)
from simulator import talk
from test_wav_equals_independent_decoder import CALLS, need
from test_wav_of_made_captures import MADE

KINDS = {96: "L16", 101: "EVENT"}


def lost_ms(want, start_ms, end_ms):
    """Network loss within a segment."""
    return sum(max(0, min(e, end_ms * 8) - max(s, start_ms * 8)) for s, e in want.loss) / 8


def check_leg(run, leg, sim, path):
    """One leg with one connection: samples, finals, times, account.  -> its Timeline."""
    want = timeline.decode(packets.flow(path, leg.src, leg.dst), KINDS)
    wav = run.wav(leg)
    assert differs(wav, want.pcm, want.concealed) is None
    skips = long_holes(want, inserted_of(leg))
    assert [(e["at_ms"], e["skipped_ms"]) for e in leg.all("discontinuity") if
            "skipped_ms" in e] == [(s // 8, (e - s) // 8) for s, e in skips]

    line, = connections_of(leg, sim)
    pcm = sim.dump(line["connection"])
    audio, runs = expected(wav, skips, inserted_of(leg))
    got = memoryview(pcm).cast("h")
    # the last chunk may be filled up: silence that is on no timeline
    assert len(got) >= len(audio)
    assert differs(got[:len(audio)].tolist(), audio) is None
    assert not any(got[len(audio):]), "what is behind the end is not silent"
    assert line["samples"] == len(got)
    assert len(got) - len(audio) < 800
    assert line["violations"] == [] and line["eof"]

    at = 0
    for event in leg.finals:
        first, end = check_final(event, pcm, runs)
        assert first == at, "segments do not tile"
        at = end
        coverage = event["coverage"]["lost_ms"]
        assert abs(coverage - lost_ms(want, event["start_ms"], event["end_ms"])) <= 1
        assert not event.get("overlap") and not event.get("synthesised")
    assert at == len(got), "the last segment does not end with the audio"
    assert [e["segment"] for e in leg.finals] == list(range(1, len(leg.finals) + 1))

    assert leg.samples == {"received": want.received, "sent": want.received, "lost": 0,
                           "paused": 0}
    figures = leg.end["asr"]
    assert (figures["connections"], figures["finals"]) == (1, len(leg.finals))
    assert figures["partials"] == len(leg.all("segment", state="partial"))
    assert leg.end["audio"]["replayed_ms"] == 0
    assert leg.end["audio"]["concealed_ms"] == sum(e - s for s, e in want.concealed) // 8
    return want


def hear(path, tmp_path, speed="max", code=0, options=()):
    with Simulator(tmp_path, *options) as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)), speed=speed,
                     code=code)
    return run, sim


@pytest.mark.parametrize("name", [n for n in CALLS if "ZFONE" not in n])
def test_the_service_hears_every_leg_of_a_capture(name, tmp_path):
    path = need(name)
    run, sim = hear(path, tmp_path, code=CALLS[name].code)
    # what a relay shows a second time is heard once
    again = {c["call"] for c in run.calls if "same_as" in c.get("ids", {})}
    assert len(again) == ("SIP_CALL_RTP_G711" in name)
    legs = [leg for leg in run.legs if leg.call not in again]
    assert {leg.start["asr"] for leg in run.legs if leg.call in again} <= {"none"}
    assert len(run.legs) == sum(len(c.legs) for c in CALLS[name].calls)
    assert len(legs) == len(sim.report)
    for leg in legs:
        assert leg.start["asr"] == "sim"
        check_leg(run, leg, sim, path)


def test_nothing_encrypted_reaches_the_service(tmp_path):
    """Up to the ZRTP Commit it is audio and is heard; behind it nothing is sent."""
    run, sim = hear(need("odedshimon_BruteShark__Asterisk_ZFONE_XLITE.pcap"), tmp_path)
    heard = {leg.name: run.wav(leg).tobytes() for leg in run.legs}
    for line in sim.report:
        pcm = sim.dump(line["connection"])
        assert any(pcm[:len(h)] == h and not any(pcm[len(h):]) for h in heard.values())
    assert {leg.samples["received"] for leg in run.legs} == {1920, 160}


@pytest.mark.parametrize("name", ["miarecdev_sipp-siprec__siprec_dual_channel_udp.pcap"])
def test_no_connection_is_opened_for_what_cannot_be_decoded(name, tmp_path):
    run, sim = hear(need(name), tmp_path)
    assert not sim.report and len(run.legs) == 2


@pytest.mark.parametrize("name", [
    "ptime 10", "ptime 60", "too late", "losses", "twice", "shaken", "dtx", "comfort noise",
    "digits", "wraps", "hold", "jump with a pause", "new ssrc", "both laws", "l16", "both ways",
    "fragments", "twenty calls"])
def test_the_service_hears_every_leg_of_a_made_capture(name, tmp_path):
    c = Capture()
    MADE[name](c)
    path = c.write(tmp_path / "made.pcap")
    run, sim = hear(path, tmp_path)
    assert len(sim.report) == len(run.legs)
    for leg in run.legs:
        check_leg(run, leg, sim, path)


def speech(*spans):
    return memoryview(talk(*spans)).cast("h")


def broken_call(gap, drop_of=None, tmp_path=None):
    """Speech, `gap` done to the sender, speech again."""
    c = Capture()
    call = Call(c).start()
    s = call.sender("caller", 200_000)
    s.speak(speech((300, False), (1700, True), (1000, False)))
    n = len(s.sent)
    gap(s)
    m = len(s.sent)
    s.speak(speech((500, False), (1400, True), (600, False), (900, True), (500, False)))
    c.add(network(s.sent, drop=range(n, m) if drop_of else ()))
    call.bye(s.t_us + 20_000)
    return c.write(tmp_path / "made.pcap")


def test_a_segment_that_ends_where_a_skip_begins(tmp_path):
    """3 s quiet, 7 s without RTP: the first segment is 8 s long, its limit, and ends right before
    the 2 s that are skipped; the second begins right behind them."""
    c = Capture()
    call = Call(c).start()
    s = call.sender("caller", 200_000)
    s.speak(speech((3000, False))).pause(7000).speak(speech((1000, False), (1000, True)))
    c.add(s.sent)
    call.bye(s.t_us + 20_000)
    path = c.write(tmp_path / "made.pcap")
    run, sim = hear(path, tmp_path)
    leg, = run.legs
    check_leg(run, leg, sim, path)
    assert [(e["start_ms"], e["end_ms"]) for e in leg.finals] == [(0, 8000), (10000, 12000)]


def kept_awake(leg):
    """Silence put in where the speech of broken_call() stops [ms]."""
    return sum(n for at, n in inserted_of(leg) if at == 3000 * 8) / 8


@pytest.mark.parametrize("speed", ["max", "50"])
@pytest.mark.parametrize("gap_ms", [4980, 5000, 5020, 20000, 65000])
def test_times_are_right_behind_a_silence(gap_ms, speed, tmp_path):
    """No RTP, no number missing: at most 5 s of it are sent, with what kept the service awake,
    and the next segments are where they are."""
    path = broken_call(lambda s: s.pause(gap_ms), tmp_path=tmp_path)
    run, sim = hear(path, tmp_path, speed)
    leg, = run.legs
    want = check_leg(run, leg, sim, path)
    assert len(want.pcm) == (3000 + gap_ms + 3900) * 8
    awake_ms = kept_awake(leg)
    assert (awake_ms >= 1500) == (gap_ms > 8000)
    skipped = [e["skipped_ms"] for e in leg.all("discontinuity")]
    assert skipped == ([gap_ms + awake_ms - 5000] if gap_ms > 5000 else [])
    assert leg.all("gap") == []
    # the speech behind the gap begins 500 ms after it; its segment ends at the pause of 300 ms
    # in the 600 ms behind 1400 ms of it
    ends = [e["end_ms"] for e in leg.finals]
    assert 3000 + gap_ms + 500 + 1400 + 300 in ends


def test_times_are_right_behind_an_outage(tmp_path):
    """20 s are lost on the way: a gap of the whole length, at most 5 s of it as silence."""
    path = broken_call(lambda s: s.codes(bytes(20000 * 8)), drop_of=True, tmp_path=tmp_path)
    run, sim = hear(path, tmp_path)
    leg, = run.legs
    check_leg(run, leg, sim, path)
    assert [(e["start_ms"], e["end_ms"]) for e in leg.all("gap", cause="rtp_loss")] == \
        [(3000, 23000)]
    assert [e["skipped_ms"] for e in leg.all("discontinuity")] == [15000 + kept_awake(leg)]
    assert leg.end["rtp"]["lost"] == 1000


def test_odd_lengths_are_right_to_the_sample(tmp_path):
    """Packets of 10, 20 and 30 ms and one odd one: no position is a whole number of chunks."""
    c = Capture()
    call = Call(c).start()
    s = call.sender("caller", 200_000)
    pcm = speech((300, False), (1700, True), (700, False), (2000, True))
    at = 0
    for i in range(120):
        n = (80, 160, 240, 157)[i % 4]
        s.ptime = n / 8
        step = pcm[at:at + n]
        s.ptime = 1000
        s.speak(step)
        at += n
        if i == 60:
            s.t_us += 9_000_125
            s.ts += 72_001
    c.add(s.sent)
    call.bye(s.t_us + 20_000)
    path = c.write(tmp_path / "made.pcap")
    run, sim = hear(path, tmp_path)
    leg, = run.legs
    want = check_leg(run, leg, sim, path)
    assert want.silence[0].end - want.silence[0].start == 72001
    assert len(want.pcm) % 8 != 0 and len(want.pcm) % 800 != 0


def test_keep_alive_silence_is_told_and_on_no_timeline(tmp_path):
    """In 65 s without RTP the service must not hang up (Bodhi: 60 s without audio), and what
    keeps it awake is listed sample for sample."""
    path = broken_call(lambda s: s.pause(65000), tmp_path=tmp_path)
    run, sim = hear(path, tmp_path)
    leg, = run.legs
    want = check_leg(run, leg, sim, path)
    line, = sim.report
    inserted = sum(n for _, n in inserted_of(leg))
    (skipped, end), = long_holes(want, inserted_of(leg))
    # 1.5 s after 8 s and 0.1 s each 2 s then: so much less when it goes on
    assert 3000 * 8 < skipped < 3000 * 8 + 8 * 2000
    assert line["samples"] == len(run.wav(leg)) - (end - skipped) + inserted
    assert leg.samples["sent"] == 8 * 6900
    assert {at for at, _ in inserted_of(leg)} <= {3000 * 8, len(run.wav(leg))}


def test_words_lie_where_the_speech_is(tmp_path):
    path = broken_call(lambda s: s.pause(20000), tmp_path=tmp_path)
    run, sim = hear(path, tmp_path, options=("--words", "5"))
    leg, = run.legs
    texts = [e["text"] for e in leg.finals]
    assert any(texts) and not any("crc32" in t for t in texts)
    # speech: 300-2000, 23500-24900, 25500-26400
    talked = ((300, 2000), (23500, 24900), (25500, 26400))
    words = [w for e in leg.finals for w in e.get("words", ())]
    assert words
    for w in words:
        assert any(a - 100 <= w["start_ms"] <= w["end_ms"] <= b + 100 for a, b in talked), w


def test_the_oracle_s_map():
    """By hand: 10 samples, 3 inserted at 4, [6,8) skipped."""
    wav = list(range(10))
    pcm, runs = expected(wav, [(6, 8)], [(4, 3)])
    assert pcm.tolist() == [0, 1, 2, 3, 0, 0, 0, 4, 5, 8, 9]
    assert [leg_start(runs, i) for i in range(11)] == [0, 1, 2, 3, 4, 4, 4, 4, 5, 8, 9]
    assert named("pcm8000 5-9 crc32 0000000f") == (5, 10, 15)
