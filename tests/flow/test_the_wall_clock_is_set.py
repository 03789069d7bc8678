"""The clock is set by an hour, forward and back, while calls run (libfaketime).

Only what is written down follows it: no call notices, no sample, no time on a leg's timeline.
"""
import ctypes.util
import datetime
import os
import pathlib
import subprocess

import pytest

from service import Control, Daemon, bound, packets, paced, speech

LIBRARY = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)

pytestmark = [
    pytest.mark.release,  # a sanitizer must be loaded first, and so must it
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed"),
    pytest.mark.skipif(ctypes.util.find_library("c") is None, reason="no C library is found")]


class Clock(Daemon):
    """A daemon whose wall clock is what a file says; its monotonic one is the machine's."""

    def __init__(self, directory):
        self.offset = directory / "offset"
        self.set(0)
        super().__init__(directory, ports=(24900, 24919), journal=directory / "journal")

    def start(self, *command, **how):
        return subprocess.Popen(*command, **how, env={
            **os.environ, "LD_PRELOAD": str(LIBRARY), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self.offset), "FAKETIME_NO_CACHE": "1"})

    def set(self, seconds):
        new = self.offset.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.offset)


def hours_off(event, real):
    """Of the machine's clock, rounded."""
    ts = datetime.datetime.fromisoformat(event["ts"])
    return round((ts - real).total_seconds() / 3600)


def test_an_hour_forward_and_back(tmp_path):
    now = datetime.datetime.now(datetime.timezone.utc)
    with Clock(tmp_path) as daemon:
        control, sender = Control(daemon.control), bound()
        leg, to = control.add("c1", role="caller", codec="PCMU",
                              remote="127.0.0.1:%d" % sender.getsockname()[1])
        said = list(packets(speech(1500), 5))
        paced((sender, to, said[:25]))
        daemon.set(3600)
        daemon.until("daemon.clock_step")
        paced((sender, to, said[25:50]))
        daemon.set(-3600)
        daemon.until("daemon.clock_step")
        paced((sender, to, said[50:]))
        control.ask("leg.end", leg=leg)
        daemon.until("call.end")
    daemon.valid()
    steps = daemon.of("daemon.clock_step")
    assert [s["text"][:32] for s in steps] == ["the clock was set forward by 360",
                                               "the clock was set back by 7200.0"] or \
        [round(float(s["text"].split()[-2]) / 3600) for s in steps] == [1, 2], steps
    assert [hours_off(s, now) for s in steps] == [1, -1]
    end, = daemon.of("leg.end")
    assert end["audio"]["samples"] == {"received": 12000, "sent": 12000, "lost": 0, "paused": 0}
    assert end["rtp"]["packets"] == 75 and end["reason"] == "command"
    assert hours_off(daemon.of("call.start")[0], now) == 0 and hours_off(end, now) == -1
    call, = daemon.of("call.end")
    assert 1500 <= call["duration_ms"] < 60_000
    assert not daemon.of("leg.state") or all(e.get("reason") != "no_rtp"
                                             for e in daemon.of("leg.state"))


def test_set_back_while_it_was_away_the_journal_goes_on(tmp_path):
    with Clock(tmp_path) as daemon:
        Control(daemon.control).add("c1")
        daemon.until("leg.start")
        daemon.process.kill()
        daemon.process.wait()
        for left in pathlib.Path("/dev/shm").glob(f"*faketime_*_{daemon.process.pid}"):
            left.unlink()
        daemon.stopped = True
        daemon.process.returncode = 0  # it was meant
    before = [e["seq"] for e in daemon.of("call.start")]
    again = Clock(tmp_path)
    again.set(-7200)
    with again as daemon:
        ends = [e for e in daemon.until("call.end") if e["type"] == "call.end"]
    daemon.valid()
    assert [e["reason"] for e in ends] == ["restart"] and ends[0]["seq"] > before[0]
    assert ends[0]["duration_ms"] < 60_000
