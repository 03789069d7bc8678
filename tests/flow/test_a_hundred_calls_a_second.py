"""100 calls a second for 10 s, two legs each, by SIP and by SIPREC.

Every INVITE is answered, every sample that was sent is settled by the ASR's finals, and nothing
is left: no call, no dialog, no port.  How fast this machine is just now is no matter.
"""
import collections
import json
import re
import resource
import subprocess
import threading
import zlib

import pytest

from callgen import Report
from service import Control, Daemon
from sessions import asr_config, key_file, named
from simulator import BUILD, TOP, Simulator
from sip_client import free_port

CALLS, LEGS, RATE, LENGTH = 1000, 2, 100, "2s"
PORTS = (20000, 27999)          # 30 s of rest for a pair: one for each leg of the test
TURN_US = 300_000              # of CPU, behind a moment in which the machine did something else


class Service(Simulator):
    """One that keeps no audio."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [BUILD / "asr-sim", "--dialect", "bodhi", "--listen", "127.0.0.1:0", "--report",
             str(self.report_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        word, self.address = self.process.stdout.readline().split()
        assert word == "listening"
        return self


@pytest.fixture
def files():
    """Of a leg: two sockets and a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * CALLS * LEGS + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"ulimit -n is {hard} at most, {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def multiply(matrix, vector):
    out, i = 0, 0
    while vector:
        if vector & 1:
            out ^= matrix[i]
        vector, i = vector >> 1, i + 1
    return out


def shifted(crc, n):
    """The CRC-32 register behind n zero bytes: by squaring, over GF(2)."""
    matrix = [0xedb88320] + [1 << i for i in range(31)]     # one bit
    for _ in range(3):
        matrix = [multiply(matrix, row) for row in matrix]  # one byte
    while n:
        if n & 1:
            crc = multiply(matrix, crc)
        matrix, n = [multiply(matrix, row) for row in matrix], n >> 1
    return crc


def combine(first, second, n):
    """CRC-32 of A + B from theirs; n bytes are B's."""
    return shifted(first, n) ^ second


def test_the_sum_of_two_parts():
    a, b = b"one part", bytes(range(200))
    assert combine(zlib.crc32(a), zlib.crc32(b), len(b)) == zlib.crc32(a + b)


def check_leg(line, finals, end):
    """The finals tile the leg; their CRCs make that of what was sent, and silence behind it."""
    at = crc = 0
    for event in finals:
        first, behind, part = named(event["text"])
        assert first == at, f"{line['name']}: {event['text']} behind {at}"
        crc = combine(crc, part, 2 * (behind - first))
        at = behind
    n = line["samples"]["all"]
    assert n <= at < n + 8000
    assert crc == combine(int(line["crc32"], 16), zlib.crc32(bytes(2 * (at - n))), 2 * (at - n))
    assert end["audio"]["samples"] == {"received": n, "sent": n, "lost": 0, "paused": 0}
    assert end["rtp"]["lost"] == 0 and end["reason"] == "bye"


def follow(daemon, calls):
    """Read on until so many calls are over."""
    over = 0
    for line in daemon.reader:
        daemon.lines.append(line.rstrip(b"\n"))
        over += b'"type":"call.end"' in line
        if over == calls:
            return


@pytest.mark.release
@pytest.mark.parametrize("way, connects", [("sip", 120), ("siprec", 10000)])
def test_every_call_is_taken_and_heard(way, connects, tmp_path, files):
    """With fewer connections a second than there are legs most of them wait: for some the call is
    over before the ASR hears its first word, out of the backlog."""
    port = free_port()
    more = ["--siprec", TOP / "tools/callgen/siprec/rfc7866.txt"] if way == "siprec" else []
    with Service(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(
                sim, key_file(tmp_path), more=f'connects-per-second = {connects} '
                'params = {"exclude_partial=true"}') +
                f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n',
                ports=PORTS, media='address = "127.0.0.3"') as daemon:
        log = []
        reader = threading.Thread(target=lambda: log.extend(daemon.process.stderr), daemon=True)
        reader.start()
        caller = subprocess.Popen(
            [BUILD / "callgen", "--sip", f"127.0.0.1:{port}", "--calls", str(CALLS), "--legs",
             str(LEGS), "--rate", str(RATE), "--length", LENGTH, "--ptime", "40,60", "--codec",
             "PCMU,PCMA", "--report", tmp_path / "sent", *more],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        follow(daemon, CALLS)
        why = caller.communicate(timeout=60)[1]
        assert caller.returncode == 0, why
        status = Control(daemon.control).ask("status")["status"]
        assert status["calls"] == 0
        assert {k: status["sip"][k] for k in ("calls", "legs", "ports_used")} == \
            {"calls": 0, "legs": 0, "ports_used": 0}
        daemon.stop()
        reader.join(60)

    report = Report((tmp_path / "sent").read_text())
    assert report.total["failed"] == report.total["refused"] == 0
    assert len(report.lines) == CALLS * LEGS
    finals, ends, names, of_call = collections.defaultdict(list), {}, {}, {}
    for event in map(json.loads, daemon.lines):
        kind = event["type"]
        if kind == "segment" and event["state"] == "final":
            finals[event["leg"]].append(event)
        elif kind == "leg.end":
            ends[event["leg"]] = event
        elif kind == "leg.start":
            names[event["call"], event["label"]] = event["leg"]
        elif kind == "call.start":
            assert event["source"] == way
            of_call[event["sip_call_id"]] = event["call"]
        assert kind != "gap", event
    for line in report.lines:
        assert line["sip"]["status"] == 200
        line["name"] = names[of_call[line["sip_call_id"]], line["label"]]
        check_leg(line, finals[line["name"]], ends[line["name"]])
    assert len(ends) == CALLS * LEGS
    # an INVITE's answer within 500 ms: nothing holds the loop up
    longest = int(re.search(r"the longest turn took (\d+) us of CPU", "".join(log))[1])
    assert longest <= TURN_US, longest
    waits = sorted(line["sip"]["answer_ms"] for line in report.lines)
    print(f"\n  {way}: answered in {waits[len(waits) // 2]:.1f} ms (median), "
          f"{waits[-1]:.0f} ms at most; longest turn {longest} us")
