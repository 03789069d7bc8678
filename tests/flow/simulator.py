"""asr-sim under test: start it, talk to it with python3-websockets, read its report."""
import array
import asyncio
import json
import math
import os
import pathlib
import random
import signal
import ssl
import subprocess
import uuid
import zlib

import websockets
# which 10 and 15 have alike
from websockets.legacy.client import connect as legacy_connect

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
MODEL = "hi-banking-v2-8khz"
KEY = {"x-api-key": "k1"}


class Simulator:
    """A running asr-sim; leaving the block ends it by SIGTERM and reads the report."""

    def __init__(self, directory, *options, dialect="bodhi", script=None, env=None,
                 stop=signal.SIGTERM, listen="127.0.0.1:0"):
        self.listen = listen
        self.dialect = dialect
        self.directory = pathlib.Path(directory)
        self.options = list(options)
        self.stop_signal = stop
        self.env = {**os.environ, **(env or {})}
        self.report_path = self.directory / "report.jsonl"
        if script is not None:
            path = self.directory / "script"
            path.write_text(script)
            self.options += ["--script", str(path)]
        self.report = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [BUILD / "asr-sim", "--dialect", self.dialect, "--listen", self.listen,
             "--report", str(self.report_path), "--dump", str(self.directory), *self.options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env)
        line = self.process.stdout.readline()
        if not line.startswith("listening 127.0.0.1:"):
            raise AssertionError(f"not ready: {line!r} {self.process.stderr.read()}")
        self.address = line.split()[1]
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(self.stop_signal)
        rest, self.stderr = self.process.communicate(timeout=20)
        if self.report_path.exists():
            self.report = [json.loads(x) for x in self.report_path.read_text().splitlines()]
        if kind is None:
            assert self.process.returncode == 0, self.stderr
            assert rest == ""

    def url(self, scheme="ws"):
        return f"{scheme}://{self.address}"

    def dump(self, n=1):
        return (self.directory / f"{n}.pcm").read_bytes()


def config(**fields):
    base = {"sample_rate": 8000, "transaction_id": str(uuid.uuid4()), "model": MODEL}
    return json.dumps({"config": {k: v for k, v in {**base, **fields}.items() if v is not None}})


EOF = '{"eof": 1}'


def connect(sim, headers=None, context=None, **more):
    return legacy_connect(sim.url("wss" if context else "ws"), compression=None,
                              extra_headers=KEY if headers is None else headers, ssl=context,
                              max_size=None, ping_interval=None, **more)


async def receive_all(ws, until_eos=True):
    """Every message up to eos (or the close)."""
    got = []
    try:
        async for message in ws:
            got.append(json.loads(message))
            if until_eos and got[-1].get("eos"):
                break
    except websockets.ConnectionClosed:
        pass
    return got


async def stream(ws, pcm, chunk=1600, end=True):
    for at in range(0, len(pcm), chunk):
        await ws.send(pcm[at:at + chunk])
    if end:
        await ws.send(EOF)


def call(sim, pcm, chunk=1600, hello=None, **how):
    """One whole session; what came back."""
    async def run():
        async with connect(sim, **how) as ws:
            await ws.send(hello or config())
            reader = asyncio.ensure_future(receive_all(ws))
            await stream(ws, pcm, chunk)
            return await asyncio.wait_for(reader, 20)
    return asyncio.run(run())


class Session:
    """What came back of one session with any dialect."""

    def __init__(self):
        self.got = []       # messages, as JSON
        self.cut = []       # texts that are none
        self.code = None    # of the close frame; 1006: there was none
        self.reason = None

    def kinds(self, kind, key="type"):
        return [m for m in self.got if m.get(key) == kind]


async def converse(sim, target, headers, messages, until=None, ready=None, answers=False,
                   timeout=20):
    """Send these (numbers: wait so many seconds); read until the close, or until(message).

    ready(message): wait for it before anything is sent.  answers: wait for one answer to each
    binary message.
    """
    session = Session()
    go, more = asyncio.Event(), asyncio.Queue()
    if not ready:
        go.set()

    async def read(ws):
        try:
            async for text in ws:
                more.put_nowait(text)
                try:
                    session.got.append(json.loads(text))
                except ValueError:
                    session.cut.append(text)
                    continue
                if ready and ready(session.got[-1]):
                    go.set()
                if until and until(session.got[-1]):
                    break
        except websockets.ConnectionClosed:
            pass
        go.set()
        more.put_nowait(None)

    async with legacy_connect(sim.url() + target, compression=None, extra_headers=headers,
                                  max_size=None, ping_interval=None) as ws:
        reader = asyncio.ensure_future(read(ws))
        await asyncio.wait_for(go.wait(), timeout)
        try:
            for m in messages:
                if isinstance(m, (int, float)):
                    await asyncio.sleep(m)
                    continue
                await ws.send(m)
                if answers and isinstance(m, bytes):
                    await asyncio.wait_for(more.get(), timeout)
        except websockets.ConnectionClosed:
            pass
        await asyncio.wait_for(reader, timeout)
        await ws.close()
        session.code, session.reason = ws.close_code, ws.close_reason
    return session


def chunks(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def refused(sim, target, headers):
    """The HTTP status and headers of an upgrade that was not to be."""
    async def run():
        try:
            async with legacy_connect(sim.url() + target, extra_headers=headers):
                return 101, {}
        except websockets.InvalidStatusCode as e:
            return e.status_code, e.headers
    return asyncio.run(run())


def findings(line, which="violations"):
    """{kind: how often} of one line of the report."""
    return {v["kind"]: v["count"] for v in line[which]}


def words_of(line, kind, which="violations"):
    return next(v["words"] for v in line[which] if v["kind"] == kind)


def finals(messages):
    return [m for m in messages if m.get("type") == "complete"]


def partials(messages):
    return [m for m in messages if m.get("type") == "partial"]


# --- audio and an own reading of the rules --help tells ---------------------------------------

def talk(*spans, rate=8000, seed=1):
    """Spans of (milliseconds, loud?) as PCM16LE: noisy vowels and a quiet line."""
    rng = random.Random(seed)
    out = array.array("h")
    for ms, loud in spans:
        for i in range(ms * rate // 1000):
            tone = 6000 * math.sin(2 * math.pi * 210 * i / rate) if loud else 0
            out.append(int(tone + rng.randint(-60, 60)))
    return out.tobytes()


def segments(pcm, rate=8000, pause_ms=300):
    """[first, end) of each segment, by blocks of 10 ms."""
    samples = array.array("h", pcm)
    block, first, quiet, spoke, out = rate // 100, 0, 0, False, []
    for at in range(0, len(samples) - block + 1, block):
        loud = sum(map(abs, samples[at:at + block])) >= 256 * block
        spoke, quiet = spoke or loud, 0 if loud else quiet + 1
        end = at + block
        if (spoke and quiet * 10 >= pause_ms) or end - first >= 8 * rate:
            out.append((first, end))
            first, quiet, spoke = end, 0, False
    if first < len(samples):
        out.append((first, len(samples)))
    return out


def named(pcm, first, end, rate=8000):
    return f"pcm{rate} {first}-{end - 1} crc32 {zlib.crc32(pcm[2 * first:2 * end]):08x}"


def context_for(ca):
    return ssl.create_default_context(cafile=str(ca))
