"""rtpengine's `subscribe request` gives two labelled lines: in an INVITE they are a call."""
import array
import re
import time

from oracle import g711
from rtpengine import Rtpengine
from service import Control, Daemon, bound, packets, paced, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp

RTP = (25400, 25499)


def heard(pcm, codec):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


def connect(engine, codec):
    """Two parties through the engine: their sockets, and where each has to send."""
    a, b = bound(), bound()
    names = {"call_id": "c1", "from_tag": "ft"}
    offered = engine.ok("offer", sdp=sdp((a.getsockname()[1], codec)), ICE="remove", **names)
    answered = engine.ok("answer", sdp=sdp((b.getsockname()[1], codec)), ICE="remove",
                         to_tag="tt", **names)

    def port(description):
        return int(re.search(r"m=audio (\d+)", description["sdp"])[1])
    return (a, port(answered)), (b, port(offered))


def test_what_both_say_reaches_the_asr(tmp_path):
    port, codec = free_port(), "PCMA"
    with Rtpengine(tmp_path) as engine, Simulator(tmp_path) as sim, Daemon(
            tmp_path, asr_config(sim, key_file(tmp_path)) +
            f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        caller, agent = connect(engine, codec)
        fork = engine.ok("subscribe request", call_id="c1", flags=["all", "SIPREC"], ICE="remove")
        labels = re.findall(r"a=label:(\S+)", fork["sdp"])
        assert fork["sdp"].count("m=audio ") == 2 and len(set(labels)) == 2

        call = Dialog(Client(("127.0.0.1", port)), fork["sdp"])
        assert call.ok.status == 200, call.ok.raw
        engine.ok("subscribe answer", call_id="c1", to_tag=fork["to-tag"], sdp=call.ok.body)
        call.ack()
        assert [m[2] for m in call.ok.media()] == ["recvonly"] * 2
        assert re.findall(r"a=label:(\S+)", call.ok.body) == labels

        said = [speech(1500, 1), speech(1500, 2)]
        paced(*[(sock, ("127.0.0.1", to), list(packets(pcm, 70 + n, codec)))
                for n, ((sock, to), pcm) in enumerate(zip((caller, agent), said))])
        took = sum(len(pcm) // 160 for pcm in said)
        control, until = Control(daemon.control), time.monotonic() + 30
        while control.ask("status")["status"]["rtp"]["packets"] < took and time.monotonic() < until:
            time.sleep(0.02)                    # the engine's threads keep no order among them
        engine.ok("unsubscribe", call_id="c1", to_tag=fork["to-tag"])
        engine.ok("delete", call_id="c1", from_tag="ft")
        call.bye()
        daemon.until("call.end")
    daemon.valid()
    legs = daemon.of("leg.start")
    assert [(e["label"], e["codec"], e["role"], e["role_source"]) for e in legs] == [
        (labels[0], codec, "caller", "labels"), (labels[1], codec, "agent", "labels")]
    assert {e["leg"]: e["rtp"]["ssrc"] for e in daemon.of("leg.media")} == {
        legs[0]["leg"]: 70, legs[1]["leg"]: 71}
    for end in daemon.of("leg.end"):
        assert end["audio"]["samples"] == {"received": 12000, "sent": 12000, "lost": 0, "paused": 0}
    assert {sim.dump(line["connection"]) for line in sim.report} == {
        heard(pcm, codec) for pcm in said}
