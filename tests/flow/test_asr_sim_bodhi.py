"""asr-sim speaks Bodhi: what it answers, and what it says of a client that breaks the rules."""
import asyncio
import json
import signal
import subprocess
import uuid
import zlib

import pytest
import websockets

from simulator import (BUILD, EOF, KEY, TOP, Simulator, call, config, connect, context_for,
                       finals, legacy_connect, named, partials, receive_all, segments, stream, talk)

SPEECH = talk((400, False), (1500, True), (700, False), (900, True), (290, False), (400, True),
              (310, False), (9000, True), (200, False), (100, True), (15000, False), (333, True))


def violations(line):
    return {v["kind"]: v for v in line["violations"]}


def notes(line):
    return {v["kind"]: v for v in line["notes"]}


# --- results -------------------------------------------------------------------------------------

@pytest.mark.parametrize("chunk_ms", [50, 100, 370, 500])
def test_finals_name_the_samples_whatever_the_chunks(tmp_path, chunk_ms):
    with Simulator(tmp_path) as sim:
        got = call(sim, SPEECH, chunk=chunk_ms * 16)
    want = [named(SPEECH, a, b) for a, b in segments(SPEECH)]
    assert len(want) == 6
    # the pause of 300 ms after 1.9 s; then 400 + 900 + 290 + 400 + 300 ms
    assert segments(SPEECH)[:2] == [(0, 17600), (17600, 35920)]
    assert [m["text"] for m in finals(got)] == want
    assert sim.dump() == SPEECH
    line, = sim.report
    assert line["violations"] == []
    assert (line["samples"], line["crc32"]) == (len(SPEECH) // 2, f"{zlib.crc32(SPEECH):08x}")
    assert (line["dialect"], line["flavour"], line["key"]) == ("bodhi", "new", "present")
    assert line["chunks"] == -(-len(SPEECH) // (chunk_ms * 16))
    assert line["ended"]["by"] == "client" and line["ended"]["code"] == 1000


def test_times_tile_the_connection_to_the_sample(tmp_path):
    with Simulator(tmp_path) as sim:
        got = call(sim, SPEECH)
    at = 0
    for i, (m, (first, end)) in enumerate(zip(finals(got), segments(SPEECH), strict=True)):
        meta = m["segment_meta"]
        assert m["segment_id"] == i and first == at
        assert meta["start_time"] * 8000 == first
        assert (meta["start_time"] + meta["timestamps"][-1]) * 8000 == pytest.approx(end, abs=1e-6)
        assert len(meta["tokens"]) == len(meta["timestamps"]) == len(meta["words"]) == 4
        assert meta["words"][0]["start_time"] * 8000 == first
        assert meta["words"][-1]["end_time"] * 8000 == end
        assert 0 <= meta["confidence"] <= 1
        at = end
    assert at == len(SPEECH) // 2
    assert [m["eos"] for m in finals(got)] == [False] * (len(finals(got)) - 1) + [True]


def test_a_partial_comes_with_every_chunk(tmp_path):
    pcm = talk((1000, True))
    with Simulator(tmp_path) as sim:
        got = call(sim, pcm)
    assert [m["text"] for m in partials(got)] == [f"pcm8000 0-{800 * n - 1}" for n in range(1, 11)]
    assert all("words" not in m["segment_meta"] or not m["segment_meta"]["words"]
               for m in partials(got))
    with Simulator(tmp_path) as sim:
        got = call(sim, pcm, hello=config(exclude_partial=True))
    assert partials(got) == [] and len(finals(got)) == 1


def test_rate_pause_language_and_aux_follow_the_config(tmp_path):
    pcm = talk((800, True), (600, False), (800, True), rate=16000)
    hello = config(sample_rate=16000, endpoint_silence_duration=0.7, aux=True, at_start_lid=True,
                   model="te-general-v2-8khz")
    with Simulator(tmp_path) as sim:
        got = call(sim, pcm, chunk=3200, hello=hello)
        short = call(sim, pcm, chunk=3200, hello=config(sample_rate=16000))
    assert [m["text"] for m in finals(got)] == [named(pcm, 0, len(pcm) // 2, 16000)]
    assert [m["text"] for m in finals(short)] == [
        named(pcm, a, b, 16000) for a, b in segments(pcm, 16000)]
    assert len(finals(short)) == 2
    assert got[0]["language_code"] == "te" and got[0]["aux_info"]["eot_wait_time"] == 0.7
    assert "confidence" not in finals(got)[0]["segment_meta"]
    assert "language_code" not in short[0] and "aux_info" not in short[0]
    assert sim.report[0]["config"] == json.loads(hello)["config"]


def test_no_audio_still_ends_with_eos(tmp_path):
    with Simulator(tmp_path) as sim:
        got = call(sim, b"")
    assert [(m["type"], m["text"], m["eos"]) for m in got] == [("complete", "", True)]


def test_made_up_words_grow_and_stay(tmp_path):
    with Simulator(tmp_path, "--words", "12") as sim:
        one = call(sim, SPEECH)
        two = call(sim, SPEECH, chunk=800)
    texts = [m["text"] for m in finals(one)]
    assert texts == [m["text"] for m in finals(two)]
    spoken = [t for t in texts if t]
    assert len(set(spoken)) > 3 and max(len(t.split()) for t in spoken) == 12
    by_id = {m["segment_id"]: m for m in finals(one)}
    for m in partials(one):
        assert by_id[m["segment_id"]]["text"].startswith(m["text"])
    for m in finals(one):
        words = m["segment_meta"]["words"]
        assert [w["word"] for w in words] == m["text"].split()
        assert all(w["start_time"] < w["end_time"] for w in words)
    # speech is 0.4-1.9 s of the first segment: so are its words
    first = finals(one)[0]["segment_meta"]["words"]
    assert first[0]["start_time"] == pytest.approx(0.4, abs=0.02)
    assert first[-1]["end_time"] == pytest.approx(1.9, abs=0.02)
    assert len(first) == 5


def test_many_clients_at_once_do_not_mix(tmp_path):
    pcms = [talk((500 + 100 * i, True), (500, False), (300, True), seed=i) for i in range(20)]

    async def one(sim, pcm):
        async with connect(sim) as ws:
            await ws.send(config())
            reader = asyncio.ensure_future(receive_all(ws))
            for at in range(0, len(pcm), 1600):
                await ws.send(pcm[at:at + 1600])
                await asyncio.sleep(0)
            await ws.send(EOF)
            return await reader

    async def run(sim):
        return await asyncio.gather(*(one(sim, p) for p in pcms))

    with Simulator(tmp_path) as sim:
        results = asyncio.run(run(sim))
    for pcm, got in zip(pcms, results):
        assert [m["text"] for m in finals(got)] == [named(pcm, a, b) for a, b in segments(pcm)]
    assert {x["crc32"] for x in sim.report} == {f"{zlib.crc32(p):08x}" for p in pcms}


def test_over_tls(tmp_path):
    pki = TOP / "tests/unit/net/pki.sh"
    subprocess.run(["sh", pki, tmp_path / "pki"], check=True)
    cert, key = tmp_path / "pki/good.pem", tmp_path / "pki/good.key"
    pcm = talk((1200, True))
    with Simulator(tmp_path, "--tls-cert", str(cert), "--tls-key", str(key)) as sim:
        context = context_for(tmp_path / "pki/root.pem")
        context.check_hostname = False
        got = call(sim, pcm, context=context)
    assert [m["text"] for m in finals(got)] == [named(pcm, 0, 9600)]


# --- what clients do wrong ---------------------------------------------------------------------

async def say(sim, messages, headers=None, path=""):
    """Send these; wait for eos or the close; what came and the close code."""
    async with legacy_connect(sim.url() + path, compression=None, ping_interval=None,
                                  extra_headers=KEY if headers is None else headers) as ws:
        reader = asyncio.ensure_future(receive_all(ws))
        for m in messages:
            await ws.send(m)
        got = await asyncio.wait_for(reader, 20)
        await ws.close()
        return got, ws.close_code


C100, C20, C600 = b"\1\0" * 800, b"\1\0" * 160, b"\1\0" * 4800
SAME = str(uuid.UUID(int=7))

REFUSED = [
    ("no JSON", "hello", "json", "invalid JSON"),
    ("an array", "[]", "json", "invalid JSON"),
    ("no config", '{"a":1}', "config", "the first message must be"),
    ("config no object", '{"config":1}', "config", "the first message must be"),
    ("no transaction id", config(transaction_id=None), "config", "transaction_id"),
    ("transaction id no UUID", config(transaction_id="call-1"), "config", "transaction_id"),
    ("no model", config(model=None), "config", "model"),
    ("unknown model", config(model="zz-banking-v2-8khz"), "config", "not available"),
    ("model without rate", config(model="hi-banking-v2"), "config", "not available"),
]


@pytest.mark.parametrize("name,hello,kind,words", REFUSED, ids=[r[0] for r in REFUSED])
def test_an_invalid_config_is_refused_in_band(tmp_path, name, hello, kind, words):
    with Simulator(tmp_path) as sim:
        got, code = asyncio.run(say(sim, [hello]))
    assert len(got) == 1 and got[0]["code"] == 400 and words in got[0]["error"]
    assert code == 1000
    assert violations(sim.report[0])[kind]["count"] == 1
    assert sim.report[0]["ended"]["by"] == "simulator"


BROKEN = [
    ("two configs", [config(), config(), C100, EOF], "config", "second", 1),
    ("audio first", [C100, config(), C100, EOF], "order", "audio came before config", 2),
    ("short chunks", [config(), C20, C20, C20, EOF], "chunk", "20 ms, less than 50", 2),
    ("long chunk", [config(), C600, EOF], "chunk", "600 ms, more than 500", 1),
    ("grows", [config(), C100, C100 * 2, EOF], "chunk", "200 ms, the first one had 100", 1),
    ("shrinks", [config(), C100 * 2, C100, C100 * 2, C100 * 2, EOF], "chunk", "100 ms", 1),
    ("half a sample", [config(), C100 + b"\0", EOF], "samples", "1601 bytes", 1),
    ("empty", [config(), b"", C100, EOF], "empty", "empty", 1),
    ("binary eof", [config(), C100, EOF.encode(), EOF], "eof", "binary", 1),
    ("neither", [config(), '{"flush":1}', C100, EOF], "text", "neither", 1),
    ("eof is true", [config(), C100, '{"eof":true}', EOF], "text", "neither", 1),
    ("no JSON later", [config(), C100, "{", EOF], "json", "no JSON", 1),
    ("bool as text", [config(parse_number="true"), C100, EOF], "config field",
     "parse_number is not true or false", 1),
    ("hotwords", [config(hotwords=[{"score": "2"}]), C100, EOF], "config field", "phrase", 2),
    ("stereo", [config(channels=2), C100, EOF], "channels", "mono", 1),
    ("no rate", [config(sample_rate=None), C100, EOF], "sample_rate", "missing", 1),
    ("low rate", [config(sample_rate=4000), C100, EOF], "sample_rate", "4000", 1),
    ("more beside", ['{"eof":0,' + config()[1:], C100, EOF], "text", "beside", 1),
]


@pytest.mark.parametrize("name,messages,kind,words,count", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_violation_is_reported_and_the_client_served(tmp_path, name, messages, kind, words,
                                                       count):
    with Simulator(tmp_path) as sim:
        got, _ = asyncio.run(say(sim, messages))
    assert got[-1]["eos"] is True
    line, = sim.report
    assert list(violations(line)) == [kind] or name == "audio first"
    assert words in violations(line)[kind]["words"]
    assert violations(line)[kind]["count"] == count
    # every whole sample sent is in the account
    audio = b"".join(m[:len(m) // 2 * 2] for m in messages if isinstance(m, bytes))
    assert line["samples"] == len(audio) // 2 and sim.dump() == audio


FINE = [
    ("smaller last", [config(), C100, C100, C100[:800], EOF]),
    ("50 ms", [config(), C100[:800], C100[:800], EOF]),
    ("500 ms", [config(), C100 * 5, C100 * 5, EOF]),
    ("every field", [config(parse_number=True, hotwords=[{"phrase": "EMI", "score": 2.0}],
                            aux=False, exclude_partial=False, at_start_lid=False,
                            transliterate=True, endpoint_silence_duration=0.44, channels=1),
                     C100, EOF]),
    ("older model name", [config(model="hi-general-feb24-v1-8khz"), C100, EOF]),
]


@pytest.mark.parametrize("name,messages", FINE, ids=[f[0] for f in FINE])
def test_what_the_pages_allow_is_no_violation(tmp_path, name, messages):
    with Simulator(tmp_path) as sim:
        asyncio.run(say(sim, messages, headers={**KEY, "Authorization": "Bearer k1"}))
    assert sim.report[0]["violations"] == [] and sim.report[0]["notes"] == []


@pytest.mark.parametrize("messages", [[C100, C100, C20], [C20]])
def test_a_short_last_chunk_is_noted(tmp_path, messages):
    with Simulator(tmp_path) as sim:
        asyncio.run(say(sim, [config(), *messages, EOF]))
    assert sim.report[0]["violations"] == [] and list(notes(sim.report[0])) == ["last chunk"]
    assert "20 ms, less than 50" in notes(sim.report[0])["last chunk"]["words"]


def test_after_the_end_nothing_may_come(tmp_path):
    async def run(sim):
        async with connect(sim) as ws:
            await ws.send(config())
            await stream(ws, C100)
            await ws.send(C100)
            await ws.send("{}")
            return await receive_all(ws)

    with Simulator(tmp_path) as sim:
        asyncio.run(run(sim))
    assert violations(sim.report[0])["after eof"]["count"] == 2
    assert violations(sim.report[0])["after eof"]["at_sample"] == 800
    assert sim.report[0]["samples"] == 800


def test_a_transaction_id_is_for_one_connection(tmp_path):
    with Simulator(tmp_path) as sim:
        for _ in range(2):
            call(sim, C100, hello=config(transaction_id=SAME))
    assert sim.report[0]["violations"] == []
    assert list(violations(sim.report[1])) == ["transaction_id"]


def test_fifteen_seconds_without_a_message_end_it(tmp_path):
    """Pings do not count; the service's own limit, so this takes as long."""
    async def run(sim):
        async with connect(sim) as ws:
            await ws.send(config())
            await ws.send(C100)
            reader = asyncio.ensure_future(receive_all(ws))
            for _ in range(14):
                await asyncio.wait({reader}, timeout=1)
                assert not reader.done()
                await ws.ping()
            await asyncio.wait_for(reader, 20)
            return ws.close_code

    with Simulator(tmp_path) as sim:
        assert asyncio.run(run(sim)) == 1000
    assert list(violations(sim.report[0])) == ["idle"]
    assert sim.report[0]["ms"] >= 15000 and sim.report[0]["ended"]["by"] == "simulator"


def test_the_target_is_the_root(tmp_path):
    with Simulator(tmp_path) as sim:
        asyncio.run(say(sim, [config(), EOF], path="/v1?x=1"))
    assert list(violations(sim.report[0])) == ["target"]
    assert sim.report[0]["target"] == "/v1?x=1"


ID = "2f6f3c1e-8a40-4c3c-9d7e-1f2e3d4c5b6a"
AUTH = [  # name, flavour, headers, --expect-key, status, key, violations
    ("new right", "new", {"x-api-key": "k1"}, True, 101, "right", []),
    ("new wrong", "new", {"x-api-key": "k2"}, True, 401, "wrong", ["key"]),
    ("new missing", "new", {}, True, 401, "missing", ["key"]),
    ("new bearer only", "new", {"Authorization": "Bearer k1"}, True, 401, "missing", ["key"]),
    ("seed right", "seed", {"x-api-key": "k1", "x-customer-id": ID}, True, 101, "right", []),
    ("seed no customer", "seed", {"x-api-key": "k1"}, True, 401, "right", ["customer"]),
    ("seed no UUID", "seed", {"x-api-key": "k1", "x-customer-id": "7"}, True, 401, "right",
     ["customer"]),
    ("seed any key", "seed", {"x-api-key": "k9"}, False, 101, "present", ["customer"]),
    ("no key at all", "new", {}, False, 101, "missing", ["key"]),
]


@pytest.mark.parametrize("name,flavour,headers,expect,status,key,broken", AUTH,
                         ids=[a[0] for a in AUTH])
def test_authentication(tmp_path, name, flavour, headers, expect, status, key, broken):
    (tmp_path / "key").write_text("k1\n")
    options = ["--flavour", flavour] + (["--expect-key", str(tmp_path / "key")] if expect else [])

    async def run(sim):
        try:
            async with connect(sim, headers=headers):
                return 101
        except websockets.InvalidStatusCode as e:
            return e.status_code

    with Simulator(tmp_path, *options) as sim:
        assert asyncio.run(run(sim)) == status
    line, = sim.report
    assert (line["key"], [v["kind"] for v in line["violations"]]) == (key, broken)
    assert "k1" not in json.dumps(line) and "k2" not in json.dumps(line)
    seen = {h.lower() for h in line["headers"]} - {"user-agent"}
    assert seen == {h.lower() for h in headers}


# --- the program ----

def run(*options):
    return subprocess.run([BUILD / "asr-sim", *options], capture_output=True, text=True, timeout=20)


def test_it_says_that_it_recognises_nothing(tmp_path):
    assert "recognises nothing" in run("--help").stdout
    assert run("--help").returncode == 0
    with Simulator(tmp_path, stop=signal.SIGINT) as sim:
        pass
    assert "recognises nothing" in sim.stderr and "made up" in sim.stderr


USAGE = [
    ([], 64), (["--dialect", "bodhi"], 64), (["--dialect", "x", "--listen", "127.0.0.1:0"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:70000"], 64),
    (["--dialect", "bodhi", "--listen", "nowhere:1"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--words", "0"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--words", "201"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--flavour", "old"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--tls-cert", "x"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "more"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--bogus"], 64),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--dump", "/nonexistent"], 1),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--script", "/nonexistent"], 1),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--expect-key", "/nonexistent"], 1),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--report", "/nonexistent/x"], 1),
    (["--dialect", "bodhi", "--listen", "127.0.0.1:0", "--tls-cert", "/nonexistent",
      "--tls-key", "/nonexistent"], 1),
]


@pytest.mark.parametrize("options,code", USAGE, ids=[" ".join(u[0][3:]) or str(i)
                                                     for i, u in enumerate(USAGE)])
def test_wrong_options_are_told(options, code):
    done = run(*options)
    assert done.returncode == code and done.stderr and done.stdout == ""


def test_an_address_in_use_is_told(tmp_path):
    with Simulator(tmp_path) as sim:
        done = run("--dialect", "bodhi", "--listen", sim.address)
    assert done.returncode == 2 and sim.address in done.stderr
