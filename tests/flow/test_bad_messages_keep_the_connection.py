"""Messages of a service that make no sense are dropped one by one: the connection stays, and so
does what is said between them."""
import asyncio
import json
import threading

import pytest
import websockets

import known_calls
from replay import replay
from sessions import key_file
from simulator import MODEL

MIB = 1 << 20


def result(text="x", **more):
    return {"type": "partial", "segment_id": 99, "text": text, **more}


def sized(n):
    """A message of n bytes that would be a good one."""
    bare = json.dumps(result("", padding=""))
    return json.dumps(result("", padding="p" * (n - len(bare))))


BAD = {
    "not JSON": "{",
    "empty": "",
    "not an object": "[1, 2]",
    "trailing bytes": json.dumps(result()) + "}",
    "a member twice": '{"type": "partial", "type": "partial", "text": "x"}',
    "nested too deep": '{"a": ' + "[" * 40 + "]" * 40 + "}",
    "nested very deep": '{"a": ' + "[" * 60000 + "]" * 60000 + "}",
    "too many values": '{"a": [' + "0, " * 70000 + "0]}",
    "a NUL in a text": '{"type": "partial", "text": "a\\u0000b"}',
    "half a surrogate": '{"type": "partial", "text": "\\ud800"}',
    "a number beyond all": '{"type": "partial", "text": "x", "n": 1e999}',
    "a text that is none": json.dumps(result(5)),
    "a type that is none": json.dumps({"type": 5, "text": "x"}),
    "a time below 0": json.dumps(result(segment_meta={"start_time": -1})),
    "a time of days": json.dumps(result(segment_meta={"start_time": 1e6})),
    "a time of what was never sent": json.dumps(result(segment_meta={"start_time": 3600})),
    "more than 256 KiB": sized(256 * 1024 + 1),
    "4 MiB": sized(4 * MIB),
}
BENIGN = {
    "unknown": '{"type": "weather", "text": "rain"}',
    "no type": '{"hello": [1, 2, {"a": null}]}',
    "256 KiB": sized(256 * 1024),
    "wrong types around": json.dumps(result("", segment_meta=7, language_code=[], eos="no")),
}


class Zoo:
    """Bodhi's dialect: a tenth of a second of audio brings `bad`, and then a good final."""

    def __init__(self, messages):
        self.messages, self.connections, self.said = list(messages), 0, 0
        self.ready, self.loop = threading.Event(), asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.run(),))

    async def serve(self, ws, path=None):
        self.connections += 1
        chunks = 0
        async for message in ws:
            if isinstance(message, str):
                if "eof" in message:
                    await ws.send(json.dumps({"type": "complete", "text": "", "eos": True}))
                continue
            if self.messages:
                await ws.send(self.messages.pop(0))
            at, chunks = chunks / 10, chunks + 1
            await ws.send(json.dumps({
                "type": "complete", "segment_id": chunks, "text": f"part {chunks}",
                "segment_meta": {"start_time": at, "timestamps": [0.1]}}))

    async def run(self):
        self.stop = asyncio.Event()
        async with websockets.serve(self.serve, "127.0.0.1", 0, compression=None) as server:
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


def hear(messages, tmp_path):
    recording = known_calls.Recording(3, seed=6)
    known_calls.write(tmp_path / "x.pcap", [recording.codes], one_way=True)
    with Zoo(messages) as service:
        run = replay(tmp_path / "x.pcap", tmp_path, config=(
            f'asr "a" {{ vendor = "bodhi" url = "ws://127.0.0.1:{service.port}" '
            f'api-key-file = "{key_file(tmp_path)}" model = "{MODEL}" chunk = "100ms" }}\n'
            'route { asr = "a" }\n'))
        assert service.messages == []
    leg, = run.legs
    assert leg.end["asr"]["connections"] == service.connections == 1
    # every one of the good ones, and nothing else
    assert [e["text"] for e in leg.all("segment")] == [f"part {n + 1}" for n in range(30)]
    assert leg.samples["lost"] == 0 and leg.all("gap") == []
    return [e["reason"] for e in leg.all("leg.state") if "reason" in e]


@pytest.mark.parametrize("name", BAD)
def test_one_of_them(name, tmp_path):
    assert hear([BAD[name]], tmp_path) == ["bad_message"]


def test_all_of_them_with_good_ones_between(tmp_path):
    """Told of once, however many there are."""
    assert hear(BAD.values(), tmp_path) == ["bad_message"]


def test_what_is_only_unknown_is_not_bad(tmp_path):
    assert hear(BENIGN.values(), tmp_path) == []
