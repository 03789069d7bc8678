"""Our websocket client against a server that breaks the rules by the numbers: see
autobahn_cases.py.  All cases run once as they are written, side by side, and those of groups 2 to 7
a second time with every byte in a write of its own."""
import asyncio
import base64
import collections
import contextlib
import hashlib

import pytest

from autobahn_cases import CLOSE, KIB, ROWS, WAIT
from simulator import BUILD

ECHO = BUILD / "tests/tools/ws_echo"
PARALLEL, CASE_S, ALL_S = 16, 30, 120
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
GROUPS = {"2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54}


async def upgrade(reader, writer):
    """The number in the request's path."""
    head = await reader.readuntil(b"\r\n\r\n")
    key = next(line.split(b":")[1].strip() for line in head.split(b"\r\n")
               if line.lower().startswith(b"sec-websocket-key"))
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"
                 b"\r\nSec-WebSocket-Accept: "
                 + base64.b64encode(hashlib.sha1(key + GUID).digest()) + b"\r\n\r\n")
    return int(head.split()[1][1:])


async def read_frames(reader, got, news):
    """Every frame of the client until it ends the connection."""
    try:
        while True:
            first, second = await reader.readexactly(2)
            n = second & 127
            if n > 125:
                n = int.from_bytes(await reader.readexactly(2 if n == 126 else 8), "big")
            mask = await reader.readexactly(4)
            data = await reader.readexactly(n)
            plain = (int.from_bytes(data, "big") ^ int.from_bytes(
                (mask * (n // 4 + 1))[:n], "big")).to_bytes(n, "big")
            # RFC 6455 section 5.1: a client masks; ours sends no fragments and no reserved bits
            assert second & 128 and first & 0xf0 == 0x80
            if first & 15 == CLOSE:
                plain = plain[:2]  # the words after it are free
            got.append((first & 15, plain))
            news.set()
    except (asyncio.IncompleteReadError, OSError):
        got.append("end")
        news.set()


def pieces(row, octets):
    """What is written at once; WAIT stays between."""
    out, together = [], []
    how = 1 if octets else row.how
    for part in [*row.send(), None]:
        if together and part in (None, WAIT):
            out.append(b"".join(together))
            together = []
        if part is None:
            break
        if part == WAIT:
            out.append(WAIT)
        elif how == "one":
            together.append(part)
        elif how == "frames":
            out.append(part)
        else:
            out += [part[at:at + how] for at in range(0, len(part), how)]
    return out


async def play(row, octets, reader, writer):
    """What the client sent, with "end" when it ended the connection too."""
    got, news = [], asyncio.Event()
    task = asyncio.ensure_future(read_frames(reader, got, news))
    waits = 0
    with contextlib.suppress(OSError):
        for piece in pieces(row, octets):
            if piece == WAIT:
                waits += 1
                while len(got) < waits:
                    news.clear()
                    await news.wait()
                continue
            writer.write(piece)
            await writer.drain()
            if len(piece) < KIB:
                await asyncio.sleep(0)
        while CLOSE not in [g[0] for g in got] and "end" not in got:
            news.clear()
            await news.wait()
        writer.write_eof()
    await task
    return got


async def run_all(jobs):
    """Each (row, octets) once; its frames and the line our layer reported."""
    results = {}

    async def serve(reader, writer):
        number = await upgrade(reader, writer)
        row, octets = jobs[number]
        try:
            results[number] = await asyncio.wait_for(play(row, octets, reader, writer), CASE_S)
        except (asyncio.TimeoutError, AssertionError) as e:
            results[number] = [repr(e)]
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=64 * KIB)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(ECHO), str(port), "0", str(len(jobs) - 1), str(PARALLEL),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await asyncio.wait_for(process.communicate(), ALL_S)
    assert process.returncode == 0, err
    server.close()
    reports = {int(line.split()[0]): line.split(" ", 3)[1:]
               for line in out.decode().splitlines()}
    return results, reports


@pytest.fixture(scope="module")
def outcomes():
    jobs = [(row, octets) for octets in (False, True) for row in ROWS
            if not octets or row.number.split(".")[0] < "8" and row.number != "7.1.6"]
    results, reports = asyncio.run(run_all(jobs))
    return {(row.number, octets): (results.get(i), reports.get(i))
            for i, (row, octets) in enumerate(jobs)}


def test_no_case_is_missing():
    count = collections.Counter(row.number.split(".")[0] for row in ROWS)
    assert count == GROUPS and sum(count.values()) == 284
    assert len({row.number for row in ROWS}) == 284


def short(frames):
    return [(f[0], f[1][:40], len(f[1])) if isinstance(f, tuple) else f for f in frames or []][:12]


@pytest.mark.parametrize("row", ROWS, ids=[row.number for row in ROWS])
def test_case(outcomes, row):
    for octets in (False, True):
        if (row.number, octets) not in outcomes:
            continue
        frames, report = outcomes[row.number, octets]
        assert frames == [*row.expect, "end"], (row.what, octets, short(frames), report)
        assert report and (report[0], int(report[1])) == row.end, (row.what, octets, report)
