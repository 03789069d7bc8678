"""500 legs lose their service at once and get it back: paced, with all of their backlog.

The service is killed and started again on the same port while a capture is replayed at real
speed.  The loop must not notice: no turn of it takes more than 20 ms of CPU.
"""
import datetime
import re
import resource
import subprocess
import threading
import time

import pytest

import known_calls
import settled
from replay import replay
from sessions import asr_config, key_file
from simulator import BUILD, Simulator

LEGS = 500
SECONDS = 22
KILLED_S, BACK_S = 8, 10      # from the beginning of the replay
PER_SECOND = 100
TURN_US = 20_000


class Service(Simulator):
    """One that keeps no audio, on a port of our choice."""

    def __init__(self, directory, listen="127.0.0.1:0"):
        super().__init__(directory)
        self.listen = listen

    def __enter__(self):
        self.process = subprocess.Popen(
            [BUILD / "asr-sim", "--dialect", "bodhi", "--listen", self.listen, "--report",
             str(self.report_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        word, self.address = self.process.stdout.readline().split()
        assert word == "listening"
        return self


@pytest.fixture
def files():
    """Two descriptors a leg, on each side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * LEGS + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"ulimit -n is {hard} at most, {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def back_at(leg):
    """Seconds since the epoch at which it streams again."""
    lost = [i for i, e in enumerate(leg.events) if e.get("asr_state") == "reconnecting"]
    again = next(e for e in leg.events[lost[-1]:]
                 if e.get("asr_state") in ("streaming", "catching_up"))
    return datetime.datetime.fromisoformat(again["ts"].replace("Z", "+00:00")).timestamp()


@pytest.mark.release
def test_all_come_back_paced(tmp_path, files):
    recording = known_calls.Recording(120, seed=500)
    n = SECONDS * known_calls.RATE
    legs = [recording.part(i * 1511, n) for i in range(LEGS)]
    path = tmp_path / "calls.pcap"
    sources = known_calls.write(path, [codes for codes, _ in legs], ptime=40)
    (tmp_path / "first").mkdir()
    (tmp_path / "again").mkdir()
    second = []

    def kill_and_return():
        time.sleep(KILLED_S)
        first.process.kill()
        first.process.wait()
        time.sleep(BACK_S - KILLED_S)
        second.append(Service(tmp_path / "again", first.address).__enter__())

    first = Service(tmp_path / "first").__enter__()
    killer = threading.Thread(target=kill_and_return)
    try:
        killer.start()
        run = replay(path, tmp_path, "--log", "info", speed="1", config=asr_config(
            first, key_file(tmp_path), more=f"connects-per-second = {PER_SECOND} "
                                               'params = {"exclude_partial=true"}'))
    finally:
        killer.join()
        for sim in second:
            sim.__exit__(None)
    path.unlink()

    assert len(run.legs) == LEGS
    for leg in run.legs:
        settled.check(leg, legs[sources.index(leg.src)][1], lost=0)
        assert leg.end["asr"]["connections"] == 2
    assert [e["type"] for e in run.events if e["type"].startswith("daemon.asr")] == \
        ["daemon.asr_down", "daemon.asr_up"]
    back = sorted(back_at(leg) for leg in run.legs)
    for i, at in enumerate(back):  # and a burst of as many as may shake hands at a time
        assert sum(at <= other < at + 1 for other in back[i:]) <= PER_SECOND + 8 + 10
    longest = int(re.search(r"the longest turn took (\d+) us of CPU", run.stderr)[1])
    assert longest <= TURN_US, run.stderr
