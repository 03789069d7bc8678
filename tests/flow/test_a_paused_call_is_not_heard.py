"""pause and resume: not a sample of what was said meanwhile reaches an ASR, on any connection."""
import array
import json
import subprocess

import pytest

from oracle import g711
from service import WAIT_S, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import BUILD, Simulator


def heard(pcm):
    return array.array("h", g711.decode("PCMU", bytes(g711.encode("PCMU", pcm))))


class Call:
    """One leg, whose samples are counted as they arrive."""

    def __init__(self, daemon, pcm):
        self.control, self.sender = Control(daemon.control), bound()
        self.leg, self.to = self.control.add("c1", codec="PCMU")
        self.packets, self.said = list(packets(pcm, 7)), 0

    def say(self, ms):
        n = ms // 20
        paced((self.sender, self.to, self.packets[self.said:self.said + n]))
        self.said += n
        for _ in range(10000):
            now = self.control.ask("call", call="c1")["call"]["legs"][0]
            if now["samples"]["received"] == self.said * 160:
                return now
        raise AssertionError(now)


def ctl(daemon, *arguments):
    subprocess.run([BUILD / "trunkscribectl", "-s", daemon.control, *arguments], check=True,
                   timeout=WAIT_S)


def accounted(daemon, received, paused):
    end, = daemon.of("leg.end")
    assert end["audio"]["samples"] == {"received": received, "sent": received - paused, "lost": 0,
                                       "paused": paused}
    daemon.valid()


@pytest.mark.parametrize("name", ["c1", "c1.1"])
def test_exactly_the_span_is_missing(tmp_path, name):
    pcm = speech(3600)
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        call = Call(daemon, pcm)
        call.say(1200)
        ctl(daemon, "pause", name)
        assert call.say(900)["asr_state"] == "paused"
        ctl(daemon, "resume", name)
        daemon.until("resume")
        call.say(1500)
        call.control.ask("leg.end", leg=call.leg)
        events = daemon.until("call.end")
    accounted(daemon, 28800, 7200)
    pause, = daemon.of("pause")
    resume, = daemon.of("resume")
    assert (pause["at_ms"], resume["at_ms"], pause["reason"]) == (1200, 2100, "ctl")
    gap, = daemon.of("gap")
    assert (gap["start_ms"], gap["end_ms"], gap["cause"]) == (1200, 2100, "paused")
    states = [e["asr_state"] for e in daemon.of("leg.state")]
    assert states[:3] == ["connecting", "streaming", "paused"] and "streaming" in states[3:]
    assert array.array("h", sim.dump(1)) == heard(pcm[:9600] + pcm[16800:])
    # what was heard of a segment is what lies outside
    spans = [e for e in events if e["type"] == "segment"]
    assert any(e["end_ms"] > 2100 for e in spans)
    for e in spans:
        lost = max(0, min(e["end_ms"], 2100) - max(e["start_ms"], 1200))
        assert abs(e["coverage"]["lost_ms"] - lost) <= 1, e


def test_not_on_a_later_connection_either(tmp_path):
    """The service goes twice, in the pause and behind it: what is sent again has no hole in it
    but that."""
    pcm = speech(4000)
    with Simulator(tmp_path, script="2x close 1011 after 12000 samples\nok") as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))) as daemon:
        call = Call(daemon, pcm)
        call.say(1400)
        ctl(daemon, "pause", "c1")
        call.say(1000)
        ctl(daemon, "resume", "c1")
        daemon.until("resume")
        call.say(1600)
        call.control.ask("leg.end", leg=call.leg)
        daemon.until("call.end")
    accounted(daemon, 32000, 8000)
    secret = heard(pcm[11200:19200]).tobytes()
    whole = heard(pcm[:11200] + pcm[19200:]).tobytes()
    assert len(sim.report) >= 2
    union = set()
    for line in sim.report:
        dump = sim.dump(line["connection"])
        at = whole.find(dump[:3200])
        assert at >= 0 and whole[at:at + len(dump)] == dump, "something else was heard"
        union |= set(range(at, at + len(dump), 2))
        assert all(dump.find(secret[i:i + 320]) < 0 for i in range(0, len(secret), 320))
    assert union == set(range(0, len(whole), 2))
    assert {e["cause"] for e in daemon.of("gap")} == {"paused"}


def test_the_connection_is_kept_alive_and_the_pause_ends_with_the_leg(tmp_path):
    """deepgram closes after 10 s of nothing; silence goes there, and nothing else."""
    pcm, config = speech(6000), 'asr "sim" {{ vendor = "deepgram" url = "{}" api-key-file = "{}" ' \
                                'encoding = "pcm" }}\nroute {{ asr = "sim" }}\n'
    with Simulator(tmp_path, dialect="deepgram") as sim, \
            Daemon(tmp_path, config.format(sim.url(), key_file(tmp_path)),
                   events="dtmf = yes") as daemon:
        call = Call(daemon, pcm)
        call.say(1000)
        ctl(daemon, "pause", "c1")
        call.say(4600)
        daemon.stop()
        daemon.until("call.end")
    accounted(daemon, 44800, 36800)
    assert daemon.of("resume") == []
    gap, = daemon.of("gap")
    assert (gap["start_ms"], gap["end_ms"], gap["cause"]) == (1000, 5600, "paused")
    dump = array.array("h", sim.dump(1))
    assert dump[:8000] == heard(pcm[:8000]) and len(dump) > 8000 and not any(dump[8000:])


def test_what_is_not_there_cannot_be_paused(tmp_path):
    with Daemon(tmp_path) as daemon:
        control = Control(daemon.control)
        for do in ("pause", "resume"):
            answer = control.ask(do, call="c9")
            assert not answer["ok"] and "may have ended" in answer["error"]
        leg, _ = control.add("c1")
        assert control.ask("pause", call=leg)["ok"] and control.ask("pause", call="c1")["ok"]
        control.add("c1")   # joins a paused call
        daemon.until("pause")
        daemon.until("pause")
        assert [json.loads(x)["leg"] for x in daemon.lines if b'"pause"' in x] == ["c1.1", "c1.2"]
    daemon.valid()
