"""Our websocket client against servers that are not ours: python3-websockets, Python's ssl
(OpenSSL), and bare sockets that answer as no library would."""
import asyncio
import contextlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import zlib

import pytest
import websockets

from simulator import BUILD, TOP

CLIENT = BUILD / "tests/tools/websocket_client"
TIMEOUT_S = 60


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run([TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


async def client(url, *options):
    """Run the client; its lines."""
    process = await asyncio.create_subprocess_exec(
        str(CLIENT), url, *map(str, options),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    try:
        out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except asyncio.TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, (out, err)
    return out.decode().splitlines()


def closed(lines):
    """Class, code, retry_ms and text of the last line."""
    word, kind, code, retry, text = lines[-1].split(" ", 4)
    assert word == "closed"
    return kind, int(code), int(retry), text


def with_server(handler, *options, scheme="ws", context=None, **more):
    """Run `handler(ws)` of python3-websockets (permessage-deflate on, as is its default) against
    one run of the client; the client's lines and what the handler returned."""
    returned = []

    async def serve(ws):
        returned.append(await handler(ws))

    async def run():
        async with websockets.serve(serve, "127.0.0.1", 0, ssl=context,
                                    max_size=None, **more) as server:
            port = server.sockets[0].getsockname()[1]
            return await client(f"{scheme}://127.0.0.1:{port}/path?q=1", *options)

    lines = asyncio.run(run())
    return lines, returned


def with_socket(serve, *options, scheme="ws", context=None):
    """The same with bare bytes: `serve(reader, writer)`."""
    async def run():
        async def one(reader, writer):
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                writer.close()
                await writer.wait_closed()

        server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        try:
            return await client(f"{scheme}://127.0.0.1:{port}/", *options)
        finally:
            server.close()
            await server.wait_closed()

    return asyncio.run(run())


async def request_key(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    return next(line.split(b":")[1].strip() for line in head.split(b"\r\n")
                if line.lower().startswith(b"sec-websocket-key"))


async def accept_head(reader):
    key = (await request_key(reader)).decode()
    accept = websockets.utils.accept_key(key) if hasattr(websockets.utils, "accept_key") \
        else websockets.headers.accept_key(key)
    return (f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").encode()


# --- python3-websockets ------------------------------------------------------------------

def test_messages_of_every_size_come_back_equal():
    sizes = [1, 125, 126, 1000, 65535, 65536, 262144]

    async def handler(ws):
        if hasattr(ws, "request"):  # websockets 13 and newer
            extensions, headers, path = ws.protocol.extensions, ws.request.headers, ws.request.path
        else:
            extensions, headers, path = ws.extensions, ws.request_headers, ws.path
        assert extensions == []  # deflate was there to be had
        assert headers["Authorization"] == "Token k"
        assert path == "/path?q=1"
        for size in sizes:
            text, binary = "ä" * (size // 2) + "x" * (size % 2), bytes(size)
            await ws.send(text)
            assert await ws.recv() == text
            await ws.send(binary)
            assert await ws.recv() == binary
        return "done"

    lines, returned = with_server(handler, "--header", "Authorization: Token k")
    assert returned == ["done"]
    assert [x for x in lines if x.startswith("text")] == [
        "text %d %08x" % (n, zlib.crc32(("ä" * (n // 2) + "x" * (n % 2)).encode()))
        for n in sizes]
    assert [x for x in lines if x.startswith("binary")] == [
        "binary %d %08x" % (n, zlib.crc32(bytes(n))) for n in sizes]


def test_fragments_pings_and_text_cut_inside_characters():
    async def handler(ws):
        await ws.send(iter(["Tr", "ün", "k", "", "scribe"]))
        assert await ws.recv() == "Trünkscribe"
        await ws.send(bytes([i]) for i in range(200))
        assert await ws.recv() == bytes(range(200))
        for payload in (b"", b"p" * 125):
            pong = await ws.ping(payload)
            await asyncio.wait_for(pong, 5)
        return "done"

    assert with_server(handler)[1] == ["done"]


def test_a_message_too_long_is_read_past():
    async def handler(ws):
        await ws.send(bytes(262145))
        await ws.send("on")
        return await ws.recv()

    lines, returned = with_server(handler, compression=None)
    assert returned == ["on"]
    assert "dropped 262145" in lines


def test_a_message_over_4_mib_is_refused_with_1009():
    async def handler(ws):
        with pytest.raises(websockets.ConnectionClosed):
            await ws.send(bytes(4 * 1024 * 1024 + 1))
            await ws.recv()
        return ws.close_code

    lines, returned = with_server(handler, compression=None)
    assert closed(lines)[:2] == ("protocol", 1009)
    assert returned == [1009]


@pytest.mark.parametrize("code, kind", [
    (1000, "restart"), (1001, "restart"), (1003, "protocol"), (1008, "server"),
    (1011, "server"), (1012, "restart"), (1013, "quota"), (1014, "quota"),
    (3008, "server"), (4029, "server")])
def test_close_codes_and_reasons(code, kind):
    async def handler(ws):
        await ws.close(code, "grund: ü")
        return ws.close_code

    lines, returned = with_server(handler)
    assert closed(lines)[:2] == (kind, code)
    assert "grund: ü" in lines[-1]
    assert returned == [code]  # it was answered


def test_finish_is_answered():
    async def handler(ws):
        await ws.wait_closed()
        return ws.close_code

    lines, returned = with_server(handler, "--finish", 0)
    assert closed(lines)[:2] == ("none", 1000)
    assert returned == [1000]


# --- OpenSSL -----------------------------------------------------------------------------

def tls_server(pki, name, **settings):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    for key, value in settings.items():
        if key == "ciphers":
            context.set_ciphers(value)
        else:
            setattr(context, key, value)
    context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    return context


def with_openssl(context, *options):
    """One run of the client against a server that ends with the handshake; asyncio's would not
    send the alert that says why."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        conn, _ = listener.accept()
        with contextlib.suppress(OSError), context.wrap_socket(conn, server_side=True) as tls:
            tls.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return asyncio.run(client("wss://127.0.0.1:%d/" % listener.getsockname()[1], *options))
    finally:
        thread.join()
        listener.close()


async def echo_one(ws):
    await ws.send("hello")
    return await ws.recv()


@pytest.mark.parametrize("name, settings", [
    ("chained", {}), ("rsa2048", {}),
    ("good", {"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}),
    ("rsa2048", {"ciphers": "ECDHE-RSA-AES256-GCM-SHA384"}),
])
def test_tls_with_openssl(pki, name, settings):
    context = tls_server(pki, name, maximum_version=ssl.TLSVersion.TLSv1_2, **settings)
    lines, returned = with_server(echo_one, "--ca", pki / "root.pem", "--name", "asr.test",
                                  scheme="wss", context=context)
    assert returned == ["hello"]
    assert any(x.startswith("tls TLSv1.2 TLS-ECDHE-") for x in lines), lines


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_sessions_are_resumed(pki, version):
    """The highest that both have; of TLS 1.3 by the tickets that come behind the handshake."""
    context = tls_server(pki, "good", maximum_version=version)
    lines, returned = with_server(echo_one, "--ca", pki / "root.pem", "--name", "asr.test",
                                  "--times", 4, scheme="wss", context=context)
    assert returned == ["hello"] * 4
    assert [x[-1] for x in lines if x.startswith("tls")] == ["0", "1", "1", "1"]


@pytest.mark.parametrize("name, settings, host, words", [
    ("client_only", {}, "asr.test", "not for servers"),
    ("other", {}, "asr.test", "another name"),
    ("untrusted", {}, "asr.test", "no trusted CA"),
    ("expired", {}, "asr.test", "expired"),
    ("cn_only", {}, "asr.test", "subjectAltName"),
    ("sha1", {}, "asr.test", "SHA-1"),
    ("rsa1024", {}, "asr.test", "too short"),
    ("wildcard", {}, "a.b.asr.test", "another name"),
    ("good", {"maximum_version": ssl.TLSVersion.TLSv1_1,
              "minimum_version": ssl.TLSVersion.TLSv1}, "asr.test", "TLS"),
    ("rsa2048", {"ciphers": "AES128-SHA", "maximum_version": ssl.TLSVersion.TLSv1_2},
     "asr.test", "TLS"),
    ("good", {"ciphers": "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
              "maximum_version": ssl.TLSVersion.TLSv1_2}, "asr.test", "TLS"),
])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_that_must_be_refused(pki, name, settings, host, words):
    settings = {"maximum_version": ssl.TLSVersion.TLSv1_2, **settings}
    lines = with_openssl(tls_server(pki, name, **settings), "--ca", pki / "root.pem",
                         "--name", host)
    kind, _, _, text = closed(lines)
    assert kind == "tls"
    assert words in text
    assert "open" not in lines


# --- servers no library would be ----------------------------------------------------------

def test_an_answer_and_frames_byte_by_byte():
    async def serve(reader, writer):
        for byte in await accept_head(reader) + b"\x01\x02\xc3\xbc\x80\x01!\x88\x02\x03\xf5":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    lines = with_socket(serve)
    assert lines[:2] == ["open", "text 3 %08x" % zlib.crc32("ü!".encode())]
    assert closed(lines)[:2] == ("quota", 1013)


def test_frames_in_one_piece_with_the_answer():
    async def serve(reader, writer):
        writer.write(await accept_head(reader) + b"\x81\x02hi\x88\x00")
        await reader.read()

    lines = with_socket(serve)
    assert lines[:2] == ["open", "text 2 %08x" % zlib.crc32(b"hi")]
    assert closed(lines)[:2] == ("restart", 1005)


@pytest.mark.parametrize("answer, kind, code, retry, words", [
    (b"HTTP/1.1 401 Unauthorized\r\ndg-error: no such key\r\nContent-Length: 0\r\n\r\n",
     "auth", 401, 0, "no such key"),
    (b"HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy",
     "quota", 429, 3000, "busy"),
    (b"HTTP/1.1 502 Bad Gateway\r\n\r\ngone", "server", 502, 0, "gone"),  # ends with TCP
    (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
     "config", 302, 0, "never followed"),
    (b"220 mail.example ESMTP\r\n", "protocol", 0, 0, "HTTP"),
    (b"HTTP/1.1 101 Sw", "network", 1006, 0, "ended"),
    (b"", "network", 1006, 0, "ended"),
])
def test_other_answers(answer, kind, code, retry, words):
    async def serve(reader, writer):
        await request_key(reader)
        writer.write(answer)
        await writer.drain()

    lines = with_socket(serve)
    assert closed(lines)[:3] == (kind, code, retry)
    assert words in lines[-1]


@pytest.mark.parametrize("reset", [False, True])
def test_an_end_without_close(reset):
    async def serve(reader, writer):
        writer.write(await accept_head(reader) + b"\x81\x02hi")
        await writer.drain()
        await reader.readexactly(8)  # the echo
        if reset:
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    lines = with_socket(serve)
    assert closed(lines)[:2] == ("network", 1006)
    assert ("reset" in lines[-1]) == reset


def test_pings_in_a_flood():
    async def serve(reader, writer):
        writer.write(await accept_head(reader) + b"\x89\x00" * 3000)
        await writer.drain()
        await reader.read()

    assert closed(with_socket(serve))[:2] == ("protocol", 1008)


def test_pings_while_nothing_is_read():
    """The answers stay bounded, the newest is among them."""
    answers = []

    async def serve(reader, writer):
        sock = writer.get_extra_info("socket")
        writer.write(await accept_head(reader) + b"\x82\x7f" + struct.pack(">Q", 262144)
                     + bytes(262144))
        await writer.drain()
        for i in range(900):
            writer.write(b"\x89\x02" + struct.pack(">H", i))
        await writer.drain()
        assert sock.fileno() >= 0
        await reader.readexactly(14 + 262144)  # the echo
        while not answers or answers[-1] != 899:
            head = await reader.readexactly(6)
            data = await reader.readexactly(head[1] & 127)
            if head[0] == 0x8a:
                answers.append(struct.unpack(">H", bytes(
                    a ^ b for a, b in zip(data, head[2:])))[0])
        writer.write(b"\x88\x02\x03\xe8")
        await reader.read()

    lines = with_socket(serve)
    assert closed(lines)[:2] == ("restart", 1000)
    assert answers == sorted(answers) and answers[-1] == 899


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
