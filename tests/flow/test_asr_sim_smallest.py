"""asr-sim speaks Smallest Pulse: what it answers, and what it says of clients that break rules."""
import asyncio
import json
import zlib

import pytest

from oracle import g711
from simulator import (Simulator, chunks, converse, findings, named, refused, segments, talk,
                       words_of)

KEY = {"Authorization": "Bearer k1"}
LIVE, OLDER = "/waves/v1/stt/live", "/waves/v1/pulse/get_text"
FINALIZE, CLOSE = '{"type": "finalize"}', '{"type": "close_stream"}'
SPEECH = talk((400, False), (1500, True), (700, False), (900, True), (290, False), (400, True),
              (310, False), (9000, True), (200, False), (100, True), (350, False))
C100 = b"\1\0" * 800


def live(**query):
    base = {"model": "pulse", "language": "en", "encoding": "linear16", "sample_rate": "8000",
            "word_timestamps": "true"}
    both = {k: v for k, v in {**base, **query}.items() if v is not None}
    return LIVE + "?" + "&".join(f"{k}={v}" for k, v in both.items())


def older(**query):
    return live(model=None, **query).replace(LIVE, OLDER)


def call(sim, messages, to=None, headers=KEY, until=None):
    return asyncio.run(converse(sim, to or live(), headers, messages, until=until))


def finals(s):
    return [m for m in s.got if m.get("is_final")]


def tiles(pcm, **how):
    return [named(pcm, a, b, how.get("rate", 8000)) for a, b in segments(pcm, **how)]


@pytest.mark.parametrize("to", [live(), older()], ids=["live", "get_text"])
@pytest.mark.parametrize("chunk_ms", [20, 100, 190])
def test_finals_name_the_samples_whatever_the_chunks(tmp_path, to, chunk_ms):
    with Simulator(tmp_path, dialect="smallest") as sim:
        s = call(sim, [*chunks(SPEECH, chunk_ms * 16), CLOSE], to)
    assert [m["transcript"] for m in finals(s)] == tiles(SPEECH)
    assert [m["is_last"] for m in finals(s)] == [False] * 4 + [True]
    assert s.got[-1]["is_last"] and s.code == 1000
    for m, (first, end) in zip(finals(s), segments(SPEECH)):
        assert m["transcription"] == m["transcript"]
        assert (m["type"], m["status"]) == ("transcription", "success")
        assert (m["language"], m["languages"]) == ("en", ["en"])
        assert [w["word"] for w in m["words"]] == m["transcript"].split()
        assert m["words"][0]["start"] == first / 8000 and m["words"][-1]["end"] == end / 8000
        assert all(0 < w["confidence"] < 1 for w in m["words"])
    partials = [m for m in s.got if not m["is_final"]]
    assert len(partials) > len(SPEECH) // 16 / chunk_ms - 6 and "language" not in partials[0]
    assert len({m["session_id"] for m in s.got}) == 1
    line, = sim.report
    assert sim.dump() == SPEECH and line["crc32"] == f"{zlib.crc32(SPEECH):08x}"
    assert line["violations"] == [] and line["ended"]["by"] == "simulator"


@pytest.mark.parametrize("law,codec", [("mulaw", "PCMU"), ("alaw", "PCMA")])
def test_g711_is_named_by_its_samples(tmp_path, law, codec):
    wire = g711.encode(codec, memoryview(SPEECH[:64000]).cast("h"))
    heard = g711.decode(codec, wire).tobytes()
    with Simulator(tmp_path, dialect="smallest") as sim:
        s = call(sim, [*chunks(wire, 800), CLOSE], live(encoding=law))
    assert [m["transcript"] for m in finals(s)] == tiles(heard)
    assert sim.dump() == heard and sim.report[0]["encoding"] == law
    assert sim.report[0]["violations"] == []


def test_finalize_ends_a_segment_and_no_more(tmp_path):
    """Wherever it comes; with nothing open its final is empty."""
    pcm = talk((1000, True))
    with Simulator(tmp_path, dialect="smallest") as sim:
        s = call(sim, [pcm[:1600], pcm[1600:3000], FINALIZE, FINALIZE, pcm[3000:6000], CLOSE],
                 live(itn_normalize="true"))
    assert [(m["transcript"], m["is_last"]) for m in finals(s)] == [
        (named(pcm, 0, 1500), False), ("", False), (named(pcm, 1500, 3000), True)]
    assert [m.get("from_finalize") for m in finals(s)] == [True, True, None]
    assert sim.report[0]["violations"] == []


def test_the_seed_ends_with_finalize(tmp_path):
    with Simulator(tmp_path, "--flavour", "seed", dialect="smallest") as sim:
        s = call(sim, [*chunks(SPEECH, 1600), FINALIZE], older())
    assert [m["transcript"] for m in finals(s)] == tiles(SPEECH)
    assert s.got[-1]["is_last"] and s.code == 1000
    assert s.got[-1]["full_transcript"] == " ".join(tiles(SPEECH))
    for m in finals(s):
        assert set(m) == {"session_id", "transcript", "full_transcript", "is_final", "is_last",
                          "language", "word_timestamps"}
        assert [w["word"] for w in m["word_timestamps"]] == m["transcript"].split()
        assert all(set(w) == {"word", "start", "end"} for w in m["word_timestamps"])
    assert sim.report[0]["violations"] == []


def test_the_seed_knows_no_close_stream(tmp_path):
    with Simulator(tmp_path, "--flavour", "seed", dialect="smallest") as sim:
        s = call(sim, [C100, CLOSE, 0.2, FINALIZE], older())
    assert [m["transcript"] for m in finals(s)] == [named(C100, 0, 800)]
    assert sim.report[0]["violations"] == [] and sim.report[0]["ms"] >= 200
    assert findings(sim.report[0], "notes") == {"close_stream": 1}


def test_what_comes_by_itself_depends_on_the_path(tmp_path):
    with Simulator(tmp_path, dialect="smallest") as sim:
        one = call(sim, [C100, CLOSE], live(word_timestamps=None))
        two = call(sim, [C100, CLOSE], older(word_timestamps=None))
        three = call(sim, [C100, CLOSE], older(word_timestamps="false", full_transcript="true"))
    assert ["words" in s.got[-1] for s in (one, two, three)] == [False, True, False]
    assert "full_transcript" not in one.got[-1]
    assert three.got[-1]["full_transcript"] == named(C100, 0, 800)


def test_endpointing_and_its_timeout(tmp_path):
    with Simulator(tmp_path, dialect="smallest") as sim:
        long = call(sim, [*chunks(SPEECH, 1600), CLOSE], live(eou_timeout_ms="400"))
        off = call(sim, [*chunks(SPEECH, 1600), CLOSE], live(endpointing="false"))
    assert [m["transcript"] for m in finals(long)] == tiles(SPEECH, pause_ms=400)
    assert tiles(SPEECH, pause_ms=400) != tiles(SPEECH)
    assert [m["transcript"] for m in finals(off)] == tiles(SPEECH, pause_ms=10**6)


@pytest.mark.parametrize("name", ["vad_events", "vad"])
@pytest.mark.parametrize("chunk_ms", [20, 100, 200])
def test_speech_events(tmp_path, name, chunk_ms):
    with Simulator(tmp_path, dialect="smallest") as sim:
        s = call(sim, [*chunks(SPEECH, chunk_ms * 16), CLOSE],
                 live(**{name: "true", "eou_timeout_ms": "1000"}))
    seen = [(m["type"], m["timestamp"]) for m in s.got if m["type"].startswith("speech")]
    # the pause of 290 ms is none; the one of 200 ms neither; the end is after 350 ms
    assert seen == [("speech_started", 0.4), ("speech_ended", 1.9), ("speech_started", 2.6),
                    ("speech_ended", 4.19), ("speech_started", 4.5), ("speech_ended", 13.8)]
    assert len({m["session_id"] for m in s.got}) == 1


# --- what clients do wrong ---------------------------------------------------------------------

BROKEN = [
    ("retired path", "/waves/v1/asr", [C100], {"target": 1}, "is not for"),
    ("language", live(language="xx"), [C100], {"query": 1}, "xx"),
    ("bool", live(diarize="1"), [C100], {"query": 1}, "diarize is"),
    ("timeout", live(eou_timeout_ms="50"), [C100], {"query": 1}, "50, not 100 to 10000"),
    ("rate", live(sample_rate="12000"), [C100], {"query": 1}, "12000 is not one"),
    ("keywords", live(keywords='[%22a%22]'), [C100], {"query": 1}, "JSON array"),
    ("no keyword", live(keywords=""), [C100], {"query": 1}, "keywords is empty"),
    ("session", live(external_session_id="a%20b"), [C100], {"query": 1}, "external_session_id"),
    ("short", live(), [C100[:160]] * 3 + [C100], {"chunk": 3}, "10 ms, less than 20"),
    ("long", live(), [C100 * 3], {"chunk": 1}, "300 ms, more than 200"),
    ("half a sample", live(), [C100 + b"\0"], {"samples": 1}, "1601 bytes"),
    ("empty", live(), [b"", C100], {"empty": 1}, "empty"),
    ("no JSON", live(), ["close", C100], {"json": 1}, "no JSON"),
    ("eof of another", live(), ['{"eof":1}', C100], {"text": 1}, "neither finalize"),
]


@pytest.mark.parametrize("name,to,messages,kinds,words", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_violation_is_reported_and_the_client_served(tmp_path, name, to, messages, kinds, words):
    with Simulator(tmp_path, dialect="smallest") as sim:
        s = call(sim, [*messages, CLOSE], to)
    audio = b"".join(m[:len(m) // 2 * 2] for m in messages if isinstance(m, bytes))
    rate = {"rate": 12000, "retired path": 16000}.get(name, 8000)
    assert [m["transcript"] for m in finals(s)] == [named(audio, 0, len(audio) // 2, rate)]
    line, = sim.report
    assert findings(line) == kinds and words in words_of(line, next(iter(kinds)))


def test_every_documented_parameter_is_known(tmp_path):
    to = live(sentence_timestamps="true", diarize="false", full_transcript="true",
              vad_events="true", redact_pii="true", redact_pci="false", format="true",
              punctuate="true", capitalize="true", itn_normalize="false", endpointing="true",
              eou_timeout_ms="800", finalize_on_words="false", max_words="10",
              keywords="EMI:1,Two%20words:2", external_session_id="a-B_9.x")
    with Simulator(tmp_path, dialect="smallest") as sim:
        call(sim, [C100, CLOSE], to, headers={**KEY, "X-Source": "t"})
    line, = sim.report
    assert line["violations"] == [] == line["notes"]
    assert line["config"]["keywords"] == "EMI:1,Two words:2" and len(line["config"]) == 21
    assert line["headers"] == ["Authorization", "X-Source", "User-Agent"]


AUTH = [  # name, headers, target, status, key
    ("bearer", KEY, live(), 101, "right"),
    ("token", {}, live(token="k1"), 101, "right"),
    ("raw", {"Authorization": "k1"}, live(), 401, "missing"),
    ("wrong", {"Authorization": "Bearer k2"}, live(), 401, "wrong"),
    ("wrong token", {}, older(token="k2"), 401, "wrong"),
    ("none", {}, live(), 401, "missing"),
    ("no model", KEY, live(model=None), 400, "right"),
    ("no language", KEY, live(language=None), 400, "right"),
    ("pro", KEY, live(model="pulse-pro"), 400, "right"),
    ("older without both", KEY, older(language=None), 101, "right"),
    ("opus", KEY, live(encoding="opus"), 400, "right"),
]


@pytest.mark.parametrize("name,headers,to,status,key", AUTH, ids=[a[0] for a in AUTH])
def test_refusals(tmp_path, name, headers, to, status, key):
    (tmp_path / "key").write_text("k1\n")
    with Simulator(tmp_path, "--expect-key", str(tmp_path / "key"), dialect="smallest") as sim:
        assert refused(sim, to, headers)[0] == status
    line, = sim.report
    assert line["key"] == key
    assert status == 101 or line["violations"] or name == "opus"
    assert "k1" not in json.dumps(line) and "k2" not in json.dumps(line)


def test_faults(tmp_path):
    script = ("error 403\nerror 500 other after 800 samples\nclose 1008\n"
              "http 429 retry-after 1\ntwice\nwild-times\n")
    with Simulator(tmp_path, dialect="smallest", script=script) as sim:
        one, two, three = (call(sim, [C100, C100, CLOSE]) for _ in range(3))
        four = refused(sim, live(), KEY)
        five, six = (call(sim, [C100, C100, CLOSE]) for _ in range(2))
    said = "an error on purpose, from the script"
    assert one.got == [{"type": "error", "status": "error", "message": said, "error_code": "403"}]
    assert two.got[-1] == {"status": "error", "error": {"message": said, "code": "500"}}
    assert three.got == [] and three.code == 1008
    assert four[0] == 429 and four[1]["Retry-After"] == "1"
    assert [m["transcript"] for m in finals(five)] == [named(C100 * 2, 0, 1600)] * 2
    assert {-1, 1e12} & {w["start"] for m in six.got for w in m["words"]}
