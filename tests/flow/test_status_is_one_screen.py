"""trunkscribectl status: asrs, legs, journal, subscribers, and what went wrong, on one screen."""
import socket

from service import WAIT_S, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from test_operators_see_and_end_calls import Operator


def states(daemon, *wanted):
    """Until all of them were told; a failure that is not wanted ends it."""
    seen = set()
    while not set(wanted) <= seen:
        daemon.until("leg.state")
        last = daemon.of("leg.state")[-1]
        seen.add(last.get("asr_state"))
        assert last.get("asr_state") != "failed" or "failed" in wanted, last


def test_all_is_well(tmp_path):
    with Simulator(tmp_path) as sim, Daemon(
            tmp_path, asr_config(sim, key_file(tmp_path)) + 'asr "idle" { vendor = "vosk" '
            'url = "ws://127.0.0.1:9" }\n', journal=tmp_path / "j") as daemon:
        operator, control, sender = Operator(daemon), Control(daemon.control), bound()
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT_S)
        s.connect(str(daemon.events))
        s.sendall(b'{"hello":1,"name":"crm","from":"oldest","ack":true}\n')
        assert b'"hello"' in s.recv(65536)
        leg, to = control.add("c1", codec="PCMU")
        paced((sender, to, list(packets(speech(1500), 5))))
        daemon.until("segment")
        while not [e for e in daemon.of("segment") if e["state"] == "final"]:
            daemon.until("segment")
        status = operator.json("status")
        assert status["legs"] == {"streaming": 1} and status["problems"] == []
        one, idle = status["asrs"]
        assert (one["asr"], one["vendor"], one["state"], one["legs"]) == ("sim", "bodhi", "up", 1)
        assert one["final_latency_ms"] < 10000 and "last_error" not in one
        assert (idle["asr"], idle["state"], idle["legs"]) == ("idle", "unused", 0)
        journal = status["journal"]
        assert journal["on_disk"] and journal["first"] == 1 and journal["next"] > 4
        assert status["subscribers"]["names"][0]["name"] == "crm"
        assert status["subscribers"]["connected"] == 2
        text = operator.text("status")
        assert "legs         1 streaming" in text and "crm" in text and "on disk" in text
        assert len(text.splitlines()) <= 24 and "last problems" not in text
        control.ask("leg.end", leg=leg)
        daemon.until("call.end")
        s.close()


def test_what_went_wrong_is_said_in_words(tmp_path):
    with Simulator(tmp_path, script="99x http 401") as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        operator, control = Operator(daemon), Control(daemon.control)
        control.add("c1")
        states(daemon, "failed")
        daemon.file.write_text(daemon.file.read_text() + "colour = red\n")
        assert operator.run("reload").returncode == 2
        status = operator.json("status")
        one, = status["asrs"]
        assert one["state"] == "down" and one["text"] == one["last_error"]
        problems = {p["what"]: p for p in status["problems"]}
        assert {"reload", "auth", "asr_down"} <= set(problems)
        assert problems["asr_down"]["asr"] == "sim" and "colour" in problems["reload"]["text"]
        assert status["problems"][0]["what"] == "reload"
        text = operator.text("status")
        assert "    down: " + one["text"] in text and "last problems" in text


def test_an_asr_that_is_disabled_gets_no_new_legs(tmp_path):
    (tmp_path / "b").mkdir()
    with Simulator(tmp_path) as sim, Simulator(tmp_path / "b") as other, Daemon(
            tmp_path, f'asr "b" {{ vendor = "bodhi" url = "{other.url()}" model = '
            f'"hi-banking-v2-8khz" api-key-file = "{key_file(tmp_path)}" }}\n'
            + asr_config(sim, key_file(tmp_path), name="a", more='fallback = "b"')) as daemon:
        operator, control = Operator(daemon), Control(daemon.control)
        control.add("c1")
        operator.text("asr", "disable", "a")
        control.add("c2")
        assert control.ask("reload")["ok"]
        control.add("c3")
        operator.text("asr", "disable", "b")
        control.add("c4")
        assert [(x["asr"], x["state"], x["legs"]) for x in operator.json("status")["asrs"]] == [
            ("b", "disabled", 2), ("a", "disabled", 1)]
        operator.text("asr", "enable", "a")
        control.add("c5")
        daemon.until("daemon.asr_enabled")
        p = operator.run("asr", "enable", "nobody")
        assert p.returncode == 2 and "status names them" in p.stderr
        daemon.stop()
        daemon.until("bye")
    daemon.valid()
    assert {e["call"]: e["asr"] for e in daemon.of("leg.start")} == {
        "c1": "a", "c2": "b", "c3": "b", "c4": "none", "c5": "a"}
    assert [e["asr"] for e in daemon.of("daemon.asr_disabled")] == ["a", "b"]


def test_the_log_says_more_when_told(tmp_path):
    with Daemon(tmp_path) as daemon:
        operator = Operator(daemon)
        operator.text("loglevel", "error")
        operator.text("drain")
        operator.text("loglevel", "info")
        operator.text("drain", "--cancel")
        assert operator.run("loglevel", "inf").returncode == 64
        assert operator.run("asr", "remove", "x").returncode == 64
    assert "draining: no new calls" not in daemon.stderr and "new calls again" in daemon.stderr
