"""asr-sim's faults on purpose: each line of a script does what --help says."""
import asyncio
import json
import socket
import struct
import subprocess

import pytest
import websockets

from simulator import (BUILD, EOF, KEY, Simulator, call, config, connect, finals, named, partials,
                       receive_all, stream, talk)

PCM = talk((3000, True), (400, False), (1000, True))


def session(sim, pcm=PCM, **how):
    """Messages, close code (1006: none came, None: we closed) and HTTP status of one session."""
    async def run():
        try:
            async with connect(sim, **how) as ws:
                got = []
                reader = asyncio.ensure_future(receive_all(ws))
                try:
                    await ws.send(config())
                    await stream(ws, pcm)
                except websockets.ConnectionClosed:
                    pass
                try:
                    got = await asyncio.wait_for(reader, 20)
                except asyncio.TimeoutError:
                    pass
                return got, ws.close_code if ws.closed else None, 101
        except websockets.InvalidStatusCode as e:
            return e.headers, None, e.status_code
    return asyncio.run(run())


def test_lines_are_for_connections_in_order_and_the_last_stays(tmp_path):
    script = "# in order\n\nhttp 401\n2x http 503 # twice\nhttp 429 retry-after 2\nok\n"
    with Simulator(tmp_path, script=script) as sim:
        seen = [session(sim) for _ in range(6)]
    assert [s[2] for s in seen] == [401, 503, 503, 429, 101, 101]
    assert seen[3][0]["Retry-After"] == "2" and "Retry-After" not in seen[0][0]
    assert [r["plan"] for r in sim.report] == ["http 401"] + ["2x http 503"] * 2 + [
        "http 429 retry-after 2", "ok", "ok"]
    assert [r["ended"]["code"] for r in sim.report] == [401, 503, 503, 429, 1000, 1000]


def test_wrong_accept_key(tmp_path):
    with Simulator(tmp_path, script="wrong-accept") as sim:
        with pytest.raises(websockets.InvalidHandshake, match="(?i)accept"):
            session(sim)


def test_a_late_answer(tmp_path):
    with Simulator(tmp_path, script="delay 300ms\nok") as sim:
        async def run():
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connect(sim), 0.1)
        asyncio.run(run())
        assert session(sim)[2] == 101
    with Simulator(tmp_path, script="delay 200ms; close 1012") as sim:
        assert session(sim)[1] == 1012


# At exactly that sample, whatever the chunk: what was taken is in the account
AT = [
    ("close 1011 after 16000 samples", 1011, 16000, None),
    ("close 1012 at-sample 16001", 1012, 16001, None),
    ("close 4999 at 1 sample", 4999, 1, None),
    ("reset after 16000 samples", 1006, 16000, None),
    ("fin after 16000 samples", 1006, 16000, None),
    ("error 400 after 16000 samples", 1000, 16000, {"error": "an error on purpose, from the script",
                                                    "code": 400}),
    ("error 503 other after 16000 samples", 1000, 16000,
     {"error": "bodhi_error", "message": "an error on purpose, from the script", "code": 503,
      "timestamp": "2026-01-02T03:04:05Z"}),
]


@pytest.mark.parametrize("script,code,samples,last", AT, ids=[a[0] for a in AT])
def test_ends_at_a_sample(tmp_path, script, code, samples, last):
    with Simulator(tmp_path, script=script) as sim:
        got, closed, _ = session(sim)
    assert closed == code
    line, = sim.report
    assert line["samples"] == samples and sim.dump() == PCM[:2 * samples]
    assert line["ended"]["by"] == "simulator" and line["eof"] is False
    assert finals(got) == []
    if last:
        assert got[-1] == last


@pytest.mark.parametrize("chunk", [800, 1600, 8000])
def test_finals_before_the_sample_are_told(tmp_path, chunk):
    with Simulator(tmp_path, script="close 1011 after 27000 samples") as sim:
        got = call(sim, PCM, chunk=chunk)
    assert [m["text"] for m in finals(got)] == [named(PCM, 0, 26400)]
    assert sim.report[0]["samples"] == 27000


def test_at_the_end_of_audio(tmp_path):
    with Simulator(tmp_path, script="close 1011 after eof") as sim:
        got, code, _ = session(sim)
    assert code == 1011 and len(finals(got)) == 1
    assert (sim.report[0]["eof"], sim.report[0]["samples"]) == (True, len(PCM) // 2)


@pytest.mark.parametrize("script,code", [("close 1013 after 100ms", 1013), ("reset at 100ms", 1006),
                                         ("fin after 100ms", 1006), ("error 402 at 100ms", 1000)])
def test_after_a_time(tmp_path, script, code):
    async def run(sim):
        async with connect(sim) as ws:
            await ws.send(config())
            got = await asyncio.wait_for(receive_all(ws), 20)
            return got, ws.close_code

    with Simulator(tmp_path, script=script) as sim:
        got, closed = asyncio.run(run(sim))
    assert closed == code
    assert ([m["code"] for m in got] == [402]) == script.startswith("error")


def test_a_mute_service_listens_and_says_nothing(tmp_path):
    async def run(sim):
        async with connect(sim) as ws:
            await ws.send(config())
            await stream(ws, PCM)
            await asyncio.wait_for(await ws.ping(), 20)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(ws.recv(), 0.2)

    with Simulator(tmp_path, script="mute") as sim:
        asyncio.run(run(sim))
    assert sim.report[0]["samples"] == len(PCM) // 2 and sim.report[0]["eof"]


def test_mute_from_a_sample_on(tmp_path):
    async def run(sim):
        async with connect(sim) as ws:
            await ws.send(config())
            await stream(ws, PCM)
            await asyncio.wait_for(await ws.ping(), 20)
            await ws.close()
            return [json.loads(m) async for m in ws]

    with Simulator(tmp_path, script="mute after 8000 samples") as sim:
        got = asyncio.run(run(sim))
    assert [m["text"] for m in got] == [f"pcm8000 0-{800 * n - 1}" for n in range(1, 10)]


def test_a_stall_answers_no_ping_and_may_end(tmp_path):
    async def run(sim, ends):
        async with connect(sim) as ws:
            await ws.send(config())
            await stream(ws, PCM)
            pong = await ws.ping()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(pong), 0.2)
            if not ends:
                told = [await asyncio.wait_for(ws.recv(), 20) for _ in range(9)]
                assert json.loads(told[-1])["text"] == "pcm8000 0-7199"
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(ws.recv(), 0.2)
                ws.transport.abort()  # nobody would answer a close
                return None
            got = await asyncio.wait_for(receive_all(ws), 20)
            await asyncio.wait_for(pong, 20)
            return got

    with Simulator(tmp_path, script="stall after 8000 samples\nstall 700ms after 8000 samples") \
            as sim:
        asyncio.run(run(sim, False))
        got = asyncio.run(run(sim, True))
    assert [m["text"] for m in finals(got)] == [named(PCM, 0, 26400), named(PCM, 26400, 35200)]
    assert len(partials(got)) == 43


def test_slow_reading_fills_the_client_up(tmp_path):
    """Far more than sockets hold, at 1,000 bytes a second: sending must block."""
    async def run(sim):
        async with connect(sim, write_limit=1024) as ws:
            await ws.send(config())
            sent = 0
            with pytest.raises(asyncio.TimeoutError):
                while sent < 64 << 20:
                    await asyncio.wait_for(ws.send(b"\0" * 8000), 0.5)
                    sent += 8000
            ws.transport.abort()
            return sent

    with Simulator(tmp_path, script="slow 1000") as sim:
        assert asyncio.run(run(sim)) < 32 << 20


def test_slow_reading_takes_all_in_the_end(tmp_path):
    pcm = talk((1000, True))
    with Simulator(tmp_path, script="slow 100000") as sim:
        got = call(sim, pcm)
    assert [m["text"] for m in finals(got)] == [named(pcm, 0, 8000)]


def test_messages_that_are_odd(tmp_path):
    script = "big 300000; bad-json 3; twice; wild-times after 26400 samples"

    async def run(sim):
        async with connect(sim) as ws:
            await ws.send(config())
            await stream(ws, PCM)
            texts = []
            async for m in ws:
                texts.append(m)
                if '"eos":true' in m and len([t for t in texts if '"eos":true' in t]) == 2:
                    break
            return texts

    with Simulator(tmp_path, script=script) as sim:
        texts = asyncio.run(run(sim))
    assert len(texts[0]) == 300000 and json.loads(texts[0])["type"] == "filler"
    for cut in texts[1:4]:
        with pytest.raises(json.JSONDecodeError):
            json.loads(cut)
    good = [json.loads(t) for t in texts[4:]]
    assert [m["text"] for m in finals(good)] == [named(PCM, 0, 26400)] * 2 + [
        named(PCM, 26400, 35200)] * 2
    starts = [m["segment_meta"]["start_time"] for m in good]
    assert set(starts[:33]) == {0.0} and {-1, 1e12, -1e300, 1e300} & set(starts[35:])


# --- below what the websockets module shows ------------------------------------------------------

def raw_client(sim):
    host, port = sim.address.split(":")
    s = socket.create_connection((host, int(port)), timeout=20)
    s.sendall((f"GET / HTTP/1.1\r\nHost: {sim.address}\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Version: 13\r\nx-api-key: k\r\n\r\n").encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(1)
    assert data.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in data  # RFC 6455 section 1.3
    return s


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        assert part
        data += part
    return data


def test_pings_and_raw_bytes(tmp_path):
    with Simulator(tmp_path, script="pings 3; raw 8f00c1FF") as sim:
        with raw_client(sim) as s:
            assert read_exactly(s, 10) == b"\x89\x00" * 3 + b"\x8f\x00\xc1\xff"


def test_a_reset_is_a_reset(tmp_path):
    with Simulator(tmp_path, script="reset") as sim:
        with raw_client(sim) as s, pytest.raises(ConnectionResetError):
            s.recv(1)


def test_fin_is_no_reset_and_no_close_frame(tmp_path):
    with Simulator(tmp_path, script="fin") as sim:
        with raw_client(sim) as s:
            assert s.recv(100) == b""


def test_a_client_that_vanishes_is_reported(tmp_path):
    with Simulator(tmp_path) as sim:
        s = raw_client(sim)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        call(sim, PCM)
        with raw_client(sim):
            pass
        call(sim, PCM)
        left = raw_client(sim)
        call(sim, PCM)
    left.close()
    ended = {r["connection"]: r["ended"]["by"] for r in sim.report}
    assert ended == {1: "network", 2: "client", 3: "network", 4: "client", 5: "simulator",
                     6: "client"}


# --- the grammar ----------------------------------------------------------------------------------

WRONG = ["http", "http 99", "http 600", "http 101", "http x", "close 999", "close 5000", "delay",
         "delay 5", "delay 1s after 2s", "ok after 1s", "stall 5", "explode", "close 1000 1001",
         "close 1000 after", "close 1000 after 5", "close 1000 after 5 packets", "reset 5", "raw",
         "raw 123", "raw zz", "raw " + "00" * 65, "pings 0", "big 10", "ok;", ";ok", "0x ok",
         "ok; ok; ok; ok; ok; ok; ok; ok; ok", "http 429 retry-after x", "error", "slow 0"]


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_script_is_told_with_its_line(tmp_path, line):
    (tmp_path / "script").write_text(f"# one\nok\n{line}\nok\n")
    done = subprocess.run([BUILD / "asr-sim", "--dialect", "bodhi", "--listen", "127.0.0.1:0",
                           "--script", tmp_path / "script"], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 1 and "line 3: " in done.stderr and done.stdout == ""


def test_an_empty_script_has_no_faults(tmp_path):
    with Simulator(tmp_path, script="\n# nothing\n   \n") as sim:
        assert finals(call(sim, PCM))[-1]["eos"]
    assert "plan" not in sim.report[0]
