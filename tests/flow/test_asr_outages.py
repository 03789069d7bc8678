"""Outages as the whole daemon sees them: the circuit breaker, a path that is cut, a key that
systemd keeps."""
import os
import shutil
import subprocess
import threading
import time

import pytest

import known_calls
import settled
from replay import Replayed, replay
from sessions import asr_config, key_file
from simulator import BUILD, KEY, Simulator

RECORDING = known_calls.Recording(60, seed=77)


def make_calls(path, legs, seconds):
    parts = [RECORDING.part(i * 8000 + i, seconds * 8000) for i in range(legs)]
    sources = known_calls.write(path, [codes for codes, _ in parts])
    return {src: pcm for src, (_, pcm) in zip(sources, parts)}


def services(run):
    return [(e["type"], e.get("reason")) for e in run.events if e["type"].startswith("daemon.asr")]


def test_the_breaker_opens_and_closes_once(tmp_path):
    """Five failures of three legs: the others wait until one has tried for all."""
    audio = make_calls(tmp_path / "x.pcap", 24, 4)
    with Simulator(tmp_path, script="5x http 503\nok") as sim:
        run = replay(tmp_path / "x.pcap", tmp_path, config=asr_config(sim, key_file(tmp_path)),
                     speed="1")
    assert services(run) == [("daemon.asr_down", "server"), ("daemon.asr_up", None)]
    assert len(sim.report) == 5 + 24
    for leg in run.legs:
        settled.check(leg, audio[leg.src], lost=0)


def test_a_quota_is_asked_less_often(tmp_path):
    """429 for the first eight: not one more try than needed, and everybody gets in."""
    audio = make_calls(tmp_path / "x.pcap", 12, 4)
    with Simulator(tmp_path, script="4x http 429 retry-after 1\nok") as sim:
        run = replay(tmp_path / "x.pcap", tmp_path, config=asr_config(sim, key_file(tmp_path)))
    assert len(sim.report) == 4 + 12
    assert services(run) == []
    told, = (e for e in run.events if e["type"] == "daemon.quota")
    assert told["asr"] == "sim" and told["reason"] == "quota" and "429" in told["text"]
    for leg in run.legs:
        settled.check(leg, audio[leg.src], lost=0)


def test_a_credential_of_systemd_needs_a_restart(tmp_path):
    """It is refused, and reading it again would not help: the log says what does."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    key = key_file(credentials, "old")
    (tmp_path / "expected").write_text(KEY["x-api-key"] + "\n")
    make_calls(tmp_path / "x.pcap", 6, 4)
    with Simulator(tmp_path, "--expect-key", str(tmp_path / "expected")) as sim:
        run = replay(tmp_path / "x.pcap", tmp_path, config=asr_config(sim, key),
                     env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)})
    assert run.stderr.count("needs a restart") == 1, run.stderr
    assert all(settled.states(leg)[-1] == ("failed", "auth", 401) for leg in run.legs)


# --- a path that is cut ------------------------------------------------------------------------

class Path:
    """Two network namespaces with a cable between; cut() swallows what comes back."""

    def __init__(self, name):
        self.near, self.far = f"{name}n", f"{name}f"

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True)

    def __enter__(self):
        for ns in (self.near, self.far):
            self.ip("netns", "add", ns)
        self.ip("link", "add", "tsnear", "netns", self.near, "type", "veth", "peer", "name",
                "tsfar", "netns", self.far)
        for ns, link, address in ((self.near, "tsnear", "10.99.0.1"),
                                  (self.far, "tsfar", "10.99.0.2")):
            self.ip("-n", ns, "address", "add", f"{address}/24", "dev", link)
            self.ip("-n", ns, "link", "set", link, "up")
            self.ip("-n", ns, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for ns in (self.near, self.far):
            subprocess.run(["ip", "netns", "delete", ns], check=False)

    def cut(self):
        self.ip("-n", self.far, "route", "add", "blackhole", "10.99.0.1/32")

    def mend(self):
        self.ip("-n", self.far, "route", "delete", "blackhole", "10.99.0.1/32")


def may_make_namespaces():
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    name = f"ts{os.getpid()}t"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode == 0:
        subprocess.run(["ip", "netns", "delete", name], check=True)
    return made.returncode == 0


@pytest.mark.skipif(not may_make_namespaces(), reason="needs network namespaces: run as root")
def test_a_path_that_swallows_everything(tmp_path):
    """No answer, no reset, for 11 s: noticed within 10 s, and nothing is missing in the end."""
    audio = make_calls(tmp_path / "x.pcap", 2, 18)
    with Path(f"ts{os.getpid()}") as path:
        sim = subprocess.Popen(
            ["ip", "netns", "exec", path.far, BUILD / "asr-sim", "--dialect", "bodhi", "--listen",
             "10.99.0.2:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        address = sim.stdout.readline().split()[1]
        (tmp_path / "c").write_text(asr_config(None, key_file(tmp_path), f"ws://{address}",
                                               "insecure = yes"))

        def cut_and_mend():
            time.sleep(3)
            path.cut()
            time.sleep(11)
            path.mend()

        thread = threading.Thread(target=cut_and_mend)
        thread.start()
        (tmp_path / "wav").mkdir()
        done = subprocess.run(
            ["ip", "netns", "exec", path.near, BUILD / "trunkscribed", "--replay",
             tmp_path / "x.pcap", "--speed", "1", "--events", "-", "-c", tmp_path / "c"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        thread.join()
        sim.terminate()
        sim.wait(10)
    done.stderr = done.stderr.decode()
    assert done.returncode == 0, done.stderr
    run = Replayed(done, tmp_path / "wav")
    for leg in run.legs:
        settled.check(leg, audio[leg.src], lost=0)
        told = settled.states(leg)
        assert {("reconnecting", "network", 1006), ("reconnecting", "timeout", None)} & set(told)
        assert 2 <= leg.end["asr"]["connections"] <= 3
