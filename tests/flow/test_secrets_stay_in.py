"""After whatever goes wrong no key is in the log, the events, the process's arguments or its
environment, and no core is written.

The services here are hostile: they repeat the key in every place that the daemon tells people of.
"""
import asyncio
import base64
import contextlib
import hashlib
import os
import re
import resource
import signal
import subprocess
import threading
import time

import pytest

from oracle.pcapgen import Call, Capture
from simulator import BUILD, MODEL, TOP, talk
from test_websocket_interop import tls_server

KEY = "sk-live-0123456789abcdef"
LOGIN = "operator:proxy-password-9876"
SECRETS = [KEY, LOGIN, LOGIN.split(":")[1]]
SECRETS += [base64.b64encode(s.encode()).decode().rstrip("=") for s in SECRETS]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run([TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    c = Capture()
    call = Call(c).start()
    s = call.sender("caller", 200_000)
    s.speak(memoryview(talk((300, False), (1200, True), (500, False))).cast("h"))
    c.add(s.sent)
    call.bye(s.t_us + 20_000)
    return c.write(tmp_path_factory.mktemp("call") / "x.pcap")


@contextlib.contextmanager
def listening(serve, context=None):
    """`serve(reader, writer)` for each connection, in a thread; its port."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    port = []

    async def one(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            await serve(reader, writer)
        writer.close()

    async def start():
        server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run():
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(lambda *_: None)  # a client that does not like us
        loop.create_task(start())
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield port[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def server_frame(opcode, payload):
    n = len(payload)
    return bytes([0x80 | opcode]) + (bytes([n]) if n < 126 else b"\x7e" + n.to_bytes(2, "big")) \
        + payload


def http(status, headers=b""):
    """Everything that was asked, in the answer."""
    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        body = KEY.encode() + b" is bad: " + head
        writer.write(b"HTTP/1.1 %d No\r\n%sContent-Length: %d\r\n\r\n" % (
            status, headers, len(body)) + body)
        await writer.drain()
    return serve


GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def websocket(*frames):
    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)[1]
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
                     + base64.b64encode(hashlib.sha1(key + GUID).digest()) + b"\r\n\r\n"
                     + b"".join(frames))
        await reader.read()
    return serve


async def no_http(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"-ERR {KEY} unknown\r\n".encode())


def text(t):
    return server_frame(1, t.encode())


BAD = f'{{"type": "error", "message": "the key {KEY} is bad", "code": 401, "error": "{KEY}"}}'
# name: what the service (or the proxy) does, and what has to be told
ROWS = {
    "401": (http(401, b"WWW-Authenticate: " + KEY.encode() + b"\r\n"), "auth"),
    "403": (http(403), "auth"),
    "500 with an id": (http(500, b"x-request-id: " + KEY.encode() + b"\r\n"), "server"),
    "no HTTP": (no_http, "protocol"),
    "an error in-band": (websocket(text(BAD)), None),
    "wrong messages": (websocket(*[text(m) for m in (
        KEY, f'{{"type": "{KEY}"}}', f'{{"type": "complete", "text": 5, "{KEY}": 1}}',
        f'[["{KEY}"]]', KEY * 10)]), "bad_message"),
    "1008 with a reason": (websocket(server_frame(8, b"\x03\xf0" + f"key {KEY}".encode())), None),
    "4001 with a reason that is cut": (websocket(server_frame(
        8, b"\x0f\xa1" + (b"x" * 90 + KEY.encode()))), None),
    "frames against the rules": (websocket(b"\xf1\x18" + KEY.encode()), "protocol"),
    "TLS: not trusted": ("untrusted", "tls"),
    "TLS: another name": ("other", "tls"),
    "proxy: 407": (http(407), "config"),
    "proxy: 502": (http(502), "tcp"),
    "proxy: no proxy": (no_http, "config"),
}


def check_silent(where, *texts):
    for t in texts:
        for secret in SECRETS:
            at = t.find(secret)
            assert at < 0, f"{where}: {t[max(0, at - 100):at + 60]!r}"


def seen_of(process):
    """What everybody on the machine can see while it runs."""
    for name in ("cmdline", "environ", "status"):
        # environ of a process that leaves no core is closed to all but root
        with contextlib.suppress(OSError), open(f"/proc/{process.pid}/{name}", "rb") as f:
            yield f.read().decode(errors="replace")


class Run:
    """One replay with a hostile service.  It is over when the call is, or so long after it told of
    the fault (a replay waits 20 s for a service that may come back)."""

    AFTER_S, ALL_S = 2, 60

    def __init__(self, stack, directory, pki, path, what, proxy):
        tls = isinstance(what, str)
        self.directory, self.seen, self.until = directory, [], None
        for file, secret in (("key", KEY), ("login", LOGIN)):
            (directory / file).write_text(secret + "\n")
            (directory / file).chmod(0o600)

        async def nothing(reader, _):
            await reader.read()

        port = stack.enter_context(listening(nothing if tls else what,
                                             tls_server(pki, what) if tls else None))
        more = f'proxy = "http://127.0.0.1:{port}" proxy-auth-file = "{directory}/login"'
        (directory / "conf").write_text(
            f'asr "a" {{ vendor = bodhi model = "{MODEL}" api-key-file = "{directory}/key" '
            f'url = "{"wss" if tls or proxy else "ws"}://127.0.0.1:{1 if proxy else port}/" '
            f'tls-ca-file = "{pki}/root.pem" tls-server-name = "asr.test" '
            f'{more if proxy else ""} }}\nroute {{ asr = "a" }}\n')
        self.log = open(directory / "log", "wb")
        self.process = subprocess.Popen(
            [str(BUILD / "trunkscribed"), "--replay", str(path), "-c", str(directory / "conf"),
             "--speed", "1", "--events", str(directory / "events"), "--log", "debug"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=directory)
        stack.callback(self.log.close)
        stack.callback(self.process.wait)
        stack.callback(self.process.kill)

    def text(self, name):
        file = self.directory / name
        return file.read_text(errors="replace") if file.exists() else ""

    def over(self):
        if self.process.poll() is not None:
            return True
        self.seen += seen_of(self.process)
        if not self.until and '"reason":' in self.text("events"):
            self.until = time.monotonic() + self.AFTER_S
        return bool(self.until) and time.monotonic() > self.until


@pytest.fixture(scope="module")
def runs(tmp_path_factory, pki, path):
    """All at once."""
    with contextlib.ExitStack() as stack:
        found = {name: Run(stack, tmp_path_factory.mktemp("run"), pki, path, what,
                           name.startswith("proxy"))
                 for name, (what, _) in ROWS.items()}
        end = time.monotonic() + Run.ALL_S
        while not all([r.over() for r in found.values()]) and time.monotonic() < end:
            time.sleep(0.02)
    return found


@pytest.mark.parametrize("name", ROWS)
def test_no_key_gets_out(runs, name):
    run = runs[name]
    events, log = run.text("events"), run.text("log")
    assert run.process.returncode in (0, -signal.SIGKILL), log
    assert '"leg.state"' in events and any("--replay" in s for s in run.seen)
    told = re.findall(r'"reason":"(\w+)"', events)
    assert (ROWS[name][1] or told[0]) in told, events
    assert log
    check_silent("/proc", *run.seen)
    for file in run.directory.iterdir():
        if file.name not in ("key", "login"):
            check_silent(file.name, run.text(file.name))


def dumped(command, directory, ready):
    """Did a core come of it, when it aborts where cores are allowed?"""
    process = subprocess.Popen(
        command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    ready(process)
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    assert os.WIFSIGNALED(status) or os.WIFEXITED(status)
    return os.WCOREDUMP(status) or any(f.name.startswith("core") for f in directory.iterdir())


def test_no_core_is_written(tmp_path, path):
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        pytest.skip("cores are limited here: nothing would be seen")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    if not dumped(["sleep", "60"], tmp_path / "a", lambda p: time.sleep(0.1)):
        pytest.skip("no program writes a core here (kernel.core_pattern)")
    events = tmp_path / "events"

    def running(process):
        while not (events.exists() and events.stat().st_size):
            assert process.poll() is None
            time.sleep(0.01)

    assert not dumped([str(BUILD / "trunkscribed"), "--replay", str(path), "--speed", "1",
                       "--events", str(events)], tmp_path / "b", running)
