"""trunkscribectl calls, call, hangup and metrics: what is true of the calls there are."""
import json
import os
import subprocess
import time

import pytest

from service import WAIT_S, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import BUILD, TOP, Simulator
from sip_client import Client, Dialog, free_port, sdp


class Operator:
    def __init__(self, daemon):
        self.at = daemon.control

    def run(self, *arguments):
        return subprocess.run([BUILD / "trunkscribectl", "-s", self.at, *arguments], text=True,
                              capture_output=True, timeout=2 * WAIT_S)

    def text(self, *arguments):
        p = self.run(*arguments)
        assert p.returncode == 0 and p.stderr == "", p
        return p.stdout

    def json(self, *arguments):
        return json.loads(self.text(*arguments, "--json"))


def test_a_leg_as_it_stands(tmp_path):
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        operator, control, sender = Operator(daemon), Control(daemon.control), bound()
        assert operator.text("calls") == "no calls\n" and operator.json("calls") == []
        leg, to = control.add("c1", role="caller", codec="PCMU", **{"from": "+49301"})
        assert "no packet yet" in operator.text("call", "c1")
        sent = list(packets(speech(1000), 0xabc))
        paced((sender, to, sent[:20] + sent[22:]))
        call, = operator.json("calls")
        assert (call["call"], call["source"], call["from"], call["legs"]) == \
            ("c1", "rtp", "+49301", 1)
        assert sum(call["asr_states"].values()) == 1 and not call["ending"]
        for name in ("c1", leg):
            one, = operator.json("call", name)["legs"]
            assert (one["leg"], one["role"], one["asr"]) == (leg, "caller", "sim")
            assert one["rtp"]["src"] == "127.0.0.1:%d" % sender.getsockname()[1]
            assert one["rtp"]["ssrc"] == 0xabc and one["rtp"]["payload_type"] == 0
            assert one["samples"]["received"] == 48 * 160 and one["duration_ms"] == 1000
            assert (one["rtp"]["packets"], one["rtp"]["lost"]) == (48, 2)
            assert 1 <= one["rtp"]["mos"] < 4.4 and one["rtp"]["jitter_ms"] < 500
            assert one["history"][0]["asr_state"] == "connecting"
        daemon.until("segment")
        one, = operator.json("call", "c1")["legs"]
        assert one["connections"] == 1 and one["asr_state"] == "streaming"
        assert [h["asr_state"] for h in one["history"]] == ["connecting", "streaming"]
        text = operator.text("call", "c1")
        assert "48 packets, 2 lost (4.0 %)" in text and "ASR          sim: streaming" in text
        heads, row = operator.text("calls").splitlines()
        assert heads.split() == "CALL SOURCE AGE FROM TO LEGS BACKLOG LOST ASR".split()
        assert row.split()[:2] == ["c1", "rtp"] and row.rstrip().endswith("streaming")

        assert operator.text("hangup", leg) == ""
        ended = daemon.until("call.end")[-1]
        assert ended["reason"] == "ctl" and daemon.of("leg.end")[0]["reason"] == "ctl"
        for command in ("call", "hangup"):
            p = operator.run(command, "c1")
            assert p.returncode == 2 and "it may have ended" in p.stderr
    daemon.valid()
    # who did it is in the log; who asks is not
    said = [x.split("control: ")[1] for x in daemon.stderr.splitlines() if "control: " in x]
    assert said == [f"user {os.getuid()}: hangup {leg}", f"user {os.getuid()}: hangup c1, refused"]


def test_why_an_asr_does_not_answer_is_said(tmp_path):
    """A service that refuses the key: the leg's history has it in words."""
    with Simulator(tmp_path, script="99x http 401") as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        operator, control = Operator(daemon), Control(daemon.control)
        control.add("c1")
        while not [e for e in daemon.of("leg.state") if e["asr_state"] == "failed"]:
            daemon.until("leg.state")
        one, = operator.json("call", "c1")["legs"]
        assert one["asr_state"] == "failed" and one["last_trouble"] == "auth"
        assert one["history"][-1]["code"] == 401
        assert "last trouble auth: " in operator.text("call", "c1")


@pytest.mark.parametrize("answered", [True, False])
def test_hanging_up_a_sip_call_says_bye(tmp_path, answered):
    """A daemon that ends does not wait for the answer as long as it would else."""
    at = ("127.0.0.1", free_port())
    with Daemon(tmp_path, f'sip {{ listen = {{"udp:{at[0]}:{at[1]}"}} }}\n') as daemon:
        client = Client(at)
        Dialog(client, sdp((40000, "PCMU"))).ack()
        operator = Operator(daemon)
        call, = operator.json("calls")
        assert call["source"] == "sip"
        operator.text("hangup", call["call"])
        bye = client.receive()
        assert bye.line.startswith("BYE ")
        if answered:
            client.raw(b"SIP/2.0 200 OK\r\n" + b"".join(
                f"{n}: {v}\r\n".encode() for n, v in bye.headers
                if n in ("Via", "From", "To", "Call-ID", "CSeq")) + b"Content-Length: 0\r\n\r\n")
        assert daemon.until("call.end")[-1]["reason"] == "ctl"
        began = time.monotonic()
        daemon.stop()
        assert daemon.process.wait(WAIT_S) == 0 and time.monotonic() - began < 20
        client.close()


def test_more_calls_than_fit_in_a_line(tmp_path):
    number = '"' * 255   # twice as long in JSON
    with Daemon(tmp_path, ports=(25000, 25399)) as daemon:
        operator, control = Operator(daemon), Control(daemon.control)
        names = [f"{'x' * 50}-{n}" for n in range(100)]
        for name in names:
            control.add(name, to=number, **{"from": number})
        first = control.ask("calls")
        assert len(json.dumps(first)) < 64 * 1024 and 0 < len(first["calls"]) < 100
        assert [c["call"] for c in operator.json("calls")] == names
        assert len(operator.text("calls").splitlines()) == 101


def test_metrics_in_pieces_are_of_one_moment(tmp_path):
    """Enough asrs to need several."""
    asrs = "".join(f'asr "a{n}" {{ vendor = "vosk" url = "ws://127.0.0.1:9" }}\n'
                   f'route {{ asr = "a{n}" called = "{n}" }}\n' for n in range(30))
    with Daemon(tmp_path, asrs) as daemon:
        operator, control = Operator(daemon), Control(daemon.control)
        first = control.ask("metrics")
        assert first["next"] > 0 and len(json.dumps(first)) < 64 * 1024
        text = operator.text("metrics")
        assert text.startswith(first["metrics"][:60]) and text.endswith("\n")
        assert operator.json("metrics").count("# TYPE") == text.count("# TYPE") > 40
        assert 'trunkscribe_asr_circuit_open{asr="a29"} 0\n' in text
        bad = control.ask("metrics", **{"from": first["next"] - 1})
        assert not bad["ok"] and "begin again" in bad["error"]


@pytest.mark.parametrize("line,answers", [
    ("trunkscribectl ", ["status", "calls", "tail"]), ("trunkscribectl ca", ["call", "calls"]),
    ("trunkscribectl -s SOCKET call ", ["c1", "c2"]), ("trunkscribectl events --from ", ["now"]),
    ("trunkscribectl drain --c", ["--cancel"]),
])
def test_bash_completes(tmp_path, line, answers):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        for call in ("c1", "c2"):
            control.add(call)
        words = line.replace("SOCKET", str(daemon.control)).split(" ")
        words[0] = str(BUILD / "trunkscribectl")
        script = (f'source {TOP}/conf/trunkscribectl.bash-completion\nCOMP_WORDS=("$@")\n'
                  'COMP_CWORD=$(($# - 1))\n_trunkscribectl\nprintf "%s\\n" "${COMPREPLY[@]}"')
        p = subprocess.run(["bash", "-c", script, "bash", *words], text=True, check=True,
                           capture_output=True, timeout=WAIT_S)
    assert set(answers) <= set(p.stdout.split()), p
