"""callgen's bare RTP legs, told to a live daemon, are what the ASR heard: leg by leg."""
import pytest

from callgen import callgen, check_heard, crc, dumps, tiles
from sessions import asr_config, key_file
from simulator import Simulator
from service import Control, Daemon

PORTS = (23400, 23599)


def run(tmp_path, *options, calls, legs=1, code=0, events=""):
    """-> (report, daemon, {leg name: PCM})"""
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)), ports=PORTS,
                   events=events) as daemon:
        report = callgen("--control", daemon.control, "--calls", calls, "--legs", legs, *options,
                         code=code)
        for _ in range(calls):
            daemon.until("call.end")
        status = Control(daemon.control).ask("status")["status"]
        assert status["calls"] == 0 and status["rtp"]["ports_used"] == 0
    daemon.valid()
    assert report.total["calls"] == calls and len(report.lines) == calls * legs
    return report, daemon, dumps(daemon, sim)


def check(report, daemon, heard):
    ends = {e["leg"]: e for e in daemon.of("leg.end")}
    for line in report.lines:
        check_heard(line, heard[line["name"]])
        end = ends[line["name"]]
        assert end["audio"]["samples"]["received"] == line["samples"]["heard"]
        assert end["audio"]["samples"]["lost"] == 0
    return ends


def test_every_leg_is_heard_sample_for_sample(tmp_path):
    report, daemon, heard = run(tmp_path, "--length", "4s", "--codec", "PCMU,PCMA", "--ptime",
                                "20,30", "--rate", 20, calls=8, legs=2)
    ends = check(report, daemon, heard)
    assert {e["rtp"]["lost"] for e in ends.values()} == {0}
    assert len({x["crc32"] for x in report.lines}) == 16
    roles = {e["leg"]: e["role"] for e in daemon.of("leg.start")}
    assert {roles[x["name"]] for x in report.lines if x["leg"] == 1} == {"agent"}


def test_a_bad_network_and_a_spoofer(tmp_path):
    """Nothing of another address is heard, nothing that came is missing."""
    report, daemon, heard = run(
        tmp_path, "--length", "5s", "--loss", 10, "--burst", 2, "--reorder", 5, "--duplicate", 5,
        "--first-seq", 65500, "--first-ts", 4294950000, "--spoof", "127.0.0.2:50", calls=4)
    ends = check(report, daemon, heard)
    for line in report.lines:
        rtp, sent = ends[line["name"]]["rtp"], line["packets"]
        assert rtp["lost"] == sent["lost"] and rtp["duplicate"] == sent["duplicate"]
        assert rtp["packets"] == sent["audio"] + sent["duplicate"] and sent["spoof"] > 60


def test_pauses_and_digits(tmp_path):
    report, daemon, heard = run(tmp_path, "--length", "6s", "--dtx", "1s:700ms", "--cn", "--dtmf",
                                "15#A9@2s", "--loss", 10, calls=2, events="dtmf = yes")
    check(report, daemon, heard)
    assert all(x["samples"]["silent"] > 2 * 5600 for x in report.lines)
    for line in report.lines:
        told = [e for e in daemon.of("dtmf") if e["leg"] == line["name"]]
        assert "".join(e["digit"] for e in told) == line["digits"] == "15#A9"
        assert [e["at_ms"] for e in told] == [2000 + 200 * i for i in range(5)]
        # the last update or one of the three ends came
        assert all(80 <= e["duration_ms"] <= 100 for e in told)


@pytest.mark.parametrize("option", [("--ssrc-change", "2s"), ("--jump", "2s:800000"),
                                    ("--jump", "2s:-800000")])
def test_numbers_that_begin_anew(option, tmp_path):
    """Behind the break all goes on where the clock says: so much later as the machine was late."""
    report, daemon, heard = run(tmp_path, "--length", "4s", "--loss", 5, *option, calls=2)
    ends = {e["leg"]: e for e in daemon.of("leg.end")}
    for line in report.lines:
        (at, kind), = line["breaks"]
        told, = [e for e in daemon.of("discontinuity") if e["leg"] == line["name"]]
        assert (told["kind"], at) == (kind, 16000)
        pcm, n = heard[line["name"]], line["samples"]["all"]
        later = ends[line["name"]]["duration_ms"] * 8 - n
        assert later >= -7
        right = [k for k in range(max(later, 0), later + 8)
                 if all(crc(pcm, s + k * (s >= at), e + k * (s >= at)) == want
                        for s, e, found, want in tiles(line) if found == "heard")]
        assert len(right) == 1, later
        assert ends[line["name"]]["audio"]["samples"]["received"] == line["samples"]["heard"]


def test_a_daemon_that_refuses_is_told_of(tmp_path):
    with Daemon(tmp_path, ports=(23600, 23603)) as daemon:
        report = callgen("--control", daemon.control, "--calls", 3, "--length", "1s", "--rate", 50,
                         code=2)
        assert report.total["failed"] == 1
        assert [x["complete"] for x in sorted(report.lines, key=lambda x: x["call"])] == \
            [True, True, False]
