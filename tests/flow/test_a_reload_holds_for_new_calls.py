"""SIGHUP and reload: what is wrong changes nothing, what is right holds for the calls to come."""
import array
import json
import os
import signal
import subprocess

import pytest

from oracle import g711
from service import PORTS, WAIT_S, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import BUILD, Simulator


def rewrite(daemon, old, new):
    text = daemon.file.read_text()
    assert old in text
    daemon.file.write_text(text.replace(old, new))


def reloads(daemon, n=1):
    """The n-th daemon.reload."""
    while len(daemon.of("daemon.reload")) < n:
        daemon.until("daemon.reload")
    return daemon.of("daemon.reload")[n - 1]


def test_a_running_call_keeps_its_asr_and_new_ones_get_theirs(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    pcm = speech(1600)
    with Simulator(tmp_path / "a") as one, Simulator(tmp_path / "b") as two, \
            Daemon(tmp_path, asr_config(one, key_file(tmp_path), name="one")) as daemon:
        control, senders = Control(daemon.control), [bound(), bound()]
        old, to = control.add("c1", codec="PCMU")
        sent = list(packets(pcm, 5))
        paced((senders[0], to, sent[:40]))
        rewrite(daemon, asr_config(one, key_file(tmp_path), name="one"),
                asr_config(two, key_file(tmp_path), name="two"))
        daemon.process.send_signal(signal.SIGHUP)
        assert reloads(daemon)["reason"] == "ok" and "text" not in reloads(daemon)
        new, there = control.add("c2", codec="PCMU")
        paced((senders[0], to, sent[40:]), (senders[1], there, sent[:40]))
        for leg in (old, new):
            control.ask("leg.end", leg=leg)
        daemon.until("call.end")
        daemon.until("call.end")
        text = subprocess.run([BUILD / "trunkscribectl", "-s", daemon.control, "metrics"],
                              check=True, text=True, capture_output=True, timeout=WAIT_S).stdout
        assert 'trunkscribe_asr_connections_total{asr="one"} 1\n' in text
        assert 'trunkscribe_asr_connections_total{asr="two"} 1\n' in text
        assert "trunkscribe_config_last_reload_successful 1\n" in text
    daemon.valid()
    assert [(e["call"], e["asr"]) for e in daemon.of("leg.start")] == [("c1", "one"), ("c2", "two")]
    heard = array.array("h", g711.decode("PCMU", bytes(g711.encode("PCMU", pcm)))).tobytes()
    assert one.dump(1) == heard and two.dump(1) == heard[:12800]
    assert len(one.report) == len(two.report) == 1
    assert [e["audio"]["samples"]["lost"] for e in daemon.of("leg.end")] == [0, 0]


@pytest.mark.parametrize("old,new,says", [
    ("rtp {", "rpt {", "trunkscribe.conf:4: unknown section rpt"),
    ('asr = "sim" }', 'asr = "sam" }', "no asr of that name"),
    ("/key\"", "/nokey\"", "trunkscribe.conf:5: "),
])
def test_a_wrong_file_changes_nothing(tmp_path, old, new, says):
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        control = Control(daemon.control)
        rewrite(daemon, old, new)
        answer = control.ask("reload")
        assert not answer["ok"] and "stays as it was" in answer["error"]
        assert "trunkscribe.conf:" in answer["error"]
        told = reloads(daemon)
        assert told["reason"] == "failed" and told["text"] in answer["error"]
        if says.startswith("trunk"):
            assert says in told["text"]
        daemon.process.send_signal(signal.SIGHUP)
        assert reloads(daemon, 2)["reason"] == "failed"
        assert "config_last_reload_successful 0\n" in control.ask("metrics")["metrics"]
        sender = bound()
        leg, to = control.add("c1", codec="PCMU")
        paced((sender, to, list(packets(speech(300), 5))))
        control.ask("leg.end", leg=leg)
        daemon.until("call.end")
        rewrite(daemon, new, old)
        assert control.ask("reload") == {"ok": True, "restart": ""}
    assert daemon.of("leg.end")[0]["audio"]["samples"]["sent"] == 2400
    daemon.valid()


def test_what_needs_a_restart_is_listed(tmp_path):
    with Daemon(tmp_path) as daemon:
        rewrite(daemon, "rtp { ports", 'audiosocket { }\nrtp { address = "127.0.0.2" ports')
        daemon.file.write_text(daemon.file.read_text().replace(str(PORTS[1]), str(PORTS[1] - 2)))
        p = subprocess.run([BUILD / "trunkscribectl", "-s", daemon.control, "reload"], text=True,
                           capture_output=True, timeout=WAIT_S)
        assert p.returncode == 0 and p.stdout.splitlines()[1] == \
            "these wait for a restart: audiosocket, rtp.address, rtp.ports"
        assert reloads(daemon)["text"] == p.stdout.splitlines()[1]
        _, to = Control(daemon.control).add("c1")
        assert to[0] == "127.0.0.1"


def test_a_new_key_is_read(tmp_path):
    """The service knows the new one only; the same file has it."""
    expected = tmp_path / "expected"
    expected.write_text("k2\n")
    expected.chmod(0o600)
    with Simulator(tmp_path, "--expect-key", str(expected)) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path, "k1"))) as daemon:
        control = Control(daemon.control)
        key_file(tmp_path, "k2")
        assert control.ask("reload")["ok"]
        control.add("c1")
        while "streaming" not in [e["asr_state"] for e in daemon.of("leg.state")]:
            daemon.until("leg.state")
        assert not [e for e in daemon.of("leg.state") if e.get("code") == 401]


def test_a_hundred_reloads_in_a_call(tmp_path):
    """Each time another set of services; the sets that are over go."""
    pcm = speech(2000)
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        control, sender = Control(daemon.control), bound()
        leg, to = control.add("c1", codec="PCMU")

        class Reloading:
            def sendto(self, _, __):
                assert control.ask("reload")["ok"]

        paced((sender, to, list(packets(pcm, 5))), (Reloading(), None, [b""] * 100))
        files = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        assert files < 40, files
        control.ask("leg.end", leg=leg)
        daemon.until("call.end")
    end, = daemon.of("leg.end")
    assert end["audio"]["samples"] == {"received": 16000, "sent": 16000, "lost": 0, "paused": 0}
    assert len(sim.report) == 1 and len([json.loads(x) for x in daemon.lines
                                         if b"daemon.reload" in x]) == 100
