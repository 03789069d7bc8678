#!/usr/bin/python3
"""The vendors' own sample clients, cut from their pages so that they run against a simulator.

    seed_clients.py NAME URL KEY WAV     print the program NAME (see CLIENTS)

A page's code stays as it is, but for: URL, key, audio file, and `additional_headers`, which
python3-websockets before 14 calls `extra_headers`.  Where a page leaves out what its code needs
(imports, variables it only mentions), that is put in front of it, and said here.
"""
import html
import importlib.metadata
import pathlib
import re
import sys
import textwrap
import uuid

from captures import SHARED

CUSTOMER = uuid.UUID("2f6f3c1e-8a40-4c3c-9d7e-1f2e3d4c5b6a")


class Client:
    """One program: `text` to run, `page` the lines as they were, `front` what was put before."""

    def __init__(self, page, front="", suffix=".py"):
        self.page, self.text, self.front, self.suffix = page, page, front, suffix

    def replace(self, old, new, times=1):
        if self.text.count(old) != times:
            raise ValueError(f"the page has {old!r} {self.text.count(old)} times, not {times}")
        self.text = self.text.replace(old, new)

    def headers_by_their_older_name(self):
        if int(importlib.metadata.version("websockets").split(".")[0]) < 14:
            self.replace("additional_headers", "extra_headers")

    def program(self):
        return self.front + self.text


def seed(number):
    """The text of a page, or None where it is not on this machine."""
    found = sorted((SHARED / "seeds").glob(f"{number}_*.txt"))
    return found[0].read_text() if found else None


def between(text, first, end):
    """From the line that begins with `first` up to the one that begins with `end`."""
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith(first))
    stop = next(i for i, line in enumerate(lines) if i > start and line.startswith(end))
    return "\n".join(lines[start:stop]).rstrip() + "\n"


def fenced(text, heading, language):
    """The first block of code below a heading, less its indentation."""
    below = text[text.index(f"\n{heading}") + 1:]
    block = re.search(rf"^( *)```{language}\n(.*?)^\1```", below, re.S | re.M)
    return textwrap.dedent(block[2])


def bodhi(url, key, wav):
    """The first block opens the connection and has the loop's frame; the others, in the page's
    order, go where its connection is open.  The page names ssl_context, uri, filepath, api_key
    and customer_id without a value, and has `async with` outside a function."""
    page = seed("000")
    below = page[page.index("### Non-SDK Example"):]
    pre = re.search(r'<pre class="language-python"><code class="lang-python">(.*?)</code></pre>',
                    below, re.S)
    frame = html.unescape(re.sub(r"</?strong>", "", pre[1]))
    blocks = re.findall(r"^```python\n(.*?)^```", below, re.S | re.M)
    opened = frame.index("\n    except aiohttp.WSServerHandshakeError")
    inner = "\n".join(textwrap.indent(b.strip("\n"), " " * 12) for b in blocks)
    whole = frame[:opened].rstrip() + "\n" + inner + "\n" + frame[opened:]
    front = ("import asyncio, json, sys, uuid, wave\nimport aiohttp\n"
             f"ssl_context, uri, filepath = None, {url!r}, {str(wav)!r}\n"
             f"api_key, customer_id = {key!r}, {str(CUSTOMER)!r}\n\n\nasync def main():\n")
    client = Client(textwrap.indent(whole, "    ") + "\n\nasyncio.run(main())\n", front)
    client.blocks = [frame, *blocks]
    return client


def camb(url, key, wav):
    client = Client(between(seed("002"), "#!/usr/bin/env python3", "Messages"))
    client.replace("wss://client.camb.ai/apis/transcription/listen", url)
    client.replace("YOUR_API_KEY", key)
    client.replace("sample.wav", str(wav), 2)
    client.headers_by_their_older_name()
    return client


def fireworks(url, key, wav):
    """The page makes its chunks with torch from a FLAC it fetches; here they are a WAV's."""
    front = ("import json, threading, time, urllib.parse, wave\nimport websocket\n"
             "chunk_size_ms = 50\n"
             f"with wave.open({str(wav)!r}, 'rb') as wav:\n"
             "    data = wav.readframes(wav.getnframes())\n"
             "audio_chunk_bytes = [data[i:i + 1600] for i in range(0, len(data), 1600)]\n\n\n"
             "def clear_output(wait):\n    pass\n\n\n")
    client = Client(between(seed("003"), "lock = threading.Lock()", "## Conclusion"), front)
    client.replace("ws://audio-streaming.us-virginia-1.direct.fireworks.ai/v1/audio/"
                   "transcriptions/streaming", url)
    client.replace("<FIREWORKS_API_KEY>", key)
    return client


def smallest_python(url, key, wav):
    """Sends the WAV file as it is, header and all.  The key comes by SMALLEST_API_KEY."""
    client = Client(fenced(seed("004"), "## Python Example", "python"))
    client.replace("wss://api.smallest.ai/waves/v1/pulse/get_text", url)
    client.replace("path/to/audio.wav", str(wav))
    client.headers_by_their_older_name()
    return client


def smallest_node(url, key, wav):
    client = Client(fenced(seed("004"), "## Node.js Example", "javascript"), suffix=".js")
    client.replace("wss://api.smallest.ai/waves/v1/pulse/get_text", url)
    client.replace("path/to/audio.wav", str(wav))
    return client


CLIENTS = {f.__name__: f for f in (bodhi, camb, fireworks, smallest_python, smallest_node)}


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in CLIENTS:
        sys.exit(f"{__doc__}\nCLIENTS: {' '.join(CLIENTS)}")
    sys.stdout.write(CLIENTS[sys.argv[1]](*sys.argv[2:4], pathlib.Path(sys.argv[4])).program())


if __name__ == "__main__":
    main()
