"""redact = "pan": no card number leaves the daemon, also when it was said over two finals."""
import asyncio
import json
import threading

import pytest
import websockets

import known_calls
import replay

CARD = "4111111111111111"  # the brand's own number for tests
SECONDS = 4
SAID = {  # after so many messages of audio (100 ms each): the answer's text
    5: {"partial": "my card is four one"},
    8: {"partial": f"my card is {CARD}"},
    10: {"text": "my card is 4111 1111"},
    15: {"partial": "1111 1111"},
    20: {"text": "1111 1111 yes"},
    30: {"text": "it costs 1234 5678 euros"},
}


class Vosk:
    """Speaks as vosk-server does; what it recognises is fixed."""

    def __init__(self):
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    async def serve(self, ws):
        messages, last = 0, 0.0
        async for message in ws:
            if isinstance(message, bytes):
                messages += 1
                answer = SAID.get(messages, {"partial": ""})
            elif "eof" in message:
                await ws.send('{"text": ""}')
                return
            else:
                continue
            if "text" in answer:
                now, words = messages / 10, answer["text"].split()
                step = (now - last) / len(words)
                answer = dict(answer, result=[
                    {"word": w, "conf": 1.0, "start": last + i * step, "end": last + (i + 1) * step}
                    for i, w in enumerate(words)])
                last = now
            await ws.send(json.dumps(answer))

    async def main(self):
        self.over = asyncio.Event()
        async with websockets.serve(self.serve, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.over.wait()

    def run(self):
        self.loop.run_until_complete(self.main())
        self.loop.close()

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(30)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join()


@pytest.mark.parametrize("redact", ["pan", "none"])
def test_card_numbers_are_masked(tmp_path, redact):
    path = tmp_path / "call.pcap"
    known_calls.write(path, [known_calls.Recording(SECONDS).codes], one_way=True)
    with Vosk() as vosk:
        done = replay.replay(path, tmp_path, config=f'''
events {{ socket = "{tmp_path}/e" group = "" redact = "{redact}" }}
asr "v" {{ vendor = "vosk" url = "ws://127.0.0.1:{vosk.port}" chunk = "100ms" }}
route {{ asr = "v" }}
''')
    [leg] = done.legs
    latest = {e["segment"]: e for e in leg.all("segment")}
    texts = [e["text"] for e in latest.values() if e["state"] == "final" and e["text"]]
    if redact == "none":
        assert texts == ["my card is 4111 1111", "1111 1111 yes", "it costs 1234 5678 euros"]
        return
    assert texts == ["my card is **** ****", "**** **** yes", "it costs 1234 5678 euros"]
    first = [e for e in leg.finals if e["text"].startswith("my card")]
    assert [e["rev"] for e in first] == [first[0]["rev"], first[0]["rev"] + 1]
    assert [w["text"] for w in first[1]["words"]] == ["my", "card", "is", "****", "****"]
    assert [w["text"] for w in latest[max(latest) - 1]["words"]] == ["****", "****", "yes"]
    assert CARD.encode() not in done.text
    at = done.lines.index(next(x for x in done.lines if b"**** yes" in x))
    assert not any(b"1111" in x for x in done.lines[at:])
