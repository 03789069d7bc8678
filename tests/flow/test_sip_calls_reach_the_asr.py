"""SIP calls, message by message: what was sent as RTP is what the ASR heard."""
import array

import pytest

from oracle import g711
from service import Control, Daemon, bound, packets, paced, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp

def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


RTP = (24800, 24999)


def sip(transport="udp", more="", host="127.0.0.1"):
    port = free_port(host=host)
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (host, port), f'sip {{ listen = {{"{transport}:{at}"}} {more} }}\n'


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_call(tmp_path, transport, codec):
    to, section = sip(transport)
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + section, RTP) as daemon:
        client, sender, pcm = Client(to, transport), bound(), speech(1500)
        call = Dialog(client, sdp((sender.getsockname()[1], codec)))
        assert call.ok.status == 200, call.ok.raw
        (host, port, direction), = call.ok.media()
        assert direction == "recvonly" and RTP[0] <= port <= RTP[1]
        call.ack()
        paced((sender, (host, port), list(packets(pcm, 77, codec))))
        call.bye()
        daemon.until("call.end")
        status = Control(daemon.control).ask("status")["status"]["sip"]
        assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)
    daemon.valid()
    start, = daemon.of("call.start")
    assert (start["source"], start["from"], start["to"], start["sip_call_id"]) == (
        "sip", "alice@127.0.0.1", "bob@127.0.0.1", call.call_id)
    end, = daemon.of("leg.end")
    assert end["reason"] == "bye" and end["audio"]["samples"]["sent"] == 12000
    assert sim.dump(1) == heard(pcm, codec)
