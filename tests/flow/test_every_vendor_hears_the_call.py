"""Each service, in each of its flavours, gets the whole call and gives its whole transcript.

What the simulator got is the WAV; its finals name every sample of it once; nothing that the
service's pages forbid was sent.  A connection lost on the way costs neither audio nor text.
"""
import asyncio
import json
import re
import subprocess
import threading
import zlib

import pytest
import websockets

from replay import differs, read_wav, replay
from sessions import key_file
from simulator import MODEL, TOP, Simulator

CALL = TOP / "tests/data/captures/local_baresip_call.pcap"
RATE = 8000
TEXT = re.compile(r"pcm(\d+) (\d+)-(\d+) crc32 ([0-9a-f]{8})")

CAMB, FIREWORKS = "/streaming-transcription/listen", "/v1/audio/transcriptions/streaming"
SMALLEST, OLDER = "/waves/v1/stt/live", "/waves/v1/pulse/get_text"
MULAW, ALAW, PCM = ('encoding = "%s"' % e for e in ("mulaw", "alaw", "pcm"))
EN, CPP = 'language = "en"', 'params = {"send_config=false"}'

# name: vendor, flavour, target, configuration, are its finals its own, has it times
SERVICES = {
    "camb": ("camb", "new", CAMB, EN, True, True),
    "camb pcm": ("camb", "new", CAMB, PCM, True, True),
    "camb, nothing final": ("camb", "seed", "/apis/transcription/listen", "", False, True),
    "fireworks": ("fireworks", "new", FIREWORKS, "", True, True),
    "fireworks, nothing final": ("fireworks", "seed", FIREWORKS, EN, False, False),
    "smallest": ("smallest", "new", SMALLEST, EN, True, True),
    "smallest a-law": ("smallest", "new", SMALLEST, EN + " " + ALAW, True, True),
    "smallest, finalize only": ("smallest", "seed", OLDER, EN, True, True),
    "deepgram": ("deepgram", None, "/v1/listen", MULAW, True, True),
    "deepgram pcm": ("deepgram", None, "/v1/listen", PCM, True, True),
    "vosk": ("vosk", "python", "/", "", True, True),
    "vosk alternatives": ("vosk", "python", "/", 'params = {"max_alternatives=2"}', True, True),
    "vosk c++": ("vosk", "cpp", "/", CPP, True, True),
}
each = pytest.mark.parametrize("name", SERVICES)


def hear(name, tmp_path, script=None, speed="max"):
    vendor, flavour, target, more, *_ = SERVICES[name]
    return converse(vendor, flavour, target, more, tmp_path, script=script, speed=speed)


def converse(vendor, flavour, target, more, tmp_path, *options, scheme="ws", script=None,
             speed="max"):
    options = [*options, *(["--flavour", flavour] if flavour else [])]
    with Simulator(tmp_path, *options, dialect=vendor, script=script) as sim:
        key = "" if vendor == "vosk" else f'api-key-file = "{key_file(tmp_path)}" '
        config = (f'asr "sim" {{ vendor = "{vendor}" url = "{sim.url(scheme)}{target}" '
                  f'{key}{more} }}\nroute {{ asr = "sim" }}\n')
        run = replay(CALL, tmp_path, config=config, speed=speed)
    return run, sim


def last_revisions(leg):
    """What stands of a leg's segments in the end, in the order of their numbers."""
    stands = {}
    for e in leg.all("segment"):
        stands[e["segment"]] = e
    return [stands[n] for n in sorted(stands) if stands[n]["state"] != "retracted"]


def dump_of(leg, sim):
    """A leg's audio at the service, told by the finals' own words."""
    first = TEXT.fullmatch(leg.finals[0]["text"])
    rate, begin, end, crc = int(first[1]), int(first[2]), int(first[3]) + 1, first[4]
    return next((rate, pcm) for pcm in (sim.dump(r["connection"]) for r in sim.report)
                if f"{zlib.crc32(pcm[2 * begin:2 * end]):08x}" == crc)


@each
def test_the_whole_call(name, tmp_path):
    *_, own, timed = SERVICES[name]
    run, sim = hear(name, tmp_path)
    assert len(run.legs) == len(sim.report) == 2
    assert all(r["violations"] == [] and r["eof"] for r in sim.report)
    for leg in run.legs:
        rate, pcm = dump_of(leg, sim)
        wav = read_wav(run.directory / f"{leg.name}.wav")
        got = memoryview(pcm).cast("h")
        assert len(got) * RATE // rate >= len(wav)
        if rate == RATE and "alaw" not in SERVICES[name][3]:  # else other samples of the same
            assert differs(got[:len(wav)].tolist(), wav) is None
            assert not any(got[len(wav):])
        at = 0
        for e in last_revisions(leg):
            assert e["state"] == "final" and e.get("synthesised", False) != own
            _, first, last, crc = TEXT.fullmatch(e["text"]).groups()
            first, end = int(first), int(last) + 1
            assert first == at and f"{zlib.crc32(pcm[2 * first:2 * end]):08x}" == crc
            at = end
            if timed:
                until = leg.end["duration_ms"]
                assert abs(e["start_ms"] - min(first * 1000 / rate, until)) <= 1
                assert abs(e["end_ms"] - min(end * 1000 / rate, until)) <= 1
                assert len(e["words"]) > 0
        assert at == len(got), "the finals do not tell of all audio"
        assert leg.samples["sent"] == leg.samples["received"] == len(wav)


@each
def test_a_lost_connection_costs_nothing(name, tmp_path):
    """The first connection is closed in the middle of a segment, the second one is whole."""
    *_, timed = SERVICES[name]
    run, sim = hear(name, tmp_path, script="close 1011 after 40000 samples\n"
                                           "close 1011 after 40000 samples\nok")
    for leg in run.legs:
        assert leg.end["asr"]["connections"] == 2
        assert leg.all("gap") == [] and leg.samples["lost"] == 0
        if not timed:
            continue
        at = 0
        for e in sorted(last_revisions(leg), key=lambda e: e["start_ms"]):
            assert e["state"] == "final"
            assert e["start_ms"] <= at + 1, "text is missing"
            at = max(at, e["end_ms"])
        assert abs(at - leg.end["duration_ms"]) <= 1


@each
def test_a_wrong_key_is_told(name, tmp_path):
    """HTTP 401: the leg fails in words that name the cure, and the replay ends by itself."""
    run, _ = hear(name, tmp_path, script="http 401")
    for leg in run.legs:
        failed = leg.all("leg.state", asr_state="failed")
        assert failed and failed[-1]["reason"] == "auth" and failed[-1]["code"] == 401
        assert leg.finals == []


# Each vendor once over TLS, as its seed has it
OVER_TLS = {
    "bodhi": ("seed", "/", f'model = "{MODEL}" '
              'customer-id = "0f3c9a52-7d1b-4a6e-8a44-2b1f5f5e9c10"'),
    "camb": ("seed", "/apis/transcription/listen", ""),
    "fireworks": ("seed", FIREWORKS, EN),
    "smallest": ("seed", OLDER, EN),
    "deepgram": (None, "/v1/listen", ""),
    "vosk": ("cpp", "/", CPP),
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


@pytest.mark.parametrize("vendor", OVER_TLS)
def test_over_tls(vendor, tmp_path, pki):
    flavour, target, more = OVER_TLS[vendor]
    trust = f' tls-ca-file = "{pki}/root.pem" tls-server-name = "asr.test"'
    run, sim = converse(vendor, flavour, target, more + trust, tmp_path, "--tls-cert",
                        pki / "good.pem", "--tls-key", pki / "good.key", scheme="wss")
    assert len(run.legs) == len(sim.report) == 2
    assert all(r["violations"] == [] and r["eof"] for r in sim.report)
    for leg in run.legs:
        rate, pcm = dump_of(leg, sim)
        assert len(pcm) // 2 * RATE // rate >= leg.samples["received"] == leg.samples["sent"]
        assert leg.all("gap") == []
        at = 0
        for e in last_revisions(leg):
            _, first, last, _ = TEXT.fullmatch(e["text"]).groups()
            assert e["state"] == "final" and int(first) == at
            at = int(last) + 1
        assert at == len(pcm) // 2


class SlowVosk:
    """A server in lock-step that takes its time, and counts what came before its answer.

    Of connection 1 it leaves every 40th audio message unanswered.
    """

    def __init__(self):
        self.connections, self.early, self.unanswered = 0, 0, 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)

    async def serve(self, ws, _path=None):
        self.connections += 1
        forgetful, n, waiting = self.connections == 1, 0, asyncio.Queue()

        async def read():
            async for message in ws:
                waiting.put_nowait(message)
            waiting.put_nowait(None)

        reader = asyncio.ensure_future(read())
        while (message := await waiting.get()) is not None:
            if isinstance(message, str):
                if message == '{"eof" : 1}':
                    await ws.send('{"text":"the end"}')
                    break
                continue
            n += 1
            await asyncio.sleep(0.01)
            if forgetful and n % 40 == 0:
                self.unanswered += 1
                continue
            if n < 60:  # the rest at the end of the leg comes at once
                self.early += waiting.qsize()
            await ws.send(json.dumps({"partial": f"so far {n}"}))
        await ws.close()
        await reader

    def __enter__(self):
        async def listen():
            self.server = await websockets.serve(self.serve, "127.0.0.1", 0, compression=None)
            return self.server.sockets[0].getsockname()[1]
        self.thread.start()
        self.port = asyncio.run_coroutine_threadsafe(listen(), self.loop).result(10)
        return self

    def __exit__(self, *_):
        async def stop():
            self.server.close()
            await self.server.wait_closed()
        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


def test_lock_step_waits_for_each_answer_but_not_for_ever(tmp_path):
    with SlowVosk() as server:
        config = (f'asr "v" {{ vendor = "vosk" url = "ws://127.0.0.1:{server.port}" }}\n'
                  'route { asr = "v" }\n')
        run = replay(CALL, tmp_path, config=config)
    assert server.connections == 2 and server.unanswered == 1 and server.early == 0
    for leg in run.legs:
        assert leg.finals[-1]["text"] == "the end" and leg.samples["lost"] == 0
