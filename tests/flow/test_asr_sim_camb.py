"""asr-sim speaks Camb.ai: what it answers, and what it says of a client that breaks the rules."""
import asyncio
import json
import zlib

import pytest

from oracle import g711
from simulator import (Simulator, chunks, converse, findings, named, refused, segments, talk,
                       words_of)

KEY = {"x-api-key": "k1"}
PATHS = {"new": "/streaming-transcription/listen", "seed": "/apis/transcription/listen"}
CLOSE = '{"type": "CloseStream"}'
ALIVE = '{"type": "KeepAlive"}'
SPEECH = talk((400, False), (1500, True), (700, False), (900, True), (290, False), (400, True),
              (310, False), (9000, True), (200, False), (100, True), (350, False))


def ready(m):
    return m["type"] == "Ready"


def target(flavour="new", **query):
    base = {"model": "boli-v5", "language": "en-us", "encoding": "linear16",
            "sample_rate": "8000", "channels": "1"}
    both = {k: v for k, v in {**base, **query}.items() if v is not None}
    return PATHS[flavour] + "?" + "&".join(f"{k}={v}" for k, v in both.items())


def call(sim, messages, to=None, wait=True, headers=KEY):
    return asyncio.run(converse(sim, to or target(), headers, messages,
                                ready=ready if wait else None))


def text(m):
    return m["channel"]["alternatives"][0]["transcript"]


@pytest.mark.parametrize("chunk_ms", [20, 100, 370])
def test_finals_name_the_samples_whatever_the_chunks(tmp_path, chunk_ms):
    with Simulator(tmp_path, dialect="camb") as sim:
        s = call(sim, [*chunks(SPEECH, chunk_ms * 16), ALIVE, CLOSE])
    tiles = segments(SPEECH)
    results = s.kinds("Results")
    closed = [m for m in results if m["is_final"]]
    assert [text(m) for m in closed] == [named(SPEECH, a, b) for a, b in tiles]
    assert len(tiles) == 5 and s.got[0] == {"type": "Ready"} and s.code == 1000
    for m, (first, end) in zip(closed, tiles):
        assert m["start"] == first / 8000 and m["duration"] == pytest.approx((end - first) / 8000)
        words = m["channel"]["alternatives"][0]["words"]
        assert [w["word"] for w in words] == text(m).split()
        assert words[0]["start"] == first / 8000 and words[-1]["end"] == end / 8000
    # each final is followed by its UtteranceEnd; partials have no words and begin as their final
    at = [i for i, m in enumerate(s.got) if m["type"] == "Results" and m["is_final"]]
    assert [s.got[i + 1] for i in at] == [
        {"type": "UtteranceEnd", "last_word_end": end / 8000} for _, end in tiles]
    open_ones = [m for m in results if not m["is_final"]]
    assert all(m["channel"]["alternatives"][0]["words"] == [] for m in open_ones)
    assert {m["start"] for m in open_ones} <= {first / 8000 for first, _ in tiles}
    line, = sim.report
    assert line["violations"] == [] and sim.dump() == SPEECH
    assert line["crc32"] == f"{zlib.crc32(SPEECH):08x}"
    assert line["config"]["encoding"] == "linear16" and line["ended"]["code"] == 1000


def test_seed_never_says_final_and_closes(tmp_path):
    """Its utterances end by a reset: the whole text of the last Results before it."""
    with Simulator(tmp_path, "--flavour", "seed", dialect="camb") as sim:
        s = call(sim, [*chunks(SPEECH, 1600), CLOSE], target("seed"))
    results = s.kinds("Results")
    assert len(results) == len(s.got) - 1 and not any(m["is_final"] for m in results)
    last = {m["start"]: text(m) for m in results}
    assert list(last.values()) == [named(SPEECH, a, b) for a, b in segments(SPEECH)]
    assert all(m["channel"]["alternatives"][0]["words"] for m in results)
    assert s.code == 1000 and sim.report[0]["violations"] == []
    assert sim.report[0]["ended"] == {"by": "simulator", "code": 1000, "text": ""}


@pytest.mark.parametrize("law,codec", [("mulaw", "PCMU"), ("alaw", "PCMA")])
def test_g711_is_named_by_its_samples(tmp_path, law, codec):
    wire = g711.encode(codec, memoryview(SPEECH[:64000]).cast("h"))
    heard = g711.decode(codec, wire).tobytes()
    with Simulator(tmp_path, dialect="camb") as sim:
        s = call(sim, [*chunks(wire, 800), CLOSE], target(encoding=law))
    assert [text(m) for m in s.kinds("Results") if m["is_final"]] == [
        named(heard, a, b) for a, b in segments(heard)]
    assert sim.dump() == heard and sim.report[0]["encoding"] == law
    assert (sim.report[0]["bytes"], sim.report[0]["samples"]) == (len(wire), len(wire))


def test_sixteen_kilohertz(tmp_path):
    pcm = talk((1500, True), (400, False), (200, True), rate=16000)
    with Simulator(tmp_path, dialect="camb") as sim:
        s = call(sim, [*chunks(pcm, 3200), CLOSE], target(sample_rate=None))
    assert [text(m) for m in s.kinds("Results") if m["is_final"]] == [
        named(pcm, a, b, 16000) for a, b in segments(pcm, 16000)]


def test_made_up_words_come_in_interims_of_the_seed(tmp_path):
    with Simulator(tmp_path, "--flavour", "seed", "--words", "9", dialect="camb") as sim:
        s = call(sim, [*chunks(SPEECH, 1600), CLOSE], target("seed"))
    spoken = [m for m in s.kinds("Results") if text(m)]
    assert max(len(text(m).split()) for m in spoken) == 9
    for m in spoken:
        words = m["channel"]["alternatives"][0]["words"]
        assert [w["word"] for w in words] == text(m).split()
        assert all(w["start"] < w["end"] for w in words)


# --- ready ----------------------------------------------------------------------------------------

def test_audio_before_ready_is_reported_and_heard(tmp_path):
    pcm = talk((1000, True), (400, False))
    with Simulator(tmp_path, dialect="camb", script="ready-delay 300ms") as sim:
        s = call(sim, [*chunks(pcm, 1600), CLOSE], wait=False)
    assert s.got[0] == {"type": "Ready"} and s.code == 1000
    assert [text(m) for m in s.kinds("Results") if m["is_final"]] == [
        named(pcm, a, b) for a, b in segments(pcm)]
    assert findings(sim.report[0]) == {"order": 14}
    assert "before Ready" in words_of(sim.report[0], "order")
    assert sim.report[0]["ms"] >= 300


def test_ready_comes_when_the_script_says(tmp_path):
    with Simulator(tmp_path, dialect="camb", script="ready-delay 400ms\nok") as sim:
        for _ in range(2):
            assert call(sim, [b"\1\0" * 800, CLOSE]).code == 1000
    assert sim.report[0]["ms"] >= 400 > 300 > sim.report[1]["ms"]
    assert all(r["violations"] == [] for r in sim.report)


def test_a_close_before_ready_is_a_close(tmp_path):
    with Simulator(tmp_path, dialect="camb", script="ready-delay 5s; close 1013 after 50ms") as sim:
        s = call(sim, [], wait=False)
    assert s.got == [] and s.code == 1013


# --- what clients do wrong -----------------------------------------------------------------------

C100 = b"\1\0" * 800

BROKEN = [
    ("wrong path", "/listen?sample_rate=8000", [C100, CLOSE], {"target": 1}, "is not for"),
    ("seed path", target("seed"), [C100, CLOSE], {"target": 1}, "is not for"),
    ("model", target(model="boli-v9"), [C100, CLOSE], {"query": 1}, "boli-v9"),
    ("empty language", target(language=""), [C100, CLOSE], {"query": 1}, "language is empty"),
    ("stereo", target(channels="2"), [C100, CLOSE], {"query": 1}, "channels is 2, not 1 to 1"),
    ("no JSON", target(), [C100, "CloseStream", CLOSE], {"json": 1}, "no JSON"),
    ("eof of another", target(), [C100, '{"eof": 1}', CLOSE], {"text": 1}, "neither"),
    ("unknown type", target(), [C100, '{"type": "Finalize"}', CLOSE], {"text": 1}, "neither"),
    ("empty", target(), [b"", C100, CLOSE], {"empty": 1}, "empty"),
    ("half a sample", target(), [C100 + b"\0", CLOSE], {"samples": 1}, "1601 bytes"),
]


@pytest.mark.parametrize("name,to,messages,kinds,words", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_violation_is_reported_and_the_client_served(tmp_path, name, to, messages, kinds, words):
    with Simulator(tmp_path, dialect="camb") as sim:
        s = call(sim, messages, to)
    line, = sim.report
    assert s.code == 1000
    assert [text(m) for m in s.kinds("Results") if m["is_final"]] == [named(C100, 0, 800)]
    assert findings(line) == kinds and words in words_of(line, next(iter(kinds)))


def test_unknown_parameters_and_keep_alives_are_no_violation(tmp_path):
    with Simulator(tmp_path, dialect="camb") as sim:
        s = call(sim, [ALIVE, C100, '{"type":"KeepAlive","x":1}', C100, CLOSE],
                 target(diarize="true"))
    assert s.code == 1000 and sim.report[0]["violations"] == []
    assert findings(sim.report[0], "notes") == {"query": 1}
    assert sim.report[0]["config"]["diarize"] == "true"


REFUSED = [
    ("wrong key", {"x-api-key": "k2"}, target(), 401), ("no key", {}, target(), 401),
    ("bearer", {"Authorization": "Bearer k1"}, target(), 401),
    ("linear32", KEY, target(encoding="linear32"), 400),
    ("opus", KEY, target(encoding="opus"), 400),
    ("4 kHz", KEY, target(sample_rate="4000"), 400), ("right", KEY, target(), 101),
]


@pytest.mark.parametrize("name,headers,to,status", REFUSED, ids=[r[0] for r in REFUSED])
def test_refusals(tmp_path, name, headers, to, status):
    (tmp_path / "key").write_text("k1\n")
    with Simulator(tmp_path, "--expect-key", str(tmp_path / "key"), dialect="camb") as sim:
        assert refused(sim, to, headers)[0] == status
    assert "k1" not in json.dumps(sim.report) and "k2" not in json.dumps(sim.report)


# --- faults, as with every dialect ----

def test_faults(tmp_path):
    script = ("error 429\nerror 500 other\nclose 1008 after 800 samples\nhttp 503 retry-after 7\n"
              "bad-json 2; twice; wild-times after 900 samples\n"
              "ready-delay 0ms; close 1011 after eof")
    with Simulator(tmp_path, dialect="camb", script=script) as sim:
        one, two = (call(sim, [], wait=False) for _ in range(2))
        three = call(sim, [C100, C100, CLOSE])
        four = refused(sim, target(), KEY)
        five = call(sim, [C100, C100, CLOSE])
        six = call(sim, [C100, CLOSE])
    said = {"type": "Error", "message": "an error on purpose, from the script"}
    assert one.got == [{**said, "code": 429}] and two.got == [{**said, "code": None}]
    assert one.code == two.code == 1000
    assert three.code == 1008 and sim.report[2]["samples"] == 800
    assert four[0] == 503 and four[1]["Retry-After"] == "7"
    assert len(five.cut) == 2
    closed = [m for m in five.kinds("Results") if m["is_final"]]
    assert [text(m) for m in closed] == [named(C100 * 2, 0, 1600)] * 2
    assert {-1, 1e12} & {m["start"] for m in five.kinds("Results")}
    assert six.code == 1011 and sim.report[5]["eof"]


def test_only_dialects_that_have_them_take_special_faults(tmp_path):
    with pytest.raises(AssertionError, match="not in the dialect camb"):
        with Simulator(tmp_path, dialect="camb", script="retract"):
            pass
    with pytest.raises(AssertionError, match="not in the dialect bodhi"):
        with Simulator(tmp_path, script="ok\nready-delay 1s"):
            pass
