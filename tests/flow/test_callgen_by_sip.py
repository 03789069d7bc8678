"""SIP and SIPREC calls of callgen: what it sent is what the ASR heard, leg by leg."""
import json

import pytest

from callgen import callgen, check_heard, dumps
from service import Control, Daemon
from sessions import asr_config, key_file
from simulator import TOP, Simulator
from sip_client import free_port

PORTS = (23000, 23199)
ROLES = {"rfc7866": {"1": "caller", "2": "agent"}, "cube": {"1": "caller", "2": "agent"},
         "oracle": {"218104096": "agent", "218104097": "caller"},   # callingParty
         "avaya": {"10": "caller", "20": "agent"}, "broadworks": {"1": "mixed"}}


def run(tmp_path, *options, calls, legs=1, transport="udp", host="127.0.0.1", media=""):
    """-> (report, {(call, label): leg's events}, {leg name: PCM})"""
    port = free_port(host=host)
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    config = f'sip {{ listen = {{"{transport}:{at}"}} permit = {{"{host}"}} }}\n'
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + config, ports=PORTS,
                   media=media) as daemon:
        report = callgen("--sip", f"{transport}:{at}", "--calls", calls, "--legs", legs, *options)
        for _ in range(calls):
            daemon.until("call.end")
        status = Control(daemon.control).ask("status")["status"]
        assert status["calls"] == 0
        assert (status["sip"]["calls"], status["sip"]["ports_used"]) == (0, 0)
    daemon.valid()
    assert report.total["failed"] == 0 and len(report.lines) == calls * legs
    events = [json.loads(x) for x in daemon.lines]
    of_call = {e["sip_call_id"]: e["call"] for e in events if e["type"] == "call.start"}
    names = {(e["call"], e.get("label", "1")): e["leg"] for e in events
             if e["type"] == "leg.start"}
    for line in report.lines:
        assert line["sip"]["status"] == 200
        line["name"] = names[of_call[line["sip_call_id"]], line["label"]]
    heard = dumps(daemon, sim)
    ends = {e["leg"]: e for e in daemon.of("leg.end")}
    for line in report.lines:
        check_heard(line, heard[line["name"]])
        assert ends[line["name"]]["audio"]["samples"]["received"] == line["samples"]["heard"]
        assert ends[line["name"]]["reason"] == "bye"
    return report, daemon


@pytest.mark.parametrize("transport, host", [
    ("udp", "127.0.0.1"), ("tcp", "127.0.0.1"), ("udp", "::1"), ("tcp", "::1")])
def test_two_lines_a_call(tmp_path, transport, host):
    report, daemon = run(tmp_path, "--length", "3s", "--rate", 20, "--codec", "PCMA,PCMU",
                         "--ptime", "20,40", calls=5, legs=2, transport=transport, host=host,
                         media=f'address = "{host}"')
    assert {e["source"] for e in daemon.of("call.start")} == {"sip"}
    # one INVITE, one BYE: nothing was repeated
    assert {x["sip"]["sends"] for x in report.lines} == {2}


def test_hold_and_a_bad_network(tmp_path):
    report, _ = run(tmp_path, "--length", "5s", "--hold", "2s:1s", "--loss", 8, "--reorder", 4,
                    "--duplicate", 4, calls=3)
    for line in report.lines:
        assert [16000, 24000] in line["silent"]


@pytest.mark.parametrize("dialect", ROLES)
def test_siprec(tmp_path, dialect):
    file = TOP / f"tools/callgen/siprec/{dialect}.txt"
    legs = len(file.read_text().split("\n")[0].split()[2:])
    _, daemon = run(tmp_path, "--siprec", file, "--length", "2s", calls=2, legs=legs)
    assert {e["source"] for e in daemon.of("call.start")} == {"siprec"}
    roles = {e["label"]: e["role"] for e in daemon.of("leg.start")}
    assert roles == ROLES[dialect]
