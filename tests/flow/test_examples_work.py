"""conf/examples: each configuration is good, each script does what its page says."""
import asyncio
import re
import signal
import subprocess

import pytest
from aiohttp import WSMsgType, web

from live import free_port
from rtpengine import Rtpengine
from service import Daemon, bound, packets, paced, speech
from sessions import asr_config, key_file
from simulator import BUILD, TOP, Simulator
from test_rtpengine_forks_both_parties import connect, heard

EXAMPLES = TOP / "conf" / "examples"
PAGES = sorted(EXAMPLES.glob("*.md"))
PYTHON, WAIT_S = "/usr/bin/python3", 60


def blocks():
    """Every configuration of ours, by its page."""
    for page in PAGES:
        for n, text in enumerate(re.findall(r"(?ms)^```trunkscribe\n(.*?)^```$", page.read_text())):
            yield pytest.param(text, id=f"{page.stem}-{n}")


@pytest.mark.parametrize("text", blocks())
def test_the_configurations_are_good(text, tmp_path):
    file = tmp_path / "trunkscribe.conf"
    common = re.search(r"(?ms)^```trunkscribe\n(.*?)^```$", (EXAMPLES / "README.md").read_text())[1]
    # alone, and with what the first page says all of them need
    for one in (text, text if text == common else "\n".join(
            line for line in common.splitlines() if line.split(" ")[0] not in
            re.findall(r"(?m)^\w+", text)) + "\n" + text):
        file.write_text(one)
        done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                              text=True, check=False, timeout=WAIT_S)
        assert done.returncode == 0 and "rror" not in done.stderr, done.stderr + one


def test_every_page_has_its_lines_and_says_how_to_see_it():
    assert len(PAGES) >= 7
    for page in PAGES:
        text = page.read_text()
        assert "```trunkscribe\n" in text and re.search(r"(?i)see it work|look at one call", text)
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert (EXAMPLES / link).is_file(), f"{page.name}: {link}"
        assert page.name == "README.md" or f"({page.name})" in (EXAMPLES / "README.md").read_text()


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_scripts_run(script, tmp_path):
    subprocess.run([PYTHON, "-c", "import py_compile, sys; py_compile.compile(sys.argv[1], "
                    "cfile=sys.argv[2], doraise=True)", script, tmp_path / "x.pyc"], check=True)
    done = subprocess.run([PYTHON, "-B", script, "--help"], check=True, capture_output=True,
                          text=True, timeout=WAIT_S)
    for option in re.findall(rf"(?m)^{script.name}[^\n]*", "\n".join(
            p.read_text() for p in PAGES)):
        assert set(re.findall(r"--[a-z]+", option)) <= set(re.findall(r"--[a-z]+", done.stdout))


@pytest.mark.parametrize("ends", ["rtpengine", "trunkscribe", "operator"])
def test_rtpengines_parties_are_heard(ends, tmp_path):
    port = free_port()
    with Rtpengine(tmp_path) as engine, Simulator(tmp_path) as sim, Daemon(
            tmp_path, asr_config(sim, key_file(tmp_path)) +
            f'sip {{ listen = {{"tcp:127.0.0.1:{port}"}} }}\n', (25500, 25599)) as daemon:
        caller, agent = connect(engine, "PCMU")
        script = subprocess.Popen(
            [PYTHON, "-B", EXAMPLES / "rtpengine_fork.py", "--ng", f"127.0.0.1:{engine.port}",
             "--srs", f"127.0.0.1:{port}", "--from", "+49301", "--to", "+49302", "c1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert script.stdout.readline() == "200 OK\n"
            said = [speech(1500, 1), speech(1500, 2)]
            paced(*[(sock, ("127.0.0.1", to), list(packets(pcm, 70 + n)))
                    for n, ((sock, to), pcm) in enumerate(zip((caller, agent), said))])
            if ends == "rtpengine":
                engine.ok("delete", call_id="c1", delete_delay=0)
            elif ends == "operator":
                script.send_signal(signal.SIGTERM)
            else:
                daemon.stop()
            daemon.until("call.end")
            assert script.wait(WAIT_S) == 0, script.stderr.read()
        finally:
            script.kill()
            script.wait()
    start, = daemon.of("call.start")
    assert "+49301" in start["from"] and "+49302" in start["to"]
    assert [e["role"] for e in daemon.of("leg.start")] == ["caller", "agent"]
    # what was on its way when it ended is not here
    got = sorted(sim.dump(line["connection"]) for line in sim.report)
    for pcm, whole in zip(got, sorted(heard(pcm, "PCMU") for pcm in said)):
        assert len(pcm) > len(whole) * 3 / 4 and whole.startswith(pcm)
    assert sorted(len(x) // 2 for x in got) == sorted(
        e["audio"]["samples"]["sent"] for e in daemon.of("leg.end"))


class Ari:
    """What of Asterisk's REST interface the script uses, from its documentation."""

    def __init__(self):
        self.asked, self.media, self.bridged = [], {}, []
        self.heard = asyncio.Event()
        self.sockets = []

    async def events(self, request):
        assert request.query["api_key"] == "u:p" and request.query["subscribeAll"] == "true"
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json({"type": "ChannelCreated", "channel": {"id": "1700.1"}})
        await ws.send_json({
            "type": "ChannelUserevent", "eventname": "Transcribe", "channel": {
                "id": "1700.1", "caller": {"number": "+49301", "name": ""},
                "dialplan": {"exten": "+49302", "context": "default"}}})
        self.sockets.append(ws)
        async for message in ws:
            assert message.type == WSMsgType.TEXT
        return ws

    async def rest(self, request):
        assert request.headers["Authorization"] == "Basic dTpw"
        self.asked.append(f"{request.method} {request.path}")
        q = request.query
        if request.path == "/ari/channels/externalMedia":
            assert q["format"] == "ulaw" and q["app"] == "trunkscribe"
            self.media[q["channelId"]] = q["external_host"]
        elif request.path.endswith("/addChannel"):
            self.bridged.append(q["channel"].split(","))
            if len(self.bridged) == 2:
                self.heard.set()
        elif "/snoop/" in request.path:
            assert request.path.startswith("/ari/channels/1700.1/snoop/")
            assert q["spy"] in ("in", "out") and q["app"] == "trunkscribe"
        if request.method == "DELETE" and "snoop" in request.path:
            return web.Response(status=404)
        return web.json_response({})


def test_asterisks_parties_are_heard(tmp_path):
    port, said = free_port(), [speech(1000, 1), speech(1000, 2)]
    login = tmp_path / "login"
    login.write_text("u:p\n")

    async def calls(daemon):
        ari, app = Ari(), web.Application()
        app.router.add_get("/ari/events", ari.events)
        app.router.add_route("*", "/ari/{tail:.*}", ari.rest)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        script = await asyncio.create_subprocess_exec(
            PYTHON, "-B", str(EXAMPLES / "asterisk_external_media.py"), "--ari",
            f"http://127.0.0.1:{port}", "--login", str(login), "--control", str(daemon.control))
        try:
            await asyncio.wait_for(ari.heard.wait(), WAIT_S)
            to = [ari.media[next(c for c in pair if c in ari.media)] for pair in ari.bridged]
            await asyncio.to_thread(paced, *[
                (bound(), ("127.0.0.1", int(at.rpartition(":")[2])), list(packets(pcm, 70 + n)))
                for n, (at, pcm) in enumerate(zip(to, said))])
            await ari.sockets[0].send_json({"type": "ChannelDestroyed",
                                            "channel": {"id": "1700.1"}})
            await asyncio.to_thread(daemon.until, "call.end")
        finally:
            script.kill()
            await script.wait()
            await runner.cleanup()
        return ari

    with Simulator(tmp_path) as sim, Daemon(tmp_path, asr_config(sim, key_file(tmp_path)),
                                            (25600, 25699)) as daemon:
        ari = asyncio.run(calls(daemon))
    daemon.valid()
    start, = daemon.of("call.start")
    assert (start["call"], start["from"], start["to"], start["ids"]) == (
        "1700.1", "+49301", "+49302", {"channel": "1700.1"})
    assert [(e["role"], e["label"]) for e in daemon.of("leg.start")] == [
        ("caller", "in"), ("agent", "out")]
    assert [e["audio"]["samples"]["received"] for e in daemon.of("leg.end")] == [8000, 8000]
    assert {sim.dump(line["connection"]) for line in sim.report} == {
        heard(pcm, "PCMU") for pcm in said}
    assert sum(a.startswith("DELETE /ari/channels/") for a in ari.asked) == 4
    assert sum(a.startswith("DELETE /ari/bridges/") for a in ari.asked) == 2
