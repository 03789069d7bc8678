"""trunkscribectl doctor: what is wrong here is found, with its fix, and nothing else."""
import ctypes
import re
import resource
import signal
import subprocess

import pytest

from service import Control, Daemon, bound
from sessions import asr_config, key_file
from simulator import TOP, Simulator
from test_certificate_end_is_told import certificate
from test_operators_see_and_end_calls import Operator
from test_status_is_one_screen import states

CHECKS = ["permissions", "ports", "udp", "clock", "certificates", "asr", "disk", "files"]


def wrong(daemon, *but):
    """{check: text} of what is wrong; the machine's own clock is not ours to judge."""
    findings = Operator(daemon).json("doctor")
    assert list(dict.fromkeys(f["check"] for f in findings)) == CHECKS
    assert all(("fix" in f) == ("text" in f) == (not f["ok"]) for f in findings)
    return {f["check"]: f["text"] for f in findings if not f["ok"] and f["check"] != "clock"}


def test_nothing_is_wrong(tmp_path):
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        assert wrong(daemon) == {}
        assert "ok     permissions\n" in Operator(daemon).text("doctor")


def test_sockets_and_keys_that_others_may_use(tmp_path):
    with Simulator(tmp_path) as sim, Daemon(
            tmp_path, asr_config(sim, key_file(tmp_path)), events="mode = 0666") as daemon:
        assert "events socket" in wrong(daemon)["permissions"]
        daemon.events.chmod(0o660)
        (tmp_path / "key").chmod(0o644)
        found = wrong(daemon)
        assert set(found) == {"permissions"} and "chmod 600" in found["permissions"]
        text = Operator(daemon).text("doctor")
        assert "WRONG  permissions: asr \"sim\"" in text and "       do: chmod 600" in text


def test_ports_that_are_not_only_ours(tmp_path):
    with Daemon(tmp_path, ports=(40000, 40009)) as daemon:
        assert "ports 40000-40009" in wrong(daemon)["ports"]
        for n in range(5):
            Control(daemon.control).add(f"c{n}")
        texts = [f.get("text", "") for f in Operator(daemon).json("doctor")]
        assert any("5 of 5 pairs" in t for t in texts)


def test_datagrams_that_were_dropped(tmp_path):
    """The daemon stands still while they come."""
    with Daemon(tmp_path) as daemon:
        sender = bound()
        _, to = Control(daemon.control).add("c1")
        daemon.process.send_signal(signal.SIGSTOP)
        for _ in range(4000):
            sender.sendto(bytes(1000), to)
        daemon.process.send_signal(signal.SIGCONT)
        assert "datagrams that our sockets had no room for" in wrong(daemon)["udp"]


def test_the_clock(tmp_path):
    """As the kernel says it, asked for here another way."""
    libc, timex = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(512)
    state = libc.adjtimex(timex)
    if state < 0:
        pytest.skip("the kernel does not tell")
    status = ctypes.c_int.from_buffer(timex, 40).value
    with Daemon(tmp_path) as daemon:
        clock, = [f for f in Operator(daemon).json("doctor") if f["check"] == "clock"]
    assert clock["ok"] == (state != 5 and not status & 0x40)


def test_an_asr_that_is_down(tmp_path):
    with Simulator(tmp_path, script="99x http 401") as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        Control(daemon.control).add("c1")
        states(daemon, "failed")
        assert 'asr "sim" is down: ' in wrong(daemon)["asr"]


def test_a_certificate_that_ends_soon(tmp_path):
    pki = tmp_path / "pki"
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", pki], check=True)
    name = certificate(pki, 5)
    with Simulator(tmp_path, "--tls-cert", f"{name}.pem", "--tls-key", f"{name}.key") as sim, \
            Daemon(tmp_path, asr_config(
                sim, key_file(tmp_path), sim.url("wss"),
                f'tls-ca-file = "{pki}/root.pem" tls-server-name = "asr.test"')) as daemon:
        Control(daemon.control).add("c1")
        states(daemon, "streaming")
        text = wrong(daemon)["certificates"]
        assert re.search('certificate of asr "sim" ends in [45] days', text)


def test_a_disk_with_less_than_the_journal_wants(tmp_path):
    journal = tmp_path / "journal"
    with Daemon(tmp_path, journal=journal) as daemon:
        daemon.until("daemon.started")
        assert "disk" not in wrong(daemon)
    with Daemon(tmp_path, journal=f'{journal}" size = "1024G') as daemon:
        assert str(journal) in wrong(daemon)["disk"]


def test_nearly_no_descriptor_is_left(tmp_path):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        control.add("c1")
        used = len(list((tmp_path / f"/proc/{daemon.process.pid}/fd").iterdir()))
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (used + 2, used + 2))
        assert "file descriptors" in wrong(daemon)["files"]
