"""The vendors' own sample clients run against asr-sim and finish with a transcript.

So the simulator is judged by programs nobody here wrote.  Where they do what their pages say
not to do, it must have been reported, and they must have been served all the same.
"""
import difflib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import wave

import pytest

import seed_clients
from simulator import Simulator, findings, named, segments, talk, words_of

KEY = "sk-the-key-of-this-test"
SPANS = ((300, False), (1200, True), (500, False), (900, True), (350, False))
# what a client needs: (Python module or None, Debian package)
NEEDS = {"bodhi": ("aiohttp", "python3-aiohttp"), "camb": ("websockets", "python3-websockets"),
         "fireworks": ("websocket", "python3-websocket"),
         "smallest_python": ("websockets", "python3-websockets"),
         "smallest_node": (None, "node-ws")}
PAGES = {"bodhi": "000", "camb": "002", "fireworks": "003", "smallest_python": "004",
         "smallest_node": "004"}
NODE = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}  # where Debian's packages are


def node():
    program = shutil.which("nodejs") or shutil.which("node")
    found = program and subprocess.run([program, "-e", "require('ws')"], env=NODE, timeout=60,
                                       capture_output=True).returncode == 0
    return program if found else None


def need(client):
    module, package = NEEDS[client]
    if not seed_clients.seed(PAGES[client]):
        pytest.skip(f"the vendor's page is not on this machine ({seed_clients.SHARED}/seeds)")
    if not (importlib.util.find_spec(module) if module else node()):
        pytest.skip(f"the Debian package {package} is not installed")


def write_wav(path, rate, spans=SPANS):
    pcm = talk(*spans, rate=rate)
    with wave.open(str(path), "wb") as w:
        w.setparams((1, 2, rate, 0, "NONE", ""))
        w.writeframes(pcm)
    return pcm


def finish(sim, client, tmp_path, path):
    """Run it to its own end; what it printed."""
    cut = seed_clients.CLIENTS[client](sim.url() + path, KEY, tmp_path / "a.wav")
    program = tmp_path / f"client{cut.suffix}"
    program.write_text(cut.program())
    run = [node()] if cut.suffix == ".js" else [sys.executable]
    env = {k: v for k, v in NODE.items() if not k.lower().endswith("_proxy")}
    done = subprocess.run([*run, program], capture_output=True, text=True, timeout=60,
                          env={**env, "SMALLEST_API_KEY": KEY})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return done.stdout


class Told:
    """An asr-sim that knows the key, and the one line of its report."""

    def __init__(self, tmp_path, dialect, flavour, script=None):
        (tmp_path / "key").write_text(KEY + "\n")
        self.sim = Simulator(tmp_path, "--flavour", flavour, "--expect-key",
                             str(tmp_path / "key"), dialect=dialect, script=script)

    def __enter__(self):
        return self.sim.__enter__()

    def __exit__(self, *why):
        self.sim.__exit__(*why)
        if why[0] is None:
            line, = self.sim.report
            assert line["key"] == "right" and line["eof"]
            assert KEY not in json.dumps(line)


def tiles(pcm, rate):
    return [named(pcm, a, b, rate) for a, b in segments(pcm, rate)]


@pytest.mark.parametrize("flavour", ["seed", "new"])
def test_bodhi(tmp_path, flavour):
    need("bodhi")
    pcm = write_wav(tmp_path / "a.wav", 8000)
    with Told(tmp_path, "bodhi", flavour) as sim:
        out = finish(sim, "bodhi", tmp_path, "/")
    assert f"Complete transcript:  {', '.join(tiles(pcm, 8000))}\n" in out
    line, = sim.report
    assert sim.dump() == pcm and line["violations"] == []
    # 3.25 s in pieces of 100 ms: the last has 50; the new host needs no customer
    assert findings(line, "notes") == ({} if flavour == "seed" else {"customer": 1})


@pytest.mark.parametrize("flavour,path", [("seed", "/apis/transcription/listen"),
                                          ("new", "/streaming-transcription/listen")])
def test_camb(tmp_path, flavour, path):
    need("camb")
    pcm = write_wav(tmp_path / "a.wav", 8000)
    with Told(tmp_path, "camb", flavour, script="ready-delay 1s") as sim:
        out = finish(sim, "camb", tmp_path, path)
    said = re.findall(r"\[INTERIM\] '(.*?)'", out)
    assert [t for t in said if "crc32" in t] == tiles(pcm, 8000)
    assert "Ready: server is accepting audio." in out and out.count("Ready:") == 1
    # newer than this client is what ends an utterance
    ends = [x for x in out.splitlines() if "UtteranceEnd" in x]
    assert all(x.startswith("Unhandled") for x in ends)
    assert len(ends) == (len(tiles(pcm, 8000)) if flavour == "new" else 0)
    line, = sim.report
    assert sim.dump() == pcm and line["ended"]["code"] == 1000
    assert list(findings(line)) == ["order"] and "before Ready" in words_of(line, "order")
    assert line["notes"] == []


@pytest.mark.parametrize("flavour", ["seed", "new"])
def test_fireworks(tmp_path, flavour):
    need("fireworks")
    pcm = write_wav(tmp_path / "a.wav", 16000, (*SPANS, (25, False)))
    with Told(tmp_path, "fireworks", flavour) as sim:
        out = finish(sim, "fireworks", tmp_path, "/v1/audio/transcriptions/streaming")
    want = [f" - {i}: {text}" for i, text in enumerate(tiles(pcm, 16000))]
    assert out.splitlines()[-len(want):] == want and "Error" not in out
    line, = sim.report
    assert sim.dump() == pcm and line["violations"] == []
    assert findings(line, "notes") == {"last chunk": 1}
    assert "25 ms, less than 50" in words_of(line, "last chunk", "notes")


@pytest.mark.parametrize("client", ["smallest_python", "smallest_node"])
def test_smallest(tmp_path, client):
    """Both take the header of the WAV for audio; 4,096 bytes each 50 ms are 2.5 times too fast."""
    need(client)
    write_wav(tmp_path / "a.wav", 16000, SPANS * 2)
    heard = (tmp_path / "a.wav").read_bytes()
    with Told(tmp_path, "smallest", "seed") as sim:
        out = finish(sim, client, tmp_path, "/waves/v1/pulse/get_text")
    want = tiles(heard, 16000)
    assert re.findall(r"^Final: (.*)$", out, re.M) == want
    assert f"Full transcript: {' '.join(want)}\n" in out
    assert out.count("Transcription complete!") == 1
    line, = sim.report
    assert sim.dump() == heard and line["violations"] == []
    if len(heard) / 32 > line["ms"] * 1.25 + 2000:  # unless this machine was too slow
        assert "faster than 1.25 times" in words_of(line, "pace", "notes")


def test_finalize_is_no_end_any_more(tmp_path):
    """The page's client waits for ever at a server of today: nothing is is_last."""
    need("smallest_python")
    write_wav(tmp_path / "a.wav", 16000, ((300, True),))
    with Simulator(tmp_path, dialect="smallest") as sim:
        cut = seed_clients.smallest_python(sim.url() + "/waves/v1/pulse/get_text", KEY,
                                           tmp_path / "a.wav")
        with subprocess.Popen([sys.executable, "-u", "-c", cut.program()], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env={**os.environ, "SMALLEST_API_KEY": KEY}) as run:
            try:
                assert any(line.startswith("Final: pcm16000 0-") for line in run.stdout)
                with pytest.raises(subprocess.TimeoutExpired):
                    run.wait(1)
            finally:
                run.kill()
            assert "Transcription complete!" not in run.stdout.read()
    line, = sim.report
    assert line["eof"] is False and line["finals"] == 1 and line["violations"] == []


# --- the scissors ------------------------------------------------------------------------------

TOUCHED = {
    "camb": ["websockets.connect|url: str =|sample.wav|YOUR_API_KEY|additional_headers", 5],
    "fireworks": ['^url = "ws://|<FIREWORKS_API_KEY>', 2],
    "smallest_python": ["^BASE_WS_URL|^AUDIO_FILE|additional_headers", 3],
    "smallest_node": ["new URL|AUDIO_FILE =", 2],
}


@pytest.mark.parametrize("client", TOUCHED)
def test_nothing_else_is_touched(tmp_path, client):
    if not seed_clients.seed(PAGES[client]):
        pytest.skip(f"the vendor's page is not on this machine ({seed_clients.SHARED}/seeds)")
    pytest.importorskip("websockets", reason="the Debian package python3-websockets is missing")
    cut = seed_clients.CLIENTS[client]("ws://127.0.0.1:1/x", KEY, tmp_path / "a.wav")
    page = " ".join(seed_clients.seed(PAGES[client]).split())
    assert " ".join(cut.page.split()) in page
    lost = [x[2:] for x in difflib.ndiff(cut.page.splitlines(), cut.text.splitlines())
            if x.startswith("- ")]
    pattern, most = TOUCHED[client]
    assert 2 <= len(lost) <= most and all(re.search(pattern, x) for x in lost)


def test_the_blocks_of_bodhi_are_as_they_were(tmp_path):
    if not seed_clients.seed("000"):
        pytest.skip(f"the vendor's page is not on this machine ({seed_clients.SHARED}/seeds)")
    cut = seed_clients.bodhi("ws://127.0.0.1:1/", KEY, tmp_path / "a.wav")
    lines = [x.strip() for x in cut.text.splitlines() if x.strip()]
    frame, *blocks = [[x.strip() for x in b.splitlines() if x.strip()] for b in cut.blocks]
    at = [i for i in range(len(lines)) if lines[i:i + len(blocks[0])] == blocks[0]][0]
    inner = [x for b in blocks for x in b]
    assert lines[at:at + len(inner)] == inner and len(blocks) == 4
    assert lines[:at] + lines[at + len(inner):] == frame + ["asyncio.run(main())"]
