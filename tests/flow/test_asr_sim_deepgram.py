"""asr-sim speaks Deepgram: what it answers, and what it says of a client that breaks the rules."""
import asyncio
import json
import zlib

import pytest

from oracle import g711
from simulator import (Simulator, chunks, converse, findings, named, refused, segments, talk,
                       words_of)

KEY = {"Authorization": "Token k1"}
FINALIZE, CLOSE, ALIVE = '{"type":"Finalize"}', '{"type":"CloseStream"}', '{"type":"KeepAlive"}'
SPEECH = talk((400, False), (1500, True), (1700, False), (900, True), (290, False), (400, True),
              (310, False), (9000, True), (200, False), (100, True), (350, False))
C100 = b"\1\0" * 800


def target(**query):
    base = {"model": "nova-3", "encoding": "linear16", "sample_rate": "8000",
            "interim_results": "true"}
    both = {k: v for k, v in {**base, **query}.items() if v is not None}
    return "/v1/listen?" + "&".join(f"{k}={v}" for k, v in both.items())


def call(sim, messages, to=None, headers=KEY):
    return asyncio.run(converse(sim, to or target(), headers, messages))


def text(m):
    return m["channel"]["alternatives"][0]["transcript"]


def finals(s):
    return [m for m in s.kinds("Results") if m["is_final"]]


def tiles(pcm, **how):
    return [named(pcm, a, b) for a, b in segments(pcm, **how)]


@pytest.mark.parametrize("chunk_ms", [20, 100, 370])
def test_finals_name_the_samples_whatever_the_chunks(tmp_path, chunk_ms):
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [*chunks(SPEECH, chunk_ms * 16), ALIVE, CLOSE],
                 target(punctuate="true", diarize="true"))
    assert [text(m) for m in finals(s)] == tiles(SPEECH)
    for m, (first, end) in zip(finals(s), segments(SPEECH)):
        assert (m["start"], m["duration"]) == (first / 8000, pytest.approx((end - first) / 8000))
        words = m["channel"]["alternatives"][0]["words"]
        assert [w["word"] for w in words] == text(m).split() == [
            w["punctuated_word"] for w in words]
        assert words[-1]["end"] == end / 8000 and words[0]["speaker"] == 0
        assert m["channel_index"] == [0, 1] and m["from_finalize"] is False
    # by a pause all but the one of 8 s and the last
    assert [m["speech_final"] for m in finals(s)] == [True, True, False, True, False]
    last = s.got[-1]
    assert (last["type"], last["channels"]) == ("Metadata", 1)
    assert last["duration"] == pytest.approx(len(SPEECH) / 16000) and s.code == 1000
    assert last["request_id"] == s.got[0]["metadata"]["request_id"]
    line, = sim.report
    assert sim.dump() == SPEECH and line["crc32"] == f"{zlib.crc32(SPEECH):08x}"
    assert line["violations"] == [] and line["flavour"] == ""


def test_what_is_current_has_one_name_for_all_services(tmp_path):
    """A service without an older flavour is "new", too."""
    for dialect, flavour, to, end in (("deepgram", "", None, CLOSE),
                                      ("vosk", "python", "/", '{"eof" : 1}')):
        (tmp_path / dialect).mkdir()
        with Simulator(tmp_path / dialect, "--flavour", "new", dialect=dialect) as sim:
            call(sim, [C100, end], to)
        assert sim.report[0]["flavour"] == flavour


@pytest.mark.parametrize("law,codec", [("mulaw", "PCMU"), ("alaw", "PCMA")])
def test_g711_is_named_by_its_samples(tmp_path, law, codec):
    wire = g711.encode(codec, memoryview(SPEECH[:64000]).cast("h"))
    heard = g711.decode(codec, wire).tobytes()
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [*chunks(wire, 800), CLOSE], target(encoding=law, interim_results=None))
    assert [text(m) for m in s.kinds("Results")] == tiles(heard)  # no interims unless asked for
    assert sim.dump() == heard and sim.report[0]["violations"] == []


@pytest.mark.parametrize("chunk_ms", [20, 100, 500])
def test_events_of_speech(tmp_path, chunk_ms):
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [*chunks(SPEECH + b"\0\0" * 9600, chunk_ms * 16), CLOSE],
                 target(vad_events="true", utterance_end_ms="1000"))
    assert [m["timestamp"] for m in s.kinds("SpeechStarted")] == [0.4, 3.6, 5.5]
    assert [m["last_word_end"] for m in s.kinds("UtteranceEnd")] == [1.9, 14.8]
    assert {tuple(m["channel"]) for m in s.kinds("SpeechStarted")} == {(0, 1)}
    order = [m["type"] for m in s.got if m["type"] in ("SpeechStarted", "UtteranceEnd")]
    assert order == ["SpeechStarted", "UtteranceEnd", "SpeechStarted", "SpeechStarted",
                     "UtteranceEnd"]


def test_an_utterance_ends_within_a_chunk_in_which_the_next_begins(tmp_path):
    pcm = talk((400, False), (1500, True), (1050, False), (900, True), (400, False))
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [*chunks(pcm, 8000), CLOSE],
                 target(vad_events="true", utterance_end_ms="1000"))
    events = [(m["type"], m.get("timestamp", m.get("last_word_end"))) for m in s.got
              if m["type"] in ("SpeechStarted", "UtteranceEnd")]
    assert events == [("SpeechStarted", 0.4), ("UtteranceEnd", 1.9), ("SpeechStarted", 2.95)]


def test_finalize(tmp_path):
    pcm = talk((1000, True))
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [pcm[:3000], FINALIZE, FINALIZE, pcm[3000:6000], CLOSE])
    assert [(text(m), m["from_finalize"]) for m in finals(s)] == [
        (named(pcm, 0, 1500), True), (named(pcm, 1500, 3000), False)]
    assert sim.report[0]["violations"] == []


def test_an_empty_message_ends_the_stream(tmp_path):
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [C100, b""])
    assert [text(m) for m in finals(s)] == [named(C100, 0, 800)] and s.code == 1000
    assert s.got[-1]["type"] == "Metadata"
    assert findings(sim.report[0], "notes") == {"empty": 1} and sim.report[0]["eof"]


def test_endpointing(tmp_path):
    with Simulator(tmp_path, dialect="deepgram") as sim:
        short = call(sim, [*chunks(SPEECH, 1600), CLOSE], target(endpointing="150"))
        off = call(sim, [*chunks(SPEECH, 1600), CLOSE], target(endpointing="false"))
    assert [text(m) for m in finals(short)] == tiles(SPEECH, pause_ms=150) != tiles(SPEECH)
    assert [text(m) for m in finals(off)] == tiles(SPEECH, pause_ms=10**6)


# --- ten seconds: the service's own limit, so these take as long --------------------------------

def test_ten_seconds_without_anything_end_it(tmp_path):
    """Before the first audio no KeepAlive counts, after it each does."""
    async def run(sim):
        return await asyncio.gather(
            converse(sim, target(), KEY, [4, ALIVE, 4, ALIVE]),
            converse(sim, target(), KEY, [C100]),
            converse(sim, target(), KEY, [C100, 5, ALIVE, 6.5, CLOSE]))

    with Simulator(tmp_path, dialect="deepgram") as sim:
        never, once, alive = asyncio.run(run(sim))
    assert (never.code, once.code, alive.code) == (1011, 1011, 1000)
    assert never.reason.startswith("NET-0001") and once.reason == never.reason
    assert sorted(list(findings(r)) for r in sim.report) == [[], ["idle"], ["idle"]]
    assert all(10000 <= r["ms"] < 15000 for r in sim.report)


# --- what clients do wrong ------------------------------------------------------------------------

BROKEN = [
    ("wrong path", target().replace("/v1/", "/v2/"), [C100], {"target": 1}, "is not for"),
    ("bool", target(diarize="yes"), [C100], {"query": 1}, "diarize is"),
    ("utterance end", target(utterance_end_ms="500"), [C100], {"query": 1}, "500, not 1000"),
    ("utterance end alone", target(utterance_end_ms="1000", interim_results=None), [C100],
     {"query": 1}, "needs interim_results"),
    ("endpointing", target(endpointing="soon"), [C100], {"query": 1}, "neither false"),
    ("no encoding", target(encoding=None), [C100], {"query": 1}, "raw audio needs"),
    ("no rate", target(sample_rate=None), [C100], {"query": 1}, "raw audio needs"),
    ("half a sample", target(), [C100 + b"\0"], {"samples": 1}, "1601 bytes"),
    ("no JSON", target(), ["{", C100], {"json": 1}, "no JSON"),
    ("eof of another", target(), ['{"eof":1}', C100], {"text": 1}, "no KeepAlive"),
]


@pytest.mark.parametrize("name,to,messages,kinds,words", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_violation_is_reported_and_the_client_served(tmp_path, name, to, messages, kinds, words):
    with Simulator(tmp_path, dialect="deepgram") as sim:
        s = call(sim, [*messages, CLOSE], to)
    assert [text(m) for m in finals(s)] == [named(C100, 0, 800)]
    line, = sim.report
    assert findings(line) == kinds and words in words_of(line, next(iter(kinds)))


AUTH = [
    ("token", KEY, target(), 101, "right"),
    ("bearer", {"Authorization": "Bearer k1"}, target(), 101, "right"),
    ("raw", {"Authorization": "k1"}, target(), 401, "missing"),
    ("wrong", {"Authorization": "Token k2"}, target(), 401, "wrong"),
    ("none", {}, target(), 401, "missing"),
    ("opus", KEY, target(encoding="opus"), 400, "right"),
    ("stereo", KEY, target(channels="2"), 400, "right"),
]


@pytest.mark.parametrize("name,headers,to,status,key", AUTH, ids=[a[0] for a in AUTH])
def test_refusals(tmp_path, name, headers, to, status, key):
    (tmp_path / "key").write_text("k1\n")
    with Simulator(tmp_path, "--expect-key", str(tmp_path / "key"), dialect="deepgram") as sim:
        seen, told = refused(sim, to, headers)
    assert (seen, sim.report[0]["key"]) == (status, key)
    assert status == 101 or (told["dg-error"] and len(told["dg-request-id"]) == 36)
    assert "k1" not in json.dumps(sim.report) and "k2" not in json.dumps(sim.report)


def test_faults(tmp_path):
    script = ("error 400\nerror 400 other\nclose 1008 after eof\nhttp 402\nhttp 429 retry-after 3\n"
              "twice\n")
    with Simulator(tmp_path, dialect="deepgram", script=script) as sim:
        one, two, three = (call(sim, [C100, CLOSE]) for _ in range(3))
        four, five = (refused(sim, target(), KEY) for _ in range(2))
        six = call(sim, [C100, CLOSE])
    assert one.got[0]["variant"] == "400" and one.code == 1011 and two.got == []
    assert (two.code, two.reason) == (1011, "NET-0000: an error on purpose")
    assert three.code == 1008 and sim.report[2]["eof"]
    assert four[0] == 402 and four[1]["dg-error"] == "A refusal on purpose."
    assert five[0] == 429 and (five[1]["Retry-After"], len(five[1]["dg-request-id"])) == ("3", 36)
    assert [text(m) for m in finals(six)] == [named(C100, 0, 800)] * 2
