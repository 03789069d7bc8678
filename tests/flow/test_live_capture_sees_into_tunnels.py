"""Whatever a mirror wraps a call in, live or in a file: the audio is that of the call."""
import array

import pytest

import replay
from network import Network
from oracle import g711
from oracle.pcapgen import TUNNELS, Call, Capture
from service import Control, Daemon
from sessions import asr_config, key_file
from simulator import Simulator, talk

MS = 1000
WRAPPINGS = {
    "plain": {},
    "vlan": {"vlans": [(0x8100, 100)]},
    "qinq": {"vlans": [(0x88a8, 10), (0x8100, 100)]},
    **{name: {"tunnels": (name,), "mtu": 700} for name in TUNNELS},
    "gre in vxlan, both tagged": {"tunnels": ("gre", "vxlan"), "vlans": [(0x8100, 7)], "mtu": 700},
}


def speech(seed):
    return array.array("h", talk((MS, True), seed=seed))


def heard(pcm):
    return array.array("h", g711.decode("PCMU", bytes(g711.encode("PCMU", pcm)))).tobytes()


class OverTcp(Call):
    """Its SIP goes over one connection, in pieces."""

    def send(self, t_us, who, data, **_):
        if not hasattr(self, "seq"):
            self.seq = {"caller": 1000, "agent": 9000}
        other = "agent" if who == "caller" else "caller"
        for at in range(0, len(data), 300):
            part = data[at:at + 300]
            self.capture.tcp(t_us, self.sip[who], self.sip[other], self.seq[who],
                             self.seq[other], 0x18, part)
            self.seq[who] += len(part)


def one_call(n, wrapping, ports=4000, sip=5060):
    """{what was said: bytes heard}, and the frames of it: signalling in fragments or over TCP."""
    frames = Capture(**wrapping)
    frames.ident, frames.wrapped = 1000 * n, 1000 * n
    kind = OverTcp if n % 3 == 2 else Call
    call = kind(frames, f"10.1.{n}.1", f"10.1.{n}.2", name=f"call{n}",
                media_a=ports + 2 * n, media_b=ports + 1000 + 2 * n, sip_a=sip, sip_b=sip)
    call.invite(0, mtu=400)
    call.answer(100 * MS)
    said = {}
    for k, who in enumerate(("caller", "agent")):
        pcm = speech(10 * n + k)
        said[f"call{n}@example.com", who] = heard(pcm)
        sender = call.sender(who, 200 * MS + n * MS, ssrc=10 * n + k, seq=65520 + n)
        frames.add(sender.speak(pcm).sent)
    call.bye(1400 * MS)
    return said, frames


def all_calls(link="ether"):
    """One capture of all of them, side by side."""
    said, whole = {}, Capture(link)
    for n, wrapping in enumerate(WRAPPINGS.values()):
        s, frames = one_call(n, wrapping)
        said.update(s)
        whole.frames += frames.frames
    return said, whole


def check(events, audio, said):
    """`audio`: {leg: bytes} or {bytes}."""
    calls = {e["call"]: e["sip_call_id"] for e in events if e["type"] == "call.start"}
    legs = {e["leg"]: (calls[e["call"]], e["role"]) for e in events if e["type"] == "leg.start"}
    assert sorted(legs.values()) == sorted(said)
    for e in events:
        if e["type"] == "leg.end":
            assert e["rtp"]["lost"] == e["rtp"]["duplicate"] == 0, legs[e["leg"]]
            assert e["audio"]["samples"]["received"] == 8000
    if isinstance(audio, dict):
        assert {legs[leg]: pcm for leg, pcm in audio.items()} == said
    else:
        assert audio == set(said.values())


def test_in_a_file(tmp_path):
    said, whole = all_calls()
    run = replay.replay(whole.write(tmp_path / "all.pcap"), tmp_path / "run")
    check(run.events, {leg.name: run.wav(leg).tobytes() for leg in run.legs}, said)


@pytest.mark.parametrize("interface,text", [
    (Network.near, ""), (Network.near, "udp portrange 4000-5999 or port 5060"),
    ("any", ""), ("any", "udp portrange 4000-5999 or port 5060")])
def test_live(tmp_path, interface, text):
    """On "any" each frame is seen twice, at both ends."""
    said, whole = all_calls()
    # what the filter is to keep out: the same in a tunnel, with other ports
    if text:
        _, other = one_call(60, {"tunnels": ("gre",)}, ports=10000, sip=5070)
        whole.frames += other.frames
    with Network() as net, Simulator(tmp_path) as sim:
        more = f'capture {{ interface = "{interface}" filter = "{text}" }}\n' + \
            asr_config(sim, key_file(tmp_path))
        with Daemon(tmp_path, more) as daemon:
            net.send(whole)
            for _ in WRAPPINGS:
                daemon.until("call.end")
            status = Control(daemon.control).ask("status")["status"]["capture"]
        daemon.valid()
    check(daemon.of("call.start") + daemon.of("leg.start") + daemon.of("leg.end"),
          {sim.dump(line["connection"]) for line in sim.report}, said)
    assert status["up"] and status["dropped"] == status["malformed"] == 0
    assert (status["copies"] > 0) == (interface == "any")
    assert status["rtp"] == len(WRAPPINGS) * 100 and status["tunnelled"] > 1000
    assert (status["foreign"] >= 100) == bool(text)


def test_the_kernels_own_vxlan(tmp_path):
    said, frames = one_call(1, {})
    with Network() as net, Simulator(tmp_path) as sim:
        tunnel = net.vxlan()
        more = f'capture {{ interface = "{net.near}" filter = "udp and net 10.1.0.0/16" }}\n' + \
            asr_config(sim, key_file(tmp_path))
        with Daemon(tmp_path, more) as daemon:
            net.send(frames, into=tunnel)
            daemon.until("call.end")
            status = Control(daemon.control).ask("status")["status"]["capture"]
        daemon.valid()
    check(daemon.of("call.start") + daemon.of("leg.start") + daemon.of("leg.end"),
          {sim.dump(line["connection"]) for line in sim.report}, said)
    assert status["tunnelled"] >= len(frames.frames) and status["malformed"] == 0
