"""A service that leaves more segments open than are kept: none goes in silence."""
import asyncio
import json
import threading

import websockets

import known_calls
from replay import replay
from sessions import key_file
from simulator import MODEL

SEGMENTS, KEPT = 100, 64


class OpenEnded:
    """Bodhi's dialect: a new segment begun with each tenth of a second, only the last finished."""

    def __init__(self):
        self.ready, self.loop = threading.Event(), asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.run(),))

    async def serve(self, ws, path=None):
        n = 0
        async for message in ws:
            if isinstance(message, str):
                if "eof" in message:
                    await self.say(ws, n, "complete", eos=True)
                continue
            if n < SEGMENTS - 1:
                await self.say(ws, n, "partial")
                n += 1

    @staticmethod
    async def say(ws, n, kind, **more):
        await ws.send(json.dumps({
            "type": kind, "segment_id": n, "text": f"words {n}",
            "segment_meta": {"start_time": n / 10, "timestamps": [0.1]}, **more}))

    async def run(self):
        self.stop = asyncio.Event()
        async with websockets.serve(self.serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.stop.wait()

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()
        self.loop.close()


def test_each_of_them_has_an_end(tmp_path):
    recording = known_calls.Recording(12, seed=5)
    codes, _ = recording.part(0, 12 * known_calls.RATE)
    known_calls.write(tmp_path / "x.pcap", [codes], one_way=True)
    with OpenEnded() as service:
        run = replay(tmp_path / "x.pcap", tmp_path, config=(
            f'asr "a" {{ vendor = "bodhi" url = "ws://127.0.0.1:{service.port}" '
            f'api-key-file = "{key_file(tmp_path)}" model = "{MODEL}" chunk = "100ms" }}\n'
            'route { asr = "a" }\n'))
    leg, = run.legs
    last = {}
    for e in leg.all("segment"):
        before = last.get(e["segment"], {"rev": 0})
        assert e["rev"] == before["rev"] + 1
        last[e["segment"]] = e
    assert len(last) == SEGMENTS
    ends = [last[n]["state"] for n in sorted(last)]
    # those that there was no room for, those open at the end, and the one it finished
    assert ends == ["retracted"] * (SEGMENTS - KEPT) + ["final"] * KEPT
    assert [bool(last[n].get("synthesised")) for n in sorted(last)][-KEPT:] == \
        [True] * (KEPT - 1) + [False]
