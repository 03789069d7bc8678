"""The page in a real browser: both sides' words appear, every text is a text, nothing is loaded."""
import asyncio
import base64
import contextlib
import itertools
import json
import re
import subprocess
import threading
import time
import urllib.request

import pytest
import websockets

from peers import peer
from service import Control, Daemon, bound, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from test_figures_over_http_agree_with_the_events import free_port

NAME = '<script>window.hurt=1</script><img src=x onerror="window.hurt=2">'
WAIT_S = 90


class Page:
    """One tab, driven by its debugging protocol."""

    def __init__(self, ws):
        self.ws, self.ids, self.log = ws, itertools.count(1), []

    async def do(self, method, **params):
        n = next(self.ids)
        await self.ws.send(json.dumps({"id": n, "method": method, "params": params}))
        while True:
            message = json.loads(await asyncio.wait_for(self.ws.recv(), WAIT_S))
            if message.get("id") == n:
                assert "error" not in message, message
                return message["result"]
            self.log.append(message)

    async def value(self, expression):
        result = await self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, expression):
        began = time.monotonic()
        while time.monotonic() < began + WAIT_S:
            value = await self.value(expression)
            if value:
                return value
            await asyncio.sleep(0.1)
        raise AssertionError(f"{expression}: {await self.value('document.body.innerText')}")


def first_tab(where):
    began = time.monotonic()
    while time.monotonic() < began + WAIT_S:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{where}/json/list", timeout=WAIT_S) as answer:
            for tab in json.load(answer):
                if tab["type"] == "page":
                    return tab
        time.sleep(0.1)
    raise AssertionError("the browser opened no tab")


@contextlib.asynccontextmanager
async def chromium(directory):
    package = peer("chromium")
    process = subprocess.Popen(
        [package.path("usr/lib/chromium/chromium"), "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--no-proxy-server", "--remote-debugging-port=0", "--window-size=1100,800",
         f"--user-data-dir={directory}/chromium", "about:blank"],
        env=package.environment(HOME=str(directory)), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            found = re.search(r"DevTools listening on ws://([0-9.:]+)/", line)
            if found:
                break
        else:
            pytest.skip("chromium does not start here: " + "".join(said[-3:]))
        threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
        tab = await asyncio.to_thread(first_tab, found[1])
        async with websockets.connect(tab["webSocketDebuggerUrl"], max_size=None) as ws:
            page = Page(ws)
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.do(f"{domain}.enable")
            yield page
    finally:
        process.kill()
        process.wait()


async def watch(tmp_path, url, legs, over):
    """`legs()` sends audio; `over()` ends the call."""
    async with chromium(tmp_path) as page:
        await page.do("Page.navigate", url=url)
        await page.until("document.querySelectorAll('.call').length == 1")
        await page.until("document.querySelector('#services .good') != null")
        await asyncio.to_thread(legs)
        await page.until("[...document.querySelectorAll('.turn .text')].length >= 2")
        title = await page.value("document.querySelector('.call h3').textContent")
        assert NAME in title
        picture = base64.b64decode((await page.do("Page.captureScreenshot"))["data"])
        assert picture.startswith(b"\x89PNG") and len(picture) > 1000
        (tmp_path / "page.png").write_bytes(picture)
        await asyncio.to_thread(over)
        await page.until("document.querySelector('.call.over') != null")
        left = await page.until(
            "[...document.querySelectorAll('.turn:not(.right) .text')].map(x => x.textContent)")
        right = await page.until(
            "[...document.querySelectorAll('.turn.right .text')].map(x => x.textContent)")
        assert all(re.fullmatch(r"pcm8000 \d+-\d+ crc32 \w+", x) for x in left + right)
        assert not set(left) & set(right)
        assert await page.value("window.hurt === undefined && !document.querySelector('.call img')")
        wrong = [m for m in page.log if m["method"] in
                 ("Runtime.exceptionThrown", "Log.entryAdded")
                 and "favicon" not in json.dumps(m)]
        assert not wrong, wrong
        hosts = {re.match(r"\w+://([^/]+)", m["params"]["request"]["url"])[1] for m in page.log
                 if m["method"] == "Network.requestWillBeSent"
                 and m["params"]["request"]["url"].startswith(("http", "ws"))}
        assert hosts == {url.split("/")[2]}


@pytest.mark.release
def test_page_shows_calls_as_they_go_on(tmp_path):
    port = free_port()
    with Simulator(tmp_path) as sim, Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + f'''
http {{ listen = "127.0.0.1:{port}" transcripts = yes }}
''') as daemon:
        control, streams = Control(daemon.control), []
        for n, role in enumerate(("caller", "agent")):
            _, to = control.add("c", role=role, codec="PCMU", to="+4930", **{"from": NAME})
            streams.append((bound(), to, list(packets(speech(4000, n), 50 + n))))

        def legs():
            began = time.monotonic()
            for i, step in enumerate(zip(*(s[2] for s in streams))):
                time.sleep(max(0, began + i * 0.02 - time.monotonic()))
                for (sender, to, _), packet in zip(streams, step):
                    sender.sendto(packet, to)

        def over():
            for n in (1, 2):
                assert control.ask("leg.end", leg=f"c.{n}")["ok"]

        asyncio.run(watch(tmp_path, f"http://127.0.0.1:{port}/", legs, over))


@pytest.mark.release
def test_without_leave_no_word_is_shown(tmp_path):
    port = free_port()
    with Simulator(tmp_path) as sim, Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + f'''
http {{ listen = "127.0.0.1:{port}" }}
''') as daemon:
        control, sender = Control(daemon.control), bound()
        stream = subprocess.Popen(["/usr/bin/python3", "-u", "-c", f"""
import http.client
c = http.client.HTTPConnection("127.0.0.1", {port})
c.request("GET", "/stream")
for line in c.getresponse():
    print(line.decode(), end="")
"""], stdout=subprocess.PIPE, text=True)
        assert stream.stdout.readline().startswith("retry")
        leg, to = control.add("c", role="caller", codec="PCMU")
        for packet in packets(speech(2000), 5):
            sender.sendto(packet, to)
            time.sleep(0.02)
        assert control.ask("leg.end", leg=leg)["ok"]
        daemon.until("call.end")
        assert daemon.of("segment")
        seen = []
        for line in stream.stdout:
            if line.startswith("data: "):
                seen.append(json.loads(line[6:]))
                if seen[-1]["type"] == "call.end":
                    break
        stream.kill()
        stream.wait()
        kinds = {e["type"] for e in seen}
        assert {"call.start", "leg.start", "leg.end"} <= kinds and "segment" not in kinds
        assert "pcm8000" not in json.dumps(seen)
