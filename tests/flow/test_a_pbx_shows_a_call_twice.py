"""The same audio on two dialogs of a PBX goes to an ASR once; what only looks so goes whole."""
import array
import math
import zlib

import pytest

import replay
from network import Network
from oracle import g711
from oracle.pcapgen import Call, Capture, network
from service import Daemon
from sessions import asr_config, key_file
from simulator import Simulator, talk

MS = 1000
A, PBX, B = "10.0.0.1", "10.0.0.9", "10.0.0.2"
ANSWERED = 1000 * MS


def speech(seed, ms=3000):
    return array.array("h", talk((ms, True), seed=seed))


def silence(ms):
    return array.array("h", bytes(16 * ms))


def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm))))


def ssrc_of(call, who):
    return zlib.crc32(f"{call} {who}".encode())


def tone(ms):
    """350 and 440 Hz: its bytes come again every 100 ms."""
    wave = [sum(math.sin(2 * math.pi * i * f / 8000) for f in (350, 440)) for i in range(800)]
    return array.array("h", [int(4000 * wave[i % 800]) for i in range(8 * ms)])


class Pbx:
    """Caller -> PBX ("in") and PBX -> agent ("out"), the audio of each handed on by the PBX."""

    def __init__(self, outside=PBX, **out):
        self.capture = Capture()
        self.inward = Call(self.capture, A, PBX, name="in", media_a=4000, media_b=4100)
        self.out = Call(self.capture, outside, B, name="out", media_a=4200, media_b=4300,
                        formats=out.pop("formats", (0, 8, 101)))
        self.said = {}        # (Call-ID, role): what is heard there

    def signal(self, late_answer=True):
        self.inward.invite(0)
        self.out.invite(20 * MS)
        self.out.answer(ANSWERED)
        self.inward.answer(ANSWERED + (30 * MS if late_answer else -30 * MS))
        return self

    def speak(self, call, who, pcm, t_us=ANSWERED + 50 * MS, drop=(), codec="PCMU", **how):
        """That party's stream on that dialog."""
        line = self.inward if call == "in" else self.out
        pt = {"PCMU": 0, "PCMA": 8}[codec]
        sender = line.sender(who, t_us, ssrc=ssrc_of(call, who), codec=codec, pt=pt,
                             **how)
        self.capture.add(network(sender.speak(pcm).sent, drop=drop))
        self.said[f"{call}@example.com", "caller" if who == "caller" else "agent"] = \
            heard(pcm, codec)
        return self

    def bridge(self, caller, agent, delay_ms=15, codec="PCMU", drop=(), **out):
        """Both parties speak; the PBX hands it on."""
        t = ANSWERED + 50 * MS
        self.speak("in", "caller", caller, t)
        self.speak("out", "caller", caller, t + delay_ms * MS, codec=codec, drop=drop, **out)
        self.speak("out", "agent", agent, t + 7 * MS, codec=codec, **out)
        self.speak("in", "agent", agent, t + (7 + delay_ms) * MS, drop=drop)
        return self

    def bye(self, t_us=ANSWERED + 3500 * MS):
        self.inward.bye(t_us)
        self.out.bye(t_us + 20 * MS)
        return self

    def run(self, tmp_path, sim=None):
        path = self.capture.write(tmp_path / "pbx.pcap")
        if not sim:
            return replay.replay(path, tmp_path / "run")
        return replay.replay(path, tmp_path / "run",
                             config=asr_config(sim, key_file(tmp_path)))


def calls_of(run):
    return {e["sip_call_id"].partition("@")[0]: e for e in run.calls}


def legs_of(run, name):
    call = calls_of(run)[name]["call"]
    return {leg.role: leg for leg in run.legs if leg.call == call}


def assert_whole(run, pbx):
    """Every leg is there once, each sample in its place."""
    names = {e["call"]: e["sip_call_id"] for e in run.calls}
    assert sorted((names[leg.call], leg.role) for leg in run.legs) == sorted(pbx.said)
    for leg in run.legs:
        assert run.wav(leg) == pbx.said[names[leg.call], leg.role], (names[leg.call], leg.role)
        assert leg.end["rtp"]["lost"] == 0


@pytest.mark.parametrize("how", [
    "at once", "after 200 ms", "the PBX answers first", "packets of 30 ms", "5 % lost on the way",
    "one party only"])
def test_the_same(tmp_path, how):
    pbx = Pbx().signal(late_answer=how != "the PBX answers first")
    caller, agent = speech(1), speech(2)
    if how == "one party only":
        t = ANSWERED + 50 * MS
        pbx.speak("in", "caller", caller, t).speak("out", "caller", caller, t + 15 * MS)
    else:
        pbx.bridge(caller, agent, 200 if how == "after 200 ms" else 15,
                   drop=range(10, 150, 20) if "lost" in how else (),
                   **({"ptime": 30} if "30 ms" in how else {}))
    pbx.bye()
    with Simulator(tmp_path) as sim:
        run = pbx.run(tmp_path, sim)
    calls = calls_of(run)
    assert "ids" not in calls["in"]
    assert calls["out"]["ids"] == {"same_as": calls["in"]["call"]}
    assert not [e for e in run.events if e["type"] == "call.update"]
    for name, asr in (("in", "sim"), ("out", "none")):
        legs = legs_of(run, name)
        assert {leg.start["asr"] for leg in legs.values()} == {asr}
        assert len(legs) == (1 if how == "one party only" else 2)
    audio = {sim.dump(line["connection"]) for line in sim.report}
    assert len(audio) == (1 if how == "one party only" else 2)
    if "lost" not in how:
        assert audio == {pcm.tobytes() for (call, _), pcm in pbx.said.items()
                         if call.startswith("in@")}
        assert_whole(run, pbx)
    # nothing of the waiting is seen in the times
    for leg in run.legs:
        media, = leg.all("leg.media")
        assert media["at"] < f"2023-11-14T22:13:21.{300 if how == 'after 200 ms' else 120}"


@pytest.mark.parametrize("how", [
    "other audio", "transcoded", "another address of the PBX", "silence", "the same tone",
    "two calls to the PBX"])
def test_not_the_same(tmp_path, how):
    pbx = Pbx(outside="10.0.0.8" if how == "another address of the PBX" else PBX)
    if how == "two calls to the PBX":   # a conference: both are its callers
        pbx.out = Call(pbx.capture, B, PBX, name="out", media_a=4300, media_b=4200)
        pbx.signal()
        t = ANSWERED + 50 * MS
        for call, other, seed in (("in", "out", 1), ("out", "in", 2)):
            pbx.speak(call, "caller", speech(seed), t)
            pbx.speak(other, "agent", speech(seed), t + 15 * MS)
    else:
        pbx.signal()
    caller, agent = speech(1), speech(2)
    if how == "silence":
        caller, agent = silence(3000), silence(3000)
    elif how == "the same tone":   # 425 Hz: what every exchange in Europe sends
        caller = agent = tone(3000)
    if how == "other audio":
        pbx.bridge(caller, agent)
        pbx.capture.frames = [f for f in pbx.capture.frames
                              if b"INVITE" in f[1] or b"SIP/2.0" in f[1]]
        t = ANSWERED + 50 * MS
        for n, (call, who) in enumerate((c, w) for c in ("in", "out") for w in ("caller", "agent")):
            pbx.speak(call, who, speech(10 + n), t + n * MS)
    elif how != "two calls to the PBX":
        pbx.bridge(caller, agent, codec="PCMA" if how == "transcoded" else "PCMU")
    pbx.bye()
    with Simulator(tmp_path) as sim:
        run = pbx.run(tmp_path, sim)
    assert not [e for e in run.events if e["type"] in ("call.start", "call.update")
                and "same_as" in e.get("ids", {})]
    assert {leg.start["asr"] for leg in run.legs} == {"sim"}
    assert_whole(run, pbx)
    heard_by_asr = sorted(sim.dump(line["connection"]) for line in sim.report)
    assert heard_by_asr == sorted(pcm.tobytes() for pcm in pbx.said.values())


def test_found_out_late(tmp_path):
    """Two seconds of silence tell nothing; then it is told, and the legs begin anew."""
    pbx = Pbx().signal()
    pbx.bridge(silence(2000) + speech(1, 1000), silence(2000) + speech(2, 1000)).bye()
    with Simulator(tmp_path) as sim:
        run = pbx.run(tmp_path, sim)
    calls = calls_of(run)
    assert "ids" not in calls["out"]
    update, = [e for e in run.events if e["type"] == "call.update"]
    assert update["call"] == calls["out"]["call"]
    assert update["ids"] == {"same_as": calls["in"]["call"]}
    legs = [leg for leg in run.legs if leg.call == calls["out"]["call"]]
    assert [(leg.start["asr"], leg.end["reason"]) for leg in legs] == \
        [("sim", "same_as")] * 2 + [("none", "bye")] * 2
    for role in ("caller", "agent"):
        parts = [run.wav(leg) for leg in legs if leg.role == role]
        assert parts[0] + parts[1] == pbx.said["out@example.com", role]
        assert 16000 < len(parts[0]) < 16000 + 4000


@pytest.mark.parametrize("how", ["ends", "falls silent"])
def test_the_earlier_call_and_the_later_goes_on(tmp_path, how):
    """Put through to somebody else, or past the PBX: from then on it is its own."""
    pbx = Pbx().signal()
    t = ANSWERED + 50 * MS
    pbx.bridge(speech(1, 1000), speech(2, 1000))
    after = speech(3)
    sender = pbx.out.sender("agent", t + 1020 * MS, ssrc=ssrc_of("out", "agent"), seq=1050,
                            ts=5000 + 8000)
    pbx.capture.add(sender.speak(after).sent)
    pbx.inward.bye(t + (1030 if how == "ends" else 4900) * MS)
    pbx.out.bye(t + 5000 * MS)
    with Simulator(tmp_path) as sim:
        run = pbx.run(tmp_path, sim)
    legs = [leg for leg in run.legs if leg.call == calls_of(run)["out"]["call"]
            and leg.role == "agent"]
    assert [(leg.start["asr"], leg.end["reason"]) for leg in legs] == \
        [("none", "same_as_over"), ("sim", "bye")]
    told = [run.wav(leg) for leg in legs]
    assert told[0] + told[1] == pbx.said["out@example.com", "agent"] + heard(after)
    # what waited for the decision is the ASR's: at most what the end of the call takes to see
    assert len(told[0]) < 8000 + 8 * 250
    assert told[1].tobytes() in {sim.dump(line["connection"]) for line in sim.report}


def test_the_earlier_call_holds_its_breath(tmp_path):
    """Half a second of it is missing in the capture: they are one all the same."""
    pbx = Pbx().signal().bridge(speech(1), speech(2))
    # [1.5 s, 2 s) of what is sent there
    pbx.capture.frames = [f for f in pbx.capture.frames
                          if not (1500 * MS < f[0] < 2000 * MS and f[1][12:].find(
                              bytes([10, 0, 0, 1])) >= 0)]
    pbx.bye()
    with Simulator(tmp_path) as sim:
        run = pbx.run(tmp_path, sim)
    assert [leg.start["asr"] for leg in run.legs] == ["sim", "sim", "none", "none"]
    for leg in legs_of(run, "out").values():
        assert run.wav(leg) == pbx.said["out@example.com", leg.role]


def test_the_other_dialog_is_encrypted(tmp_path):
    """SIP over TLS: its RTP is nobody's, but comes from a party of the other call."""
    pbx = Pbx().signal()
    pbx.bridge(silence(800) + speech(1, 1000), silence(800) + speech(2, 1000)).bye()
    pbx.capture.frames = [f for f in pbx.capture.frames if b"out@example.com" not in f[1]]
    with Simulator(tmp_path) as sim:
        run = pbx.run(tmp_path, sim)
    known, other = run.calls
    assert known["sip_call_id"] == "in@example.com" and "sip_call_id" not in other
    assert other["ids"] == {"same_as": known["call"]}
    assert sorted((leg.call == other["call"], leg.start["asr"]) for leg in run.legs) == \
        [(False, "sim")] * 2 + [(True, "none")] * 2
    for leg in run.legs:
        assert leg.samples["received"] == 14400
        assert run.wav(leg) in pbx.said.values()
    assert {sim.dump(line["connection"]) for line in sim.report} == \
        {pcm.tobytes() for pcm in pbx.said.values()}


def test_a_real_relay(tmp_path):
    """Of 2005: the called party's side of a media relay has no SIP in the capture."""
    path = replay.capture("odedshimon_BruteShark__SIP_CALL_RTP_G711.pcap")
    if not path:
        pytest.skip("the shared captures are not here")
    run = replay.replay(path, tmp_path)
    call, relayed, orphan = run.calls
    assert relayed["ids"] == {"same_as": call["call"]} and "ids" not in orphan
    heard_there = {leg.role: run.wav(leg) for leg in run.legs if leg.call == call["call"]}
    again = [run.wav(leg) for leg in run.legs if leg.call == relayed["call"]]
    # 1.5 s at their ends, sample for sample
    for pcm, twin in zip(sorted(again, key=len), sorted(heard_there.values(), key=len)):
        assert pcm[-12000:] == twin[-12000:] and any(pcm[-12000:])


def test_live(tmp_path):
    pbx = Pbx().signal().bridge(speech(1, 1000), speech(2, 1000)).bye(ANSWERED + 1200 * MS)
    with Network() as net, Simulator(tmp_path) as sim:
        more = f'capture {{ interface = "{net.near}" }}\n' + \
            asr_config(sim, key_file(tmp_path))
        with Daemon(tmp_path, more) as daemon:
            net.send(pbx.capture)
            daemon.until("call.end")
            daemon.until("call.end")
        daemon.valid()
    calls = {e["sip_call_id"].partition("@")[0]: e for e in daemon.of("call.start")}
    assert calls["out"]["ids"] == {"same_as": calls["in"]["call"]} and "ids" not in calls["in"]
    assert sorted((e["call"] == calls["out"]["call"], e["asr"]) for e in daemon.of("leg.start")) \
        == [(False, "sim")] * 2 + [(True, "none")] * 2
    for e in daemon.of("leg.end"):
        assert e["audio"]["samples"]["received"] == 8000 and e["rtp"]["lost"] == 0
    assert {sim.dump(line["connection"]) for line in sim.report} == \
        {pcm.tobytes() for pcm in pbx.said.values()}
