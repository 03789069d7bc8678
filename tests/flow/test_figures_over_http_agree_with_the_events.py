"""/metrics counts what the events told, to the sample; health, and nothing for strangers."""
import collections
import http.client
import re
import signal
import socket
import subprocess
import time

import pytest

from peers import peer
from ports import free_port
from service import WAIT_S, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator


def ask(port, path, method="GET", host="127.0.0.1", **headers):
    c = http.client.HTTPConnection(host, port, timeout=WAIT_S)
    c.request(method, path, headers=headers)
    answer = c.getresponse()
    body = answer.read()
    c.close()
    return answer, body


def figures(port):
    """{(name, labels): value}, names without their prefix."""
    answer, body = ask(port, "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for line in body.decode().splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
        key = (name.removeprefix("trunkscribe_"), labels or "")
        assert key not in found, f"{key} twice"
        found[key] = float(value)
    return found, body


def samples(events, which):
    return sum(e["audio"]["samples"][which] for e in events) / 8000


def test_figures_agree_with_the_events(tmp_path):
    port = free_port()
    with Simulator(tmp_path) as sim, Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + f'''
http {{ listen = "127.0.0.1:{port}" }}
''') as daemon:
        control, streams = Control(daemon.control), []
        for n, role in enumerate(("caller", "agent", "caller")):
            _, to = control.add(f"c{n // 2}", role=role, codec="PCMU")
            sent = list(packets(speech(2500, n), 50 + n))
            del sent[60:62 + n]                     # some are lost
            sent.insert(30, sent[29])               # one comes twice
            streams.append((bound(), to, sent[:-2]))
        paced(*streams)
        before, _ = figures(port)
        assert before["calls_active", 'source="rtp"'] == 2
        assert before["legs_active", 'state="streaming"'] == 3
        assert before["subscribers", ""] == 1
        for n in (1, 2):
            control.ask("leg.end", leg=f"c0.{n}")
        control.ask("leg.end", leg="c1.1")
        for _ in range(2):
            daemon.until("call.end")
        after, text = figures(port)
        check_with_events(after, daemon)
        assert b"c0" not in text and b"127.0.0.1" not in text  # nobody's ids among the labels
        lint = peer("prometheus")
        done = subprocess.run([lint.path("usr/bin/promtool"), "check", "metrics"], input=text,
                              env=lint.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, done.stdout.decode()


def check_with_events(after, daemon):
    legs = daemon.of("leg.end")
    durable = collections.Counter(e["type"] for k in ("call.start", "call.end", "leg.start",
                                                      "leg.media", "leg.state", "leg.end", "gap")
                                  for e in daemon.of(k))
    for kind, n in durable.items():
        assert after["publish_events_total", f'type="{kind}"'] == n, kind
    finals = [e for e in daemon.of("segment") if e["state"] == "final"]
    assert finals
    assert after["asr_results_total", 'asr="sim",kind="final"'] == len(finals)
    assert after["calls_active", 'source="rtp"'] == 0
    assert after["calls_ended_total", 'source="rtp",reason="command"'] == 2
    assert sum(v for (k, _), v in after.items() if k == "legs_active") == 0
    for which in ("received", "sent", "lost", "paused"):
        assert after[f"audio_{which}_seconds_total", ""] == pytest.approx(
            samples(legs, which), abs=1e-9), which
    for which in ("packets", "lost", "late", "duplicate", "reordered"):
        name = "received" if which == "packets" else which
        assert after[f"rtp_packets_{name}_total", ""] == sum(e["rtp"][which] for e in legs)
    assert after["rtp_packets_duplicate_total", ""] == 3
    assert after["asr_connections_total", 'asr="sim"'] == sum(e["asr"]["connections"] for e in legs)
    causes = collections.Counter(e["cause"] for e in daemon.of("gap"))
    for cause, n in causes.items():
        assert after["gaps_total", f'cause="{cause}"'] == n
    latencies = [e["latency_ms"] for e in finals if "latency_ms" in e]
    assert after["asr_final_latency_seconds_count", 'asr="sim"'] == len(latencies)
    assert after["asr_final_latency_seconds_sum", 'asr="sim"'] == pytest.approx(
        sum(latencies) / 1000, abs=1e-6)


def test_health_and_readiness(tmp_path):
    port = free_port()
    with Daemon(tmp_path, f'http {{ listen = "127.0.0.1:{port}" }}') as daemon:
        assert ask(port, "/healthz")[0].status == 200
        assert ask(port, "/readyz")[0].status == 200
        Control(daemon.control).ask("drain")
        answer, body = ask(port, "/readyz")
        assert answer.status == 503 and b"draining" in body
        assert ask(port, "/healthz")[0].status == 200
        Control(daemon.control).ask("drain", cancel=True)
        assert ask(port, "/readyz")[0].status == 200


def test_it_is_not_ready_without_an_asr(tmp_path):
    port, dead = free_port(), free_port()
    with Daemon(tmp_path, f'''
asr "dead" {{ vendor = "vosk" url = "ws://127.0.0.1:{dead}" }}
route {{ asr = "dead" }}
http {{ listen = "127.0.0.1:{port}" }}
''') as daemon:
        control, sender = Control(daemon.control), bound()
        for n in range(3):                          # one leg's trouble could be its own
            _, to = control.add("c", codec="PCMU")
            for packet in packets(speech(200), n):
                sender.sendto(packet, to)
        daemon.until("daemon.asr_down")
        answer, body = ask(port, "/readyz")
        assert answer.status == 503 and b"no asr" in body
        assert figures(port)[0]["asr_circuit_open", 'asr="dead"'] == 1
        daemon.stop()
        daemon.until("daemon.stopping")
        daemon.process.send_signal(signal.SIGTERM)  # at once, without waiting for the asr


def test_nothing_for_strangers(tmp_path):
    port = free_port()
    with Daemon(tmp_path, f'http {{ listen = "127.0.0.1:{port}" }}'):
        for path in ("/", "/page.js", "/page.css", "/metrics", "/readyz"):
            answer, _ = ask(port, path)
            assert answer.status == 200
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert ask(port, path, "HEAD")[1] == b""
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
                assert ask(port, path, method)[0].status == 405
        # a name of somebody else's that leads to our loopback address
        for host in ("evil.example", "localhost.evil.example", f"evil.example:{port}", ""):
            assert ask(port, "/metrics", Host=host)[0].status in (400, 403), host
        for host in ("localhost", f"LOCALHOST:{port}", "127.0.0.1", f"[::1]:{port}"):
            assert ask(port, "/metrics", Host=host)[0].status == 200, host
        for path in ("/../etc/passwd", "/metrics/", "//", "/%2e%2e/x", "/" + "a" * 4000):
            assert ask(port, path)[0].status == 404, path
        sockets = []
        for _ in range(200):                        # more than it takes
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            sockets.append(s)
        sockets[20].sendall(b"\xff\xfe\r\n\r\n" + b"x" * 40000)
        for s in sockets:
            s.close()
        began = time.monotonic()
        while time.monotonic() < began + WAIT_S:  # the closed ones make room again
            try:
                assert ask(port, "/healthz")[0].status == 200
                break
            except (ConnectionError, http.client.HTTPException):
                continue
        else:
            raise AssertionError("it does not answer any more")


def test_an_address_in_use_is_told_plainly(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError) as told, \
                Daemon(tmp_path, f'http {{ listen = "127.0.0.1:{port}" }}'):
            pass
    assert f"http: cannot listen on 127.0.0.1:{port}" in str(told.value)
    assert "stop what has this port" in str(told.value)
