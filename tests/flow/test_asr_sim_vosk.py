"""asr-sim speaks Vosk: what it answers, and what it says of a client that breaks the rules."""
import array
import asyncio
import zlib

import pytest

from simulator import Simulator, chunks, converse, findings, named, talk, words_of

EOF = '{"eof" : 1}'
SPEECH = talk((400, False), (1500, True), (700, False), (900, True), (290, False), (400, True),
              (310, False), (9000, True), (200, False), (100, True), (350, False))
C200 = b"\1\0" * 1600


def call(sim, messages, answers=False, path="/", timeout=20):
    return asyncio.run(converse(sim, path, {}, messages, answers=answers, timeout=timeout))


def chunk_segments(pcm, chunk, rate=8000, pause_ms=300):
    """As simulator.segments(), but each ends with the chunk in which its pause was reached."""
    samples, block = array.array("h", pcm), rate // 100
    first, quiet, spoke, due, out, n = 0, 0, False, False, [], chunk // 2
    for at in range(0, len(samples) - block + 1, block):
        loud = sum(map(abs, samples[at:at + block])) >= 256 * block
        spoke, quiet = spoke or loud, 0 if loud else quiet + 1
        due = due or (spoke and quiet * 10 >= pause_ms) or at + block - first >= 8 * rate
        if due and (at + block) % n == 0:
            out.append((first, at + block))
            first, quiet, spoke, due = at + block, 0, False, False
    if first < len(samples):
        out.append((first, len(samples)))
    return out


@pytest.mark.parametrize("chunk_ms", [50, 200, 1000])
@pytest.mark.parametrize("lock_step", [True, False], ids=["lock-step", "all at once"])
def test_one_reply_a_message_and_finals_name_the_samples(tmp_path, chunk_ms, lock_step):
    sent = chunks(SPEECH, chunk_ms * 16)
    with Simulator(tmp_path, dialect="vosk") as sim:
        s = call(sim, [*sent, EOF], answers=lock_step)
    assert len(s.got) == len(sent) + 1 and s.code == 1000
    finals = [m for m in s.got if "text" in m]
    tiles = chunk_segments(SPEECH, chunk_ms * 16)
    assert tiles[-1][1] == len(SPEECH) // 2 and len(tiles) > 3
    assert [m["text"] for m in finals if m["text"]] == [named(SPEECH, a, b) for a, b in tiles]
    assert set(s.got[0]) == {"partial"} and "text" in s.got[-1]
    for m, (first, end) in zip(finals, tiles):
        assert [w["word"] for w in m["result"]] == m["text"].split()
        assert m["result"][0]["start"] == first / 8000 and m["result"][-1]["end"] == end / 8000
        assert all(0 < w["conf"] < 1 for w in m["result"])
    line, = sim.report
    assert sim.dump() == SPEECH and line["crc32"] == f"{zlib.crc32(SPEECH):08x}"
    assert line["violations"] == [] == line["notes"]
    assert line["ended"] == {"by": "simulator", "code": 1000, "text": ""}


CONFIGS = [
    ("16 kHz", '{"config":{"sample_rate":16000}}', 16000, {"text", "result"}),
    ("no words", '{"config" : {"sample_rate" : 8000, "words" : 0}}', 8000, {"text"}),
    ("true", '{"config":{"sample_rate":8000.0,"words":true,"phrase_list":["a","[unk]"]}}', 8000,
     {"text", "result"}),
    ("alternatives", '{"config":{"max_alternatives":3,"model":"x"}}', 8000, {"alternatives"}),
]


@pytest.mark.parametrize("name,config,rate,keys", CONFIGS, ids=[c[0] for c in CONFIGS])
def test_config_is_optional_and_not_answered(tmp_path, name, config, rate, keys):
    with Simulator(tmp_path, dialect="vosk") as sim:
        s = call(sim, [config, C200, EOF])
    assert len(s.got) == 2 and set(s.got[1]) == keys
    final = s.got[1]["alternatives"][0] if "alternatives" in keys else s.got[1]
    assert final["text"] == named(C200, 0, 1600, rate)
    assert sim.report[0]["violations"] == [] == sim.report[0]["notes"]
    assert sim.report[0]["rate_hz"] == rate and len(sim.report[0]["config"]) >= 1


def test_nothing_said_is_an_empty_final(tmp_path):
    with Simulator(tmp_path, dialect="vosk") as sim:
        s = call(sim, [EOF])
    assert s.got == [{"text": ""}] and s.code == 1000


def test_reset_is_answered_by_a_final(tmp_path):
    with Simulator(tmp_path, dialect="vosk") as sim:
        s = call(sim, [C200, '{"reset" : 1}', C200, EOF])
    pcm = C200 * 2
    assert [m["text"] for m in s.got if "text" in m] == [
        named(pcm, 0, 1600), named(pcm, 1600, 3200)] and len(s.got) == 4


BROKEN = [  # name, messages, violations, words, replies
    ("other blanks", ['{"eof":1}', C200], {"eof": 1}, "not exactly", 2),
    ("text", ["hello", C200], {"json": 1}, "no JSON", 2),
    ("unknown", ['{"type":"CloseStream"}', C200], {"text": 1}, "neither config", 2),
    ("late config", [C200[:800], '{"config":{"sample_rate":8000}}', C200[800:]], {"order": 1},
     "audio came before", 3),
    ("rate", ['{"config":{"sample_rate":"fast"}}', C200], {"sample_rate": 1}, "not 8000", 2),
    ("phrases", ['{"config":{"phrase_list":"a"}}', C200], {"config field": 1}, "no array", 2),
    ("half a sample", [C200 + b"\0"], {"samples": 1}, "3201 bytes", 2),
    ("empty", [b"", C200], {"empty": 1}, "empty", 3),
]


@pytest.mark.parametrize("name,messages,kinds,words,n", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_violation_is_reported_and_the_client_served(tmp_path, name, messages, kinds, words, n):
    with Simulator(tmp_path, dialect="vosk") as sim:
        s = call(sim, [*messages, EOF])
    assert len(s.got) == n and s.got[-1]["text"] == named(C200, 0, 1600)
    line, = sim.report
    assert findings(line) == kinds and words in words_of(line, next(iter(kinds)))


def test_the_other_server_takes_a_config_for_audio(tmp_path):
    config = '{"config":{"sample_rate":8000} }'
    with Simulator(tmp_path, "--flavour", "cpp", dialect="vosk") as sim:
        s = call(sim, [config, C200, EOF])
    heard = config.encode() + C200
    assert len(s.got) == 3 and s.got[-1]["text"] == named(heard, 0, 1616)
    assert findings(sim.report[0]) == {"text": 1} and sim.dump() == heard


def test_as_fast_as_it_likes(tmp_path):
    """Lock-step sets the pace: nothing is said of it."""
    with Simulator(tmp_path, dialect="vosk") as sim:
        call(sim, [*[C200] * 100, EOF])
    assert sim.report[0]["notes"] == [] and sim.report[0]["samples"] == 160000


def test_faults(tmp_path):
    script = "close 1011 after 1600 samples\nerror 1\nmute after 3200 samples\nfin\nok"
    with Simulator(tmp_path, dialect="vosk", script=script) as sim:
        one, two = call(sim, [C200, C200, EOF]), call(sim, [C200, EOF])
        with pytest.raises(asyncio.TimeoutError):
            call(sim, [C200, C200, EOF], answers=True, timeout=0.4)
        four, five = call(sim, [C200, EOF]), call(sim, [C200, EOF])
    assert (one.got, one.code, two.got, two.code) == ([], 1011, [], 1011)
    assert sim.report[2]["samples"] == 3200 and four.code == 1006 and five.code == 1000
