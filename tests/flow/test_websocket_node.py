"""Our websocket client against Node's ws, with permessage-deflate enabled by the server."""
import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import zlib

import pytest

from simulator import TOP
from test_websocket_interop import client, closed

NODE, WS = shutil.which("node"), pathlib.Path("/usr/share/nodejs/ws")
pytestmark = pytest.mark.skipif(not NODE or not WS.exists(),
                                reason="packages nodejs and node-ws are not installed")

# Sends what argv names, waits for each echo, then ends as argv says; one JSON line per event.
SERVER = r"""
const ws = require("ws"), fs = require("fs");
const plan = JSON.parse(process.argv[1]);
const say = (o) => process.stdout.write(JSON.stringify(o) + "\n");
const http = plan.cert
    ? require("https").createServer({cert: fs.readFileSync(plan.cert),
                                     key: fs.readFileSync(plan.key), maxVersion: "TLSv1.2"})
    : require("http").createServer();
const server = new ws.WebSocketServer({server: http,
    perMessageDeflate: {threshold: 0}, maxPayload: plan.max || 1 << 22});
server.on("connection", (s, request) => {
    say({event: "open", extensions: s.extensions, key: request.headers["x-api-key"],
         offered: request.headers["sec-websocket-extensions"] || ""});
    let at = 0;
    const next = () => {
        if (at < plan.sizes.length) {
            const n = plan.sizes[at];
            s.send(at % 2 ? Buffer.alloc(n, 7) : "\u00e4".repeat(n / 2));
        } else if (plan.end === "close") s.close(4001, "gr\u00fcnde");
        else if (plan.end === "terminate") s.terminate();
    };
    s.on("message", (data, binary) => {
        say({event: "echo", binary, length: data.length,
             good: binary ? data.every((b) => b === 7) : /^\u00e4*$/.test(data.toString())});
        at++;
        next();
    });
    s.on("pong", (data) => { say({event: "pong", data: data.toString()}); next(); });
    s.on("error", (e) => say({event: "error", code: e.code}));
    s.on("close", (code, reason) => {
        say({event: "close", code, reason: reason.toString()});
        if (!--plan.times) process.exit();
    });
    s.ping("Kn\u00f6del");
});
http.listen(0, "127.0.0.1", () => say({event: "listening", port: http.address().port}));
"""


def with_node(plan, *options):
    """One run of the client; its lines and the server's events."""
    async def run():
        server = await asyncio.create_subprocess_exec(
            NODE, "-e", SERVER, json.dumps({"sizes": [], "end": "", "times": 1, **plan}),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "NODE_PATH": str(WS.parent)})
        try:
            first = await asyncio.wait_for(server.stdout.readline(), 30)
            if not first:
                raise AssertionError((await server.stderr.read()).decode())
            port = json.loads(first)["port"]
            lines = await client(f"ws{'s' if 'cert' in plan else ''}://127.0.0.1:{port}/", *options)
            out, _ = await asyncio.wait_for(server.communicate(), 30)
        finally:
            if server.returncode is None:
                server.kill()
        return lines, [json.loads(x) for x in out.splitlines()]

    return asyncio.run(run())


SIZES = [2, 2, 124, 124, 126, 126, 65534, 65534, 65536, 65536, 262144, 262144]


def test_messages_pings_and_close():
    lines, events = with_node({"sizes": SIZES, "end": "close"}, "--header", "x-api-key: k1")
    # deflate was there to be had: it is neither offered nor taken
    assert events[0] == {"event": "open", "extensions": "", "key": "k1", "offered": ""}
    assert events[1] == {"event": "pong", "data": "Knödel"}
    echoes = [e for e in events if e["event"] == "echo"]
    assert [(e["binary"], e["length"], e["good"]) for e in echoes] == [
        (i % 2 == 1, n, True) for i, n in enumerate(SIZES)]
    assert events[-1] == {"event": "close", "code": 4001, "reason": ""}  # our answer to its close
    assert closed(lines)[:2] == ("server", 4001) and "gründe" in lines[-1]
    assert lines[-2] == "binary 262144 %08x" % zlib.crc32(b"\x07" * 262144)


def test_we_close():
    lines, events = with_node({"sizes": [2]}, "--finish", 1)
    assert closed(lines)[:2] == ("none", 1000)
    assert events[-1] == {"event": "close", "code": 1000, "reason": ""}


def test_its_limit_is_told():
    lines, events = with_node({"sizes": [2000], "max": 1000})
    assert {"event": "error", "code": "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"} in events
    assert closed(lines)[:2] == ("protocol", 1009)


def test_it_drops_the_connection():
    lines, events = with_node({"end": "terminate"})
    assert closed(lines)[:2] == ("network", 1006)
    assert events[-1]["code"] == 1006


def test_tls_and_resumption(tmp_path):
    subprocess.run([TOP / "tests/unit/net/pki.sh", tmp_path], check=True)
    lines, events = with_node(
        {"sizes": SIZES[:4], "end": "close", "times": 3, "cert": str(tmp_path / "chained.pem"),
         "key": str(tmp_path / "chained.key")},
        "--ca", tmp_path / "root.pem", "--name", "asr.test", "--times", 3)
    assert [x[-1] for x in lines if x.startswith("tls TLSv1.2")] == ["0", "1", "1"]
    assert len([e for e in events if e["event"] == "echo" and e["good"]]) == 3 * 4
