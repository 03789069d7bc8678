"""The way through an HTTP proxy, with a proxy that is not ours: what it gets to see, what the
service gets to see, and what is told when it refuses."""
import asyncio
import base64
import contextlib
import ssl
import subprocess

import pytest
import websockets

from simulator import BUILD, TOP, Simulator
from test_websocket_interop import client, closed, tls_server

KEY = "asr-key-0123456789"
LOGIN = "operator:proxy-secret-42"
BASIC = base64.b64encode(LOGIN.encode())


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run([TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


class Proxy:
    """CONNECT to whatever is asked for, always at this machine; keeps what it saw."""

    def __init__(self, answer=b"HTTP/1.1 200 Connection established\r\n\r\n", silent=False):
        self.answer, self.silent = answer, silent
        self.heads, self.up, self.down = [], b"", b""

    async def pump(self, reader, writer, upwards):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if upwards:
                    self.up += data
                else:
                    self.down += data
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return
        self.heads.append(head)
        if self.silent:
            self.up += await reader.read()
        writer.write(self.answer)
        if not self.answer.endswith(b"\n") and b"\r\n\r\n" not in self.answer:
            writer.close()  # cut off
            return
        if self.answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
            port = int(head.split()[1].rsplit(b":", 1)[1])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(self.pump(reader, far_writer, True),
                                 self.pump(far_reader, writer, False))
        else:
            self.up += await reader.read()
        writer.close()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self


def through(proxy, *options, context=None, host="asr.test"):
    """One run of the client through the proxy to a server that says "hello" and wants it back;
    the client's lines and the headers the server saw.  No name server knows asr.test: only the
    proxy is asked for it."""
    seen = []

    async def handler(ws):
        # websockets 13 and newer, and before
        seen.append(ws.request.headers if hasattr(ws, "request") else ws.request_headers)
        await ws.send("hello")
        assert await ws.recv() == "hello"

    async def run():
        await proxy.start()
        async with websockets.serve(handler, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"{'wss' if context else 'ws'}://{host}:{port}/path?key={KEY}q"
            lines = await client(url, "--proxy", proxy.port, "--header", f"x-api-key: {KEY}",
                                 *options)
        proxy.server.close()
        return lines, port

    lines, port = asyncio.run(run())
    return lines, seen, port


def test_tls_through_a_proxy_with_a_login(pki):
    proxy = Proxy()
    lines, seen, port = through(proxy, "--ca", pki / "root.pem", "--proxy-auth", LOGIN,
                                context=tls_server(pki, "good",
                                                   maximum_version=ssl.TLSVersion.TLSv1_2))
    assert lines[0] == "open" and lines[1].startswith("tls TLSv1.2")
    assert closed(lines)[:2] == ("restart", 1000)
    assert proxy.heads == [b"CONNECT asr.test:%d HTTP/1.1\r\nHost: asr.test:%d\r\n"
                           b"Proxy-Authorization: Basic %s\r\n\r\n" % (port, port, BASIC)]
    # the key: to the service, never to the proxy, in no form
    assert seen[0]["x-api-key"] == KEY
    everything = proxy.heads[0] + proxy.up + proxy.down
    assert len(proxy.up) > 500
    for form in (KEY.encode(), base64.b64encode(KEY.encode())):
        assert form not in everything
    # the login: to the proxy, never to the service
    assert b"proxy-secret" not in everything and BASIC not in proxy.up
    for name, value in seen[0].raw_items():
        assert "proxy" not in name.lower()
        assert "proxy-secret" not in value and BASIC.decode() not in value


def test_no_tls_through_a_proxy():
    proxy = Proxy()
    lines, seen, _ = through(proxy, "--proxy-auth", LOGIN)
    assert lines[0] == "open"
    assert seen[0]["x-api-key"] == KEY
    assert KEY.encode() not in proxy.heads[0]
    assert proxy.up.startswith(b"GET /path?key=")  # to the service, inside
    assert b"roxy-" not in proxy.up and BASIC not in proxy.up


def test_no_login_is_sent_where_none_is_given():
    proxy = Proxy()
    lines, _, port = through(proxy, host="[::1]")
    assert lines[0] == "open"
    assert proxy.heads == [b"CONNECT [::1]:%d HTTP/1.1\r\nHost: [::1]:%d\r\n\r\n" % (port, port)]


def test_one_who_reads_along_is_found_out(pki):
    """A proxy that ends TLS itself, with a certificate of its own."""
    for name, words in (("untrusted", "no trusted CA"), ("other", "another name")):
        proxy = Proxy()
        lines, seen, _ = through(proxy, "--ca", pki / "root.pem",
                                 context=tls_server(pki, name))
        assert closed(lines)[0] == "tls" and words in lines[-1]
        assert not seen


REFUSALS = [
    (b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 3\r\n\r\nno!",
     "config", "proxy-auth-file"),
    (b"HTTP/1.1 403 No\r\n\r\n<html>no</html>", "config", "does not let us through"),
    (b"HTTP/1.1 302 Portal\r\nLocation: http://portal/\r\n\r\n", "config", "HTTP 302"),
    (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "tcp", "cannot reach the service"),
    (b"HTTP/1.0 504 Late\r\n\r\n", "tcp", "in time"),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", "config", "check host and port of proxy"),
    (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching", "config", "before the service was asked"),
]


@pytest.mark.parametrize("answer, kind, words", REFUSALS, ids=[r[2] for r in REFUSALS])
def test_refusals_are_told_in_words(pki, answer, kind, words):
    proxy = Proxy(answer)
    lines, seen, _ = through(proxy, "--ca", pki / "root.pem", "--proxy-auth", LOGIN,
                             context=tls_server(pki, "good"))
    assert closed(lines)[:2] == (kind, 0)
    assert words in lines[-1] and "proxy" in lines[-1]
    assert not seen and len(proxy.heads) == 1
    assert KEY.encode() not in proxy.heads[0] + proxy.up
    assert "proxy-secret" not in "".join(lines)


def test_a_proxy_that_repeats_the_request_repeats_no_secret():
    proxy = Proxy(b"HTTP/1.1 407 No\r\nContent-Length: 60\r\n\r\nBasic " + BASIC
                  + b" " + LOGIN.encode() + b" " * 40)
    lines, _, _ = through(proxy, "--proxy-auth", LOGIN)
    assert "secret" not in "".join(lines) and BASIC.decode() not in "".join(lines)


def test_a_proxy_that_says_nothing(pki):
    lines, seen, _ = through(Proxy(silent=True), "--timeout", 200)
    assert closed(lines)[0] == "tcp" and "does not answer" in lines[-1]
    assert not seen


def test_a_proxy_that_hangs_up():
    for part in (b"", b"HTTP/1.1 200"):
        lines, _, _ = through(Proxy(part), "--timeout", 60000)
        assert closed(lines)[0] == "tcp" and "the proxy ended the connection" in lines[-1]


def test_a_proxy_that_is_not_there():
    async def run():
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await client("ws://asr.test:1/", "--proxy", port)

    lines = asyncio.run(run())
    assert closed(lines)[0] == "tcp"
    assert "proxy: no connection to" in lines[-1]


def test_the_pin_is_checked(pki):
    spki = subprocess.run(
        f"openssl x509 -in {pki}/good.pem -noout -pubkey | openssl pkey -pubin -outform DER"
        " | sha256sum", shell=True, check=True, capture_output=True, text=True).stdout.split()[0]
    for pin, opens in ((spki, True), (spki.upper(), True), ("00" * 32, False)):
        lines, seen, _ = through(Proxy(), "--ca", pki / "root.pem", "--pin", pin,
                                 context=tls_server(pki, "good",
                                                    maximum_version=ssl.TLSVersion.TLSv1_2))
        assert (lines[0] == "open") == opens == bool(seen)
        if not opens:
            assert closed(lines)[0] == "tls" and "tls-pin-sha256" in lines[-1]


# --- the daemon -----------------------------------------------------------------------------

def probe(tmp_path, pki, proxy, *more):
    """`trunkscribed --probe` through the proxy to asr-sim with TLS; its result, and the port."""
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "login").write_text(LOGIN + "\n")
    for name in ("key", "login"):
        (tmp_path / name).chmod(0o600)

    async def run(sim):
        await proxy.start()
        port = sim.address.split(":")[1]
        (tmp_path / "conf").write_text(f'''asr "main" {{
          vendor = bodhi model = "hi-banking-v2-8khz" url = "wss://asr.test:{port}/"
          api-key-file = "{tmp_path}/key" tls-ca-file = "{pki}/root.pem"
          proxy = "http://127.0.0.1:{proxy.port}" proxy-auth-file = "{tmp_path}/login"
          {" ".join(more)} }}''')
        process = await asyncio.create_subprocess_exec(
            str(BUILD / "trunkscribed"), "--probe", "main", "-c", str(tmp_path / "conf"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        proxy.server.close()
        return process.returncode, out.decode()

    with Simulator(tmp_path, "--tls-cert", str(pki / "good.pem"), "--tls-key",
                   str(pki / "good.key")) as sim:
        return asyncio.run(run(sim))


def test_the_daemon_goes_through_a_proxy(tmp_path, pki):
    proxy = Proxy()
    code, out = probe(tmp_path, pki, proxy)
    assert code == 0, out
    phases = [line.split()[0] for line in out.splitlines()[1:]]
    assert phases[:4] == ["tcp", "proxy", "tls", "upgrade"], out
    assert len(proxy.heads) == 2  # the second for resumption
    for head in proxy.heads:
        assert b"Basic " + BASIC in head and KEY.encode() not in head
    assert KEY.encode() not in proxy.up + proxy.down
    for secret in (KEY, LOGIN, "proxy-secret", BASIC.decode()):
        assert secret not in out


def test_the_daemon_says_that_the_login_is_wrong(tmp_path, pki):
    code, out = probe(tmp_path, pki, Proxy(REFUSALS[0][0]))
    assert code == 2
    assert "FAILED   config: the proxy answers HTTP 407" in out and "proxy-auth-file" in out


def test_the_daemon_checks_the_pin(tmp_path, pki):
    code, out = probe(tmp_path, pki, Proxy(), f'tls-pin-sha256 = "{"00" * 32}"')
    assert code == 2
    assert "FAILED   tls" in out and "tls-pin-sha256" in out


@pytest.mark.parametrize("content, mode, words", [
    (None, 0o600, "cannot be read"),
    ("user:word\n", 0o640, "can be read by group or others"),
    ("userword\n", 0o600, "holds no user:password"),
    ("\n", 0o600, "is empty"),
])
def test_a_login_that_is_none_is_told_by_the_check(tmp_path, content, mode, words):
    file = tmp_path / "login"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    (tmp_path / "conf").write_text(
        'asr "main" { vendor = bodhi model = "hi-banking-v2-8khz" '
        f'proxy = "http://p:1" proxy-auth-file = "{file}" }}\n')
    done = subprocess.run([str(BUILD / "trunkscribed"), "-t", "-c", str(tmp_path / "conf")],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr and "proxy-auth-file" in done.stderr
    assert done.stderr.startswith(f"{tmp_path}/conf:1: ") and "word:" not in done.stderr
