"""Whatever a service does, no sample is missing, no word is said twice unmarked, the sums are
right.

Each row is a script for asr-sim's connections, one after the other.  What every connection got
is compared with the WAV from where the last final of those before it had ended.
"""
import array
import collections
import random

import pytest

from oracle import packets, timeline
from oracle.pcapgen import Call, Capture, network
from replay import differs, replay
from sessions import (NAMED, Simulator, asr_config, check_final, expected, inserted_of, key_file,
                      leg_end, long_holes, named)
from simulator import talk


def speech(*spans):
    return memoryview(talk(*spans)).cast("h")


def long_call(path, legs=1):
    """20 s of talk with a hold of 8 s, lost packets and a DTX pause; both ways if asked for.

    The pauses that end segments lie in the middle of packets."""
    c = Capture()
    call = Call(c).start()
    for who in ("caller", "agent")[:legs]:
        s = call.sender(who, 200_000)
        s.speak(speech((310, False), (1700, True), (700, False), (2000, True), (390, False)))
        s.pause(8000)
        s.speak(speech((400, False), (1300, True), (900, False), (1100, True), (400, False)))
        s.pause(700)
        s.speak(speech((300, False), (2100, True), (500, False)))
        c.add(network(s.sent, drop={40, 41, 42, 200, 300, 301, 302, 303, 304}))
    call.bye(s.t_us + 20_000)
    return c.write(path)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return long_call(tmp_path_factory.mktemp("call") / "x.pcap")


# name: script of the connections; ends: what the leg's states must tell of (reason, code)
Row = collections.namedtuple("Row", "script told")
LOST = {
    "1012 restart": Row("close 1012 after 16000 samples\nok", ("restart", 1012)),
    "1001 going away": Row("close 1001 after 30000 samples\nok", ("restart", 1001)),
    "1000 while audio flows": Row("close 1000 after 50000 samples\nok", ("restart", 1000)),
    "1011 broken": Row("close 1011 after 24000 samples\nok", ("server", 1011)),
    "1013 try again": Row("close 1013 after 24000 samples\nok", ("quota", 1013)),
    "4000 of its own": Row("close 4000 after 24000 samples\nok", ("server", 4000)),
    "in-band 500": Row("error 500 after 24000 samples\nok", ("server", 500)),
    "reset": Row("reset after 44000 samples\nok", ("network", 1006)),
    "fin": Row("fin after 44000 samples\nok", ("network", 1006)),
    "rubbish": Row("raw ff00ff after 16000 samples\nok", ("protocol", 1002)),
    "4 MiB and more": Row("big 5000000 after 16000 samples\nok", ("protocol", 1009)),
    "five bad messages": Row("bad-json 5 after 16000 samples\nok", ("protocol", None)),
    "503 twice": Row("http 503\nhttp 503\nok", ("server", 503)),
    "again and again": Row("close 1012 after 9000 samples\nreset after 20000 samples\n"
                           "http 503\nerror 500 after 3000 samples\nok", ("restart", 1012)),
    "at the end": Row("close 1011 after eof\nok", ("server", 1011)),
    "gone at the end": Row("fin after eof\nok", ("network", 1006)),
    "mute, then gone": Row("mute; close 1012 after 20000 samples\nok", ("restart", 1012)),
}
KEPT = {  # no connection is lost
    "nothing": Row("ok", None),
    "late answer": Row("delay 1s", None),
    "short stall": Row("stall 2s after 16000 samples", None),
    "slow reading": Row("slow 200000", None),
    "many pings": Row("pings 200 after 8000 samples", None),
    "bad messages between": Row("bad-json 3 after 16000 samples", ("bad_message", None)),
    "a message too long": Row("big 300000 after 16000 samples", ("bad_message", None)),
    "everything twice": Row("twice", None),
}


def lines_of(sim):
    """Connections that got as far as their configuration, in order."""
    return sorted((r for r in sim.report if "config" in r), key=lambda r: r["connection"])


def check_one(run, sim, path, leg):
    want = timeline.decode(packets.flow(path, leg.src, leg.dst))
    wav = run.wav(leg)
    assert differs(wav, want.pcm, want.concealed) is None
    finals, heard = leg.finals, []

    # what each connection got
    start, maps, skips = 0, {}, []
    lines = lines_of(sim)
    for number, line in enumerate(lines, 1):
        inserted = inserted_of(leg, number)
        cut = [(max(a, start), b) for a, b in long_holes(want, inserted) if b > start]
        skips += cut
        audio, runs = expected(wav, cut, inserted, start)
        pcm = sim.dump(line["connection"])
        got = memoryview(pcm).cast("h").tolist()
        n = min(len(got), len(audio))
        assert differs(got[:n], audio[:n]) is None, f"connection {number}, from {start}"
        assert not any(got[n:])
        assert line["violations"] == []
        maps[number] = (pcm, runs)
        heard.append((start, leg_end(runs, n) if n else start))
        mine = [e for e in finals if e["asr"]["connection"] == number
                and not e.get("synthesised")]
        for event in mine:
            check_final(event, pcm, runs)
        if mine:
            start = leg_end(runs, min(named(mine[-1]["text"])[1], len(audio)))
    assert max(end for _, end in heard) == len(wav), "the end was heard by nobody"
    at = 0
    for a, b in heard:
        assert a <= at, f"{at} to {a} went to no connection"
        at = max(at, b)

    # what became of it
    at = 0
    for event in finals:
        pcm, runs = maps[event["asr"]["connection"]]
        assert NAMED.fullmatch(event["text"])
        first, end = named(event["text"])[:2]
        end = min(end, runs[-1].at + runs[-1].n)
        begin = next((r.leg + (first - r.at if r.kind == "leg" else 0) for r in runs
                      if r.at <= first < r.at + r.n), None)
        assert begin is not None
        assert begin >= at or event.get("overlap"), "said twice, and not marked"
        skipped = [b for a, b in skips if a <= at <= b]
        assert begin <= max([at, *skipped]), f"nothing is said of {at} to {begin}"
        at = max(at, leg_end(runs, end))
    assert at == len(wav)
    times = [(e["start_ms"], e["end_ms"]) for e in finals]
    assert times == sorted(times), "times go backwards"
    assert [e["segment"] for e in finals] == sorted({e["segment"] for e in finals})
    latest = {e["segment"]: e["state"] for e in leg.all("segment")}
    assert set(latest.values()) <= {"final", "retracted"}, "a partial was left standing"
    return want


def account(leg, want, replayed):
    """received = sent + lost, in samples; nothing of it was lost."""
    assert leg.samples == {"received": want.received, "sent": want.received, "lost": 0,
                           "paused": 0}
    assert (leg.end["audio"]["replayed_ms"] > 0) == replayed
    assert [e for e in leg.all("gap") if e["cause"] != "rtp_loss"] == []


@pytest.mark.parametrize("speed", ["max", "40"])
@pytest.mark.parametrize("name", LOST)
def test_a_lost_connection_loses_nothing(name, speed, path, tmp_path):
    row = LOST[name]
    with Simulator(tmp_path, script=row.script) as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)), speed=speed)
    leg, = run.legs
    want = check_one(run, sim, path, leg)
    account(leg, want, replayed=not row.script.startswith("http"))
    states = [(e["asr_state"], e.get("reason"), e.get("code")) for e in leg.all("leg.state")]
    assert ("connecting" if row.script.startswith("http") else "reconnecting", *row.told) in states
    assert leg.end["asr"]["connections"] == len(lines_of(sim))
    assert leg.end["asr"]["finals"] == len(leg.finals)


@pytest.mark.parametrize("speed", ["max", "40"])
@pytest.mark.parametrize("name", KEPT)
def test_a_troubled_connection_loses_nothing(name, speed, path, tmp_path):
    row = KEPT[name]
    with Simulator(tmp_path, script=row.script) as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)), speed=speed)
    leg, = run.legs
    account(leg, check_one(run, sim, path, leg), replayed=False)
    states = [(e["asr_state"], e.get("reason"), e.get("code")) for e in leg.all("leg.state")]
    if row.told:
        assert row.told in [s[1:] for s in states]
    else:
        assert {s[0] for s in states} <= {"connecting", "streaming", "catching_up"}
        assert not any(s[1] for s in states)
    assert len(sim.report) == 1


def test_faults_at_random_places(path, tmp_path):
    """Connections of one leg, one after the other broken somewhere."""
    rng = random.Random(4)
    kinds = ("close 1012", "close 1011", "reset", "fin", "error 500", "raw ff00ff")
    script = [f"{rng.choice(kinds)} after {rng.randrange(19000, 40000)} samples"
              for _ in range(5)]
    with Simulator(tmp_path, script="\n".join([*script, "ok"])) as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)), speed="20")
    leg, = run.legs
    account(leg, check_one(run, sim, path, leg), replayed=True)
    assert leg.end["asr"]["connections"] >= 3


def test_one_leg_s_trouble_is_not_the_other_s(tmp_path):
    """Two legs, and only the first connection breaks: the other leg sees one connection."""
    path = long_call(tmp_path / "x.pcap", legs=2)
    with Simulator(tmp_path, script="close 1012 after 16000 samples\nok") as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)), speed="20")
    counts = sorted(leg.end["asr"]["connections"] for leg in run.legs)
    assert counts == [1, 2]
    for leg in run.legs:
        want = timeline.decode(packets.flow(path, leg.src, leg.dst))
        account(leg, want, replayed=leg.end["asr"]["connections"] == 2)
        assert leg.finals[-1]["end_ms"] == leg.end["duration_ms"]
    sent = {bytes(sim.dump(r["connection"])) for r in sim.report}
    for leg in run.legs:   # nobody heard the other's voice: each dump is a part of one leg
        wav = run.wav(leg).tobytes()
        assert any(d[:16000] in wav for d in sent)


def test_times_that_never_make_sense_are_told(path, tmp_path):
    """All its results are bad messages, on each connection: what nobody told of is a gap, and
    nothing lies off the timeline."""
    with Simulator(tmp_path, script="wild-times") as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)))
    leg, = run.legs
    assert leg.end["asr"]["connections"] >= 2
    assert {"bad_message", "protocol"} <= {e.get("reason") for e in leg.all("leg.state")}
    at, end = 0, leg.end["duration_ms"]
    for e in sorted([*leg.finals, *leg.all("gap")], key=lambda e: e["start_ms"]):
        assert e["start_ms"] <= at + 1 and e["end_ms"] <= end
        at = max(at, e["end_ms"])
    assert at == end
    assert all(0 <= e["start_ms"] <= e["end_ms"] <= end for e in leg.all("segment"))
    assert leg.samples["received"] == leg.samples["sent"] + leg.samples["lost"]


def test_a_service_that_says_nothing_is_told(path, tmp_path):
    """It takes everything and never answers: all was sent, nothing is known of it, and so says
    the gap."""
    with Simulator(tmp_path, script="mute") as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)))
    leg, = run.legs
    assert leg.finals == []
    gaps = [(e["start_ms"], e["end_ms"]) for e in leg.all("gap", cause="asr_slow")]
    assert gaps == [(0, leg.end["duration_ms"])]
    assert leg.samples["sent"] == leg.samples["received"]
    got = array.array("h", sim.dump(1))
    want = timeline.decode(packets.flow(path, leg.src, leg.dst))
    audio, _ = expected(run.wav(leg), long_holes(want, inserted_of(leg)),
                        inserted_of(leg))
    assert differs(got[:len(audio)], audio) is None


def test_a_service_that_stalls_at_the_end_is_told(path, tmp_path):
    """It stops for good in the middle: what it said stays, what it did not is a gap."""
    with Simulator(tmp_path, script="stall after 60000 samples") as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)))
    leg, = run.legs
    assert leg.finals and sim.report[0]["samples"] >= 60000
    said = leg.finals[-1]["end_ms"]
    gap, = (e for e in leg.all("gap") if e["cause"] != "rtp_loss")
    assert gap["start_ms"] <= said and gap["end_ms"] == leg.end["duration_ms"]
    samples = leg.samples
    assert samples["received"] == samples["sent"] + samples["lost"]
