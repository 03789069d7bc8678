"""FreeSWITCH's audio websockets: clients by Python's websockets and Node's ws.

What mod_audio_fork and mod_audio_stream do is written down here: text first (anything the
dial plan wants), then L16 little-endian as binary messages, text at any time.
"""
import array
import asyncio
import base64
import contextlib
import json
import pathlib
import random
import shutil
import socket
import ssl
import subprocess
import uuid

import pytest
import websockets

from live import free_port
from serving import Service
from sessions import asr_config, key_file
from simulator import BUILD, Simulator, talk

WAIT_S = 60
NODE, WS = shutil.which("node"), pathlib.Path("/usr/share/nodejs/ws")


def speech(*spans, seed=1):
    return bytes(talk(*spans, seed=seed))


def stereo(first, second):
    out = array.array("h")
    for a, b in zip(array.array("h", first), array.array("h", second)):
        out.extend((a, b))
    return out.tobytes()


def config(port, more="", extra=""):
    return f'websocket {{ listen = {{"tcp:127.0.0.1:{port}"}} {more} }}\n{extra}'


def connect(port, path="/", scheme="ws", **more):
    return websockets.connect(f"{scheme}://127.0.0.1:{port}{path}", max_size=None,
                              open_timeout=WAIT_S, **more)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 2 * WAIT_S))


async def speak(ws, pcm, size=320):
    for i in range(0, len(pcm), size):
        await ws.send(pcm[i:i + size])


def test_stereo_is_two_legs(tmp_path):
    """Sample for sample, in messages of any length; as jambonz tells of it."""
    port, rng = free_port(), random.Random(3)
    said = [speech((3000, True), seed=i) for i in (1, 2)]
    told = {"callSid": "a1-b2", "callId": "9@h", "from": "+49301", "to": "+49302",
            "sampleRate": 8000, "mixType": "stereo", "accountSid": "acc", "n": 7, "x": None,
            "nested": {"a": 1}, "event": "connected"}

    async def call():
        async with connect(port, "/fork?x=1", subprotocols=["audio.drachtio.org"],
                           compression="deflate") as ws:
            assert ws.subprotocol == "audio.drachtio.org" and not ws.extensions
            await ws.send(json.dumps(told))
            both, at = stereo(*said), 0
            while at < len(both):
                n = 4 * rng.choice((1, 2, 79, 80, 160, 1000, 4001))
                await ws.send(both[at:at + n])
                at += n
                if rng.random() < 0.1:
                    await ws.send(json.dumps({"event": "dtmf", "dtmf": "5", "duration": "100"}))

    events = f'events {{ socket = "{tmp_path}/events.sock" group = "" dtmf = yes }}\n'
    with Simulator(tmp_path) as sim, Service(tmp_path, config(
            port, 'path = "/fork"', events + asr_config(sim, key_file(tmp_path)))) as service:
        run(call())
        service.until("call.end")
    service.valid()
    start, = service.of("call.start")
    assert (start["call"], start["source"], start["from"], start["to"], start["sip_call_id"]) == (
        "a1-b2", "websocket", "+49301", "+49302", "9@h")
    assert start["ids"] == {"accountSid": "acc", "n": "7", "event": "connected"}
    assert [(e["leg"], e["role"], e["role_source"], e["label"]) for e in service.of("leg.start")] \
        == [("a1-b2.1", "caller", "channel", "1"), ("a1-b2.2", "agent", "channel", "2")]
    for e in service.of("leg.end"):
        assert e["audio"]["samples"] == {"received": 24000, "sent": 24000, "lost": 0, "paused": 0}
        assert (e["reason"], e["duration_ms"]) == ("hangup", 3000) and "rtp" not in e
    assert {e["digit"] for e in service.of("dtmf")} == {"5"}
    assert {sim.dump(line["connection"]) for line in sim.report} == set(said)


@pytest.mark.parametrize("more, told, legs", [
    ("", "", [("unknown", None)]),                          # no metadata at all
    ("", "agent 7, queue 3", [("unknown", None)]),          # any text
    ("", "[1]", [("unknown", None)]),
    ("", '{"role":"agent","language":"hi"}', [("agent", "metadata")]),
    ('mix = "mixed"', "{}", [("mixed", "mix")]),
    ('mix = "mixed"', '{"mix":"mono","role":"caller"}', [("caller", "metadata")]),
    ('mix = "stereo"', "{}", [("caller", "channel"), ("agent", "channel")]),
    ('mix = "stereo" stereo = "agent-caller"', "{}", [("agent", "channel"), ("caller", "channel")]),
    ("", '{"channels":2,"role":"agent"}', [("agent", "metadata"), ("caller", "metadata")]),
    ("", '{"from":"","to":7,"call":"a b","rate":1,"callSid":["x"]}', [("unknown", None)])])
def test_what_the_metadata_says(more, told, legs, tmp_path):
    port = free_port()

    async def call():
        async with connect(port) as ws:
            if told:
                await ws.send(told)
            await ws.send(b"ab" * 1600)                 # audio, whatever it looks like

    with Service(tmp_path, config(port, more)) as service:
        run(call())
        service.until("call.end")
    service.valid()
    assert [(e["role"], e.get("role_source")) for e in service.of("leg.start")] == legs
    assert all(e["audio"]["samples"]["received"] == 1600 // len(legs)
               for e in service.of("leg.end"))
    start, = service.of("call.start")
    assert uuid.UUID(start["call"]) and "from" not in start
    assert start.get("ids", {}).get("metadata") == (told if told and told[0] != "{" else None)


def test_finals_go_back(tmp_path):
    """As mod_audio_fork understands them; the same as on the event socket."""
    port, got = free_port(), []
    said = speech((1500, True), (1500, False), (1500, True), (1500, False))

    async def call(service):
        async with connect(port) as ws:
            await ws.send(json.dumps({"call": "c9"}))
            await speak(ws, said)
            while len(got) < 2:
                got.append(json.loads(await ws.recv()))
            service.until("leg.media")

    with Simulator(tmp_path) as sim, Service(tmp_path, config(
            port, "send-transcripts = yes", asr_config(sim, key_file(tmp_path)))) as service:
        run(call(service))
        service.until("call.end")
    service.valid()
    finals = [e for e in service.of("segment") if e["state"] == "final"]
    assert len(finals) >= 2
    for message, event in zip(got, finals):
        assert message["type"] == "transcription"
        del event["seq"]
        assert message["data"] == event


@pytest.mark.parametrize("send, code", [
    (['{"sampleRate":16000}'], 1003), (['{"sample_rate":"16k"}', bytes(640)], 1003),
    (["", bytes(321)], 1003), (['{"mix":"stereo"}', bytes(322)], 1003),
    (["{}", bytes(300 * 1024)], 1008)])
def test_what_is_wrong_ends_its_connection_only(send, code, tmp_path):
    port, said = free_port(), speech((500, True))

    async def call():
        async with connect(port) as good:
            await good.send('{"call":"good"}')
            await good.send(said[:3200])
            async with connect(port) as bad:
                for message in send:
                    await bad.send(message)
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await bad.recv()
            assert closed.value.code == code and closed.value.reason
            await good.send(said[3200:])

    with Service(tmp_path, config(port)) as service:
        run(call())
        service.until("call.end", 2)
    service.valid()
    ends = {e["call"]: e for e in service.of("leg.end")}
    assert ends.pop("good")["audio"]["samples"]["received"] == len(said) // 2
    bad, = ends.values()
    assert bad["reason"] in ("codec", "bad_message")
    assert (bad["reason"] == "codec") == ("ample" in send[0])
    assert "a connection ends" in service.stderr


@pytest.mark.parametrize("speed, closes", [(2, True), (1, False)])
def test_audio_of_another_rate_shows_in_how_fast_it_comes(speed, closes, tmp_path):
    """Said by nobody: 16 kHz, or stereo that is taken for mono.  What was late is no reason."""
    port = free_port()

    async def call():
        async with connect(port) as ws:
            loop, frame = asyncio.get_running_loop(), bytes(320 * speed)
            began = loop.time()
            with contextlib.suppress(websockets.ConnectionClosed):
                for _ in range(0 if closes else 250):     # 5 s that had to wait
                    await ws.send(frame)
                for n in range(500):
                    await asyncio.sleep(began + n * 0.02 - loop.time())
                    await ws.send(frame)
                return None
            return ws.close_code, ws.close_reason

    with Service(tmp_path, config(port)) as service:
        ended = run(call())
        end = service.until("leg.end")
        service.until("call.end")
    service.valid()
    if closes:
        assert ended[0] == 1003 and "rate (8k) and mix" in ended[1] and end["reason"] == "codec"
        assert service.of("leg.state")[-1]["reason"] == "codec"
    else:
        assert ended is None and end["audio"]["samples"]["received"] == 750 * 160


def test_who_may_come_in(tmp_path):
    port, secret = free_port(), tmp_path / "login"
    secret.write_text("fs:open-sesame\n")
    secret.chmod(0o600)
    basic = "Basic " + base64.b64encode(b"fs:open-sesame").decode()

    async def status(path="/a", **headers):
        try:
            async with connect(port, path, extra_headers=headers):
                return 101
        except websockets.InvalidStatusCode as refused:
            return refused.status_code

    async def calls(service):
        assert await status(Authorization=basic) == 101
        assert await status(Authorization="Bearer fs:open-sesame") == 101
        assert await status() == 401
        assert await status(Authorization="Basic " + base64.b64encode(b"fs:x").decode()) == 401
        assert await status("/b", Authorization=basic) == 404
        assert service.control().ask("drain")["ok"]
        assert await status(Authorization=basic) == 503
        assert service.control().ask("drain", cancel=True)["ok"]
        assert await status(Authorization=basic) == 101

    with Service(tmp_path, config(port, f'path = "/a" auth-file = "{secret}" '
                                        'permit = {"127.0.0.1"}')) as service:
        run(calls(service))
        stranger = socket.socket()
        stranger.settimeout(WAIT_S)
        stranger.bind(("127.0.0.2", 0))
        stranger.connect(("127.0.0.1", port))
        assert stranger.recv(100) == b""
    assert "127.0.0.2 is not in permit" in service.stderr
    assert "does not know the secret" in service.stderr and "sesame" not in service.stderr


def test_so_many_and_no_more(tmp_path):
    """Calls count; a subprotocol is taken when it is one, and others do not matter."""
    port = free_port()

    async def calls(service):
        long, other = "x" * 65, 'a"b'
        first = [await connect(port, subprotocols=[s]) for s in ("x" * 64, long, "media")]
        assert [ws.subprotocol for ws in first] == ["x" * 64, None, "media"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(100) == b""
        await first[0].send('{"call":"a"}')
        await first[0].close()
        service.until("call.end")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write((f"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                      f"Sec-WebSocket-Protocol: {other}\r\n\r\n").encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 ") and b"-Protocol" not in answer
        writer.close()
        for ws in first[1:]:
            ws.transport.abort()

    with Service(tmp_path, config(port, "max-connections = 3")) as service:
        run(calls(service))
    service.valid()
    assert service.stderr.count("is one too many") == 1


def test_floods_do_not_touch_a_call(tmp_path):
    """Silent connections before and behind the upgrade: a bounded number, for seconds."""
    port, said = free_port(), speech((1000, True))

    async def calls(service):
        async with connect(port) as good:
            await good.send('{"call":"good"}')
            await good.send(said[:4000])
            service.until("leg.media")
            upgraded = [await connect(port, ping_interval=None) for _ in range(9)]
            silent = []
            for _ in range(200):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                silent.append((reader, writer))
            at_once = 0
            for reader, writer in silent:
                at_once += await reader.read(100) == b""
                writer.close()
            assert at_once == 200, "closed, at once or when their time was up"
            for ws in upgraded:
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await ws.recv()
                assert closed.value.code == 1008
            await good.send(said[4000:])

    with Service(tmp_path, config(port, "max-connections = 40")) as service:
        run(calls(service))
        end = service.until("leg.end")
        service.until("call.end")
    service.valid()
    assert end["audio"]["samples"]["received"] == len(said) // 2
    assert len(service.of("call.start")) == 1
    assert service.stderr.count("max-connections") == 1


def test_one_that_does_not_read_is_not_waited_for(tmp_path):
    """Its transcripts are dropped, its audio is not."""
    port, asr = free_port(), free_port()
    said = speech((4000, True))

    async def recogniser(ws, *_):
        """Vosk's protocol, and very talkative."""
        async for message in ws:
            if isinstance(message, bytes):
                await ws.send(json.dumps({"text": "word " * 8000}))
            elif "eof" in message:
                await ws.send('{"text": ""}')

    async def call(service):
        async with websockets.serve(recogniser, "127.0.0.1", asr, max_size=None):
            ws = await connect(port, ping_interval=None, max_queue=1)
            ws.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                                             2048)
            ws.transport.pause_reading()
            await speak(ws, said, 3200)
            finals = 0
            while finals < 10:
                event = await asyncio.to_thread(service.until, "segment")
                finals += event["state"] == "final" and len(event["text"]) > 1000
            await speak(ws, said, 3200)
            ws.transport.abort()
            await asyncio.to_thread(service.until, "call.end")

    with Service(tmp_path, config(port, "send-transcripts = yes", (
            f'asr "v" {{ vendor = "vosk" url = "ws://127.0.0.1:{asr}" }}\n'
            'route { asr = "v" }\n'))) as service:
        run(call(service))
    service.valid()
    end, = service.of("leg.end")
    assert 32000 < end["audio"]["samples"]["received"] <= 64000
    assert service.stderr.count("a client does not read") == 1
    assert " 0 transcripts not sent" not in service.stderr


def test_over_tls(tmp_path):
    port = free_port()
    crt, key = tmp_path / "crt", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", crt, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(crt))

    async def call():
        async with connect(port, scheme="wss", ssl=context) as ws:
            await ws.send('{"call":"t"}')
            await ws.send(bytes(16000))

    text = f'websocket {{ listen = {{"tls:127.0.0.1:{port}"}} tls-cert-file = "{crt}" ' \
           f'tls-key-file = "{key}" }}\n'
    with Service(tmp_path, text) as service:
        run(call())
        assert service.until("leg.end")["audio"]["samples"]["received"] == 8000


def test_the_end_of_the_service_is_told(tmp_path):
    port = free_port()

    async def call(service):
        async with connect(port) as ws:
            await ws.send('{"call":"t"}')
            await ws.send(bytes(16000))
            service.until("leg.media")
            service.stop()
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.code == 1001

    with Service(tmp_path, config(port)) as service:
        run(call(service))
        assert service.until("call.end")["reason"] == "drain"
    service.valid()


CLIENT = r"""
const ws = require("ws");
const s = new ws.WebSocket(process.argv[1], "audio.drachtio.org", {perMessageDeflate: true});
let pong = false;
s.on("open", () => {
    if (s.extensions !== "" || s.protocol !== "audio.drachtio.org") process.exit(2);
    s.send(JSON.stringify({call: "node"}));
    s.send(Buffer.alloc(640, 1), {binary: true, fin: false});
    s.ping("x");                       // in the middle of a message
    s.send(Buffer.alloc(640, 1), {binary: true, fin: true});
});
s.on("pong", () => s.close(1000, "done"));
s.on("close", (code) => process.exit(code === 1000 ? 0 : 3));
"""


@pytest.mark.skipif(not NODE or not WS.exists(),
                    reason="packages nodejs and node-ws are not installed")
def test_nodes_ws_speaks_with_it(tmp_path):
    port = free_port()
    with Service(tmp_path, config(port)) as service:
        done = subprocess.run([NODE, "-e", CLIENT, f"ws://127.0.0.1:{port}/"], check=False,
                              timeout=WAIT_S, env={"NODE_PATH": "/usr/share/nodejs"})
        assert done.returncode == 0
        assert service.until("leg.end")["audio"]["samples"]["received"] == 640
        service.until("call.end")
    service.valid()


@pytest.mark.parametrize("section, words", [
    ('listen = {"tls:127.0.0.1:1"}', "needs tls-cert-file and tls-key-file"),
    ('listen = {"udp:127.0.0.1:1"}', "websocket: listen"), ('path = "fork"', 'such as "/fork"'),
    ('permit = {"localhost"}', "websocket: permit"), ('mix = "both"', "mono mixed stereo"),
    ('auth-file = "/nonexistent"', "/nonexistent")])
def test_the_check_tells_what_is_wrong(section, words, tmp_path):
    file = tmp_path / "c.conf"
    file.write_text(f"websocket {{ {section} }}\n")
    done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1 and "c.conf:1: websocket" in done.stderr, done.stderr
    assert words in done.stderr, done.stderr
