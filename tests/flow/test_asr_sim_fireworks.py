"""asr-sim speaks Fireworks: what it answers, and what it says of a client that breaks the rules."""
import asyncio
import json
import zlib

import pytest

from simulator import (Simulator, chunks, converse, findings, named, refused, segments, talk,
                       words_of)

KEY = {"Authorization": "k1"}
PATH = "/v1/audio/transcriptions/streaming"
ASK = PATH + "?language=en&response_format=verbose_json&timestamp_granularities=word,segment"
FINAL = '{"checkpoint_id": "final"}'
SPEECH = talk((400, False), (1500, True), (700, False), (900, True), (290, False), (400, True),
              (310, False), (9000, True), (200, False), (100, True), (350, False), rate=16000)
CHUNK = 3200


def is_final(m):
    return m.get("checkpoint_id") == "final"


def call(sim, messages, to=ASK, headers=KEY, until=is_final):
    return asyncio.run(converse(sim, to, headers, messages, until=until))


def tiles(pcm, pause_ms=300):
    return [named(pcm, a, b, 16000) for a, b in segments(pcm, 16000, pause_ms)]


def client_state(messages):
    """The vendor's rule: a map by id, overwritten by what comes."""
    return {s["id"]: s for m in messages for s in m.get("segments", [])}


@pytest.mark.parametrize("chunk_ms", [50, 100, 370, 400])
def test_finals_name_the_samples_whatever_the_chunks(tmp_path, chunk_ms):
    with Simulator(tmp_path, dialect="fireworks") as sim:
        s = call(sim, [*chunks(SPEECH, chunk_ms * 32), FINAL])
    state = client_state(s.got)
    assert list(state) == list(range(5)) == sorted(state)
    assert [x["text"] for x in state.values()] == tiles(SPEECH)
    assert s.got[-1] == {"checkpoint_id": "final"}
    for (first, end), x in zip(segments(SPEECH, 16000), state.values()):
        assert (x["start"], x["end"]) == (pytest.approx(first / 16000), pytest.approx(end / 16000))
        assert [w["word"] for w in x["words"]] == x["text"].split()
        assert all(w["is_final"] is True for w in x["words"])
    line, = sim.report
    assert sim.dump() == SPEECH and line["crc32"] == f"{zlib.crc32(SPEECH):08x}"
    assert line["rate_hz"] == 16000 and line["violations"] == []
    assert set(findings(line, "notes")) == {"pace"}  # all at once
    assert line["ended"]["by"] == "client" and line["ended"]["code"] == 1000


def test_a_message_has_what_changed_and_no_more(tmp_path):
    """One message a chunk; a chunk in which a segment ends has two segments, the old one last."""
    with Simulator(tmp_path, dialect="fireworks") as sim:
        s = call(sim, [*chunks(SPEECH, CHUNK), FINAL])
    told = s.got[:-1]
    assert len(told) == -(-len(SPEECH) // CHUNK) + 1  # and one for the end
    assert {len(m["segments"]) for m in told} == {1, 2}
    for m in told:
        ids = [x["id"] for x in m["segments"]]
        assert ids == sorted(ids)
        assert m["text"] == " ".join(x["text"] for x in m["segments"])
        assert m["words"] == [w for x in m["segments"] for w in x["words"]]
        assert m["task"] == "transcribe" and m["language"] == "en"
        for x in m["segments"]:
            flags = {w["is_final"] for w in x["words"]}
            assert flags == ({True} if "crc32" in x["text"] else {False})


def test_what_was_not_asked_for_does_not_come(tmp_path):
    with Simulator(tmp_path, dialect="fireworks") as sim:
        plain = call(sim, [*chunks(SPEECH, CHUNK), FINAL], PATH)
        words = call(sim, [*chunks(SPEECH, CHUNK), FINAL],
                     PATH + "?timestamp_granularities=word&timestamp_granularities=word")
        both = call(sim, [*chunks(SPEECH, CHUNK), FINAL], PATH + "?timestamp_granularities=word"
                    "&timestamp_granularities=segment")
    keys = [set(client_state(s.got)[0]) for s in (plain, words, both)]
    assert keys[0] == {"id", "seek", "text", "language"}
    assert keys[1] == keys[0] | {"words"} and keys[2] == keys[1] | {"start", "end"}
    assert "words" not in plain.got[0] and all(r["violations"] == [] for r in sim.report)
    assert sim.report[2]["config"] == {"timestamp_granularities": "word,segment"}


def test_seed_has_strings_for_ids_and_no_words(tmp_path):
    with Simulator(tmp_path, "--flavour", "seed", dialect="fireworks") as sim:
        s = call(sim, [*chunks(SPEECH, 1600), FINAL], PATH + "?language=en")
    state = client_state(s.got)
    assert list(state) == ["0", "1", "2", "3", "4"]
    assert [x["text"] for x in state.values()] == tiles(SPEECH)
    assert all(set(m) == {"segments"} for m in s.got[:-1])
    assert all(set(x) == {"id", "text"} for m in s.got[:-1] for x in m["segments"])
    assert sim.report[0]["violations"] == [] and sim.report[0]["flavour"] == "seed"


def test_the_timeout_is_the_pause(tmp_path):
    with Simulator(tmp_path, dialect="fireworks") as sim:
        s = call(sim, [*chunks(SPEECH, CHUNK), FINAL], PATH + "?text_timeout_seconds=1.5")
    assert [x["text"] for x in client_state(s.got).values()] == tiles(SPEECH, 1500)
    assert len(client_state(s.got)) == 2


def test_made_up_words_become_final_one_by_one(tmp_path):
    with Simulator(tmp_path, "--words", "12", dialect="fireworks") as sim:
        s = call(sim, [*chunks(SPEECH, CHUNK), FINAL])
    state = client_state(s.got)
    assert max(len(x["words"]) for x in state.values()) == 12
    grown = 0
    for m in s.got[:-1]:
        for x in m["segments"]:
            fixed = [w["word"] for w in x["words"] if w["is_final"]]
            assert [w["word"] for w in state[x["id"]]["words"]][:len(fixed)] == fixed
            grown += 0 < len(fixed) < len(x["words"])
    assert grown > 10


# --- what goes back ----

def test_the_tail_is_taken_back_and_comes_again(tmp_path):
    script = "retract after 40000 samples; retract after 45000 samples"
    with Simulator(tmp_path, dialect="fireworks", script=script) as sim:
        s = call(sim, [*chunks(SPEECH, CHUNK), FINAL])
    told = [[x["id"] for x in m["segments"]] for m in s.got[:-1]]
    texts = [[x["text"] for x in m["segments"]] for m in s.got[:-1]]
    assert [x["text"] for x in client_state(s.got).values()] == tiles(SPEECH)
    # 40000 is a chunk's end: 1 was told, then only 0 as it was, then 1 again
    first = told.index([0], told.index([1]))
    assert told[first - 1:first + 2] == [[1], [0], [1]]
    assert texts[first] == [tiles(SPEECH)[0]]
    assert texts[first - 1] == ["pcm16000 35200-38399"]
    assert told.count([0]) == 22 + 2  # its 22 chunks, and twice what takes back
    assert set(findings(sim.report[0], "notes")) == {"pace"}


def test_nothing_can_be_taken_back_before_there_is_something(tmp_path):
    with Simulator(tmp_path, dialect="fireworks", script="retract after 100 samples") as sim:
        s = call(sim, [*chunks(SPEECH, CHUNK), FINAL])
    assert [x["text"] for x in client_state(s.got).values()] == tiles(SPEECH)
    assert findings(sim.report[0], "notes")["retract"] == 1


def test_a_final_grows(tmp_path):
    """Told as final at 20000 and 24000 samples, and once more when it really ends."""
    script = "grow after 20000 samples; grow after 24000 samples"
    with Simulator(tmp_path, dialect="fireworks", script=script) as sim:
        s = call(sim, [*chunks(SPEECH, CHUNK), FINAL])
    finals = [x for m in s.got[:-1] for x in m["segments"] if x["words"][-1]["is_final"]]
    want = tiles(SPEECH)
    assert [x["text"] for x in finals] == [
        named(SPEECH, 0, 20000, 16000), named(SPEECH, 0, 24000, 16000), *want]
    assert [x["id"] for x in finals] == [0, 0, 0, 1, 2, 3, 4]
    at = [i for i, m in enumerate(s.got[:-1]) if m["segments"][0] is finals[0]][0]
    # in between nothing says that it is open again
    assert not [x for m in s.got[at:-1] for x in m["segments"]
                if x["id"] == 0 and not x["words"][-1]["is_final"]]


# --- messages ----

TRACE = '{"event_id":"e2","object":"stt.input.trace","trace_id":"t1"}'
CLEAR = '{"event_id":"e1","object":"stt.state.clear","reset_id":"r1"}'


def test_trace_and_clear_are_answered_in_order(tmp_path):
    pcm = talk((1000, True), rate=16000)
    a, b = pcm[:16000], pcm[16000:]
    with Simulator(tmp_path, dialect="fireworks") as sim:
        s = call(sim, [a[:9600], TRACE, a[9600:], CLEAR, b[:9600], b[9600:], FINAL])
    said = [m.get("object") or m.get("checkpoint_id") or m["segments"][-1]["text"] for m in s.got]
    assert said == ["pcm16000 0-4799", "stt.output.trace", "pcm16000 0-7999",
                    named(pcm, 0, 8000, 16000), "stt.state.cleared", "pcm16000 8000-12799",
                    "pcm16000 8000-15999",
                    named(pcm, 8000, 16000, 16000), "final"]
    assert s.got[1] == {"object": "stt.output.trace", "trace_id": "t1"}
    assert s.got[4] == {"event_id": "e1", "object": "stt.state.cleared", "reset_id": "r1"}
    assert sim.report[0]["violations"] == [] == sim.report[0]["notes"]


def test_a_checkpoint_is_no_end_of_the_connection(tmp_path):
    """The client closes; what it sends after it is reported."""
    with Simulator(tmp_path, dialect="fireworks") as sim:
        s = call(sim, [b"\1\0" * 1600, '{"checkpoint_id":"a"}', FINAL, b"\1\0" * 1600, 0.2])
    assert [m["checkpoint_id"] for m in s.got if "checkpoint_id" in m] == ["a", "final"]
    assert findings(sim.report[0]) == {"after eof": 1}
    assert findings(sim.report[0], "notes") == {"checkpoint": 1}
    assert sim.report[0]["ended"]["by"] == "client"


C100 = b"\1\0" * 1600
BROKEN = [
    ("wrong path", "/v1/stream", [C100], {"target": 1}, "is not for"),
    ("empty language", PATH + "?language=", [C100], {"query": 1}, "language is empty"),
    ("format", PATH + "?response_format=json", [C100], {"query": 1}, "json"),
    ("granularity", PATH + "?timestamp_granularities=word,sentence", [C100], {"query": 1},
     "sentence"),
    ("timeout", PATH + "?text_timeout_seconds=0.5", [C100], {"query": 1}, "0.5, not 1 to 29"),
    ("no number", PATH + "?temperature=warm", [C100], {"query": 1}, "no number"),
    ("not encoded", PATH + "?prompt=100%", [C100], {"query": 1}, "not encoded"),
    ("short chunks", PATH, [C100[:640]] * 3 + [C100], {"chunk": 3}, "20 ms, less than 50"),
    ("long chunk", PATH, [C100 * 5], {"chunk": 1}, "500 ms, more than 400"),
    ("half a sample", PATH, [C100 + b"\0"], {"samples": 1}, "3201 bytes"),
    ("empty", PATH, [b"", C100], {"empty": 1}, "empty"),
    ("no JSON", PATH, ["{", C100], {"json": 1}, "no JSON"),
    ("eof of another", PATH, ['{"eof":1}', C100], {"text": 1}, "no checkpoint"),
    ("id no string", PATH, ['{"checkpoint_id":1}', C100], {"text": 1}, "no string"),
    ("no trace_id", PATH, ['{"object":"stt.input.trace"}', C100], {"text": 1}, "trace_id"),
    ("no reset_id", PATH, ['{"object":"stt.state.clear"}', C100], {"text": 1}, "reset_id"),
]


@pytest.mark.parametrize("name,to,messages,kinds,words", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_violation_is_reported_and_the_client_served(tmp_path, name, to, messages, kinds, words):
    with Simulator(tmp_path, dialect="fireworks") as sim:
        s = call(sim, [*messages, FINAL], to)
    audio = b"".join(m[:len(m) // 2 * 2] for m in messages if isinstance(m, bytes))
    assert client_state(s.got)[0]["text"] == named(audio, 0, len(audio) // 2, 16000)
    line, = sim.report
    assert findings(line) == kinds and words in words_of(line, next(iter(kinds)))


def test_a_first_chunk_short_of_samples_is_fine(tmp_path):
    """A resampler's delay taken off; and a short last one is noted."""
    with Simulator(tmp_path, dialect="fireworks") as sim:
        call(sim, [C100[:-90], C100, C100[:1600], FINAL], ASK)
        call(sim, [C100, C100[:1598], FINAL], ASK)
    assert [(r["violations"], findings(r, "notes")) for r in sim.report] == [
        ([], {}), ([], {"last chunk": 1})]


AUTH = [
    ("raw", {"Authorization": "k1"}, PATH, 101, "right", {}),
    ("bearer", {"Authorization": "Bearer k1"}, PATH, 101, "right", {"bearer": 1}),
    ("query", {}, PATH + "?Authorization=k1", 101, "right", {}),
    ("wrong", {"Authorization": "k2"}, PATH, 401, "wrong", {}),
    ("wrong in the query", {}, PATH + "?language=en&Authorization=k2", 401, "wrong", {}),
    ("missing", {"x-api-key": "k1"}, PATH, 401, "missing", {}),
]


@pytest.mark.parametrize("name,headers,to,status,key,notes", AUTH, ids=[a[0] for a in AUTH])
def test_authentication(tmp_path, name, headers, to, status, key, notes):
    (tmp_path / "key").write_text("k1\n")
    with Simulator(tmp_path, "--expect-key", str(tmp_path / "key"), dialect="fireworks") as sim:
        assert refused(sim, to, headers)[0] == status
    line, = sim.report
    assert line["key"] == key and status == 101 or line["violations"]
    assert {k: n for k, n in findings(line, "notes").items() if k != "eof"} == notes
    assert "k1" not in json.dumps(line) and "k2" not in json.dumps(line)


def test_faults(tmp_path):
    script = ("error 401\nerror 500 other after 1600 samples\nclose 1011 after eof\nreset\n"
              "mute after 1600 samples\nbad-json 2; big 1000; twice; wild-times\nok")
    with Simulator(tmp_path, dialect="fireworks", script=script) as sim:
        one = call(sim, [])
        two, three, four = (call(sim, [C100, C100, FINAL]) for _ in range(3))
        five = asyncio.run(mute(sim))
        six = call(sim, [C100, FINAL])
    said = "an error on purpose, from the script"
    assert one.got == [{"error": said}] and one.code == two.code == 1000
    assert two.got[-1] == {"error": {"message": said, "code": "500"}}
    assert three.code == 1011 and sim.report[2]["eof"] and four.code == 1006
    assert five == [] and sim.report[4]["samples"] == 3200
    assert len(six.cut) == 2 and six.got[0]["type"] == "filler"
    assert [x["text"] for x in six.got[-2]["segments"]] == [named(C100, 0, 1600, 16000)] * 2
    starts = {x["start"] for m in six.got if "segments" in m for x in m["segments"]}
    assert starts <= {-1, 1e12, 0, 172801, -1e300, 1e300}


async def mute(sim):
    with pytest.raises(asyncio.TimeoutError):
        await converse(sim, ASK, KEY, [C100, C100, FINAL], until=is_final, timeout=0.3)
    return []
