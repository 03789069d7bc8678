"""Calls by sipp: UDP, TCP, several at once, with lost messages; the ASR hears the file."""
import array
import collections

import pytest

import sipp
from oracle import g711
from service import speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import free_ports
from test_sip_server_answers_by_the_rules import Server

MS = 2000


def heard(pcm, codec):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


@pytest.mark.parametrize("transport, codec, calls, lost, options", [
    ("udp", "PCMU", 3, 0, []),
    ("tcp", "PCMA", 3, 0, ["-t", "t1"]),
    ("udp", "PCMA", 6, 30, [])])
def test_calls(tmp_path, transport, codec, calls, lost, options):
    pcm = speech(MS)
    audio = sipp.audio_file(tmp_path / "audio.raw", pcm, codec)
    # a lost ACK: the daemon says BYE itself after 32 s, which sipp would not expect
    text = sipp.call(audio, codec, MS, lost=lost)
    with Simulator(tmp_path) as sim, \
            Server(tmp_path, rest=asr_config(sim, key_file(tmp_path)),
                   transport=transport) as server:
        code, said = sipp.run(tmp_path, text, server.at, "-m", calls, "-l", calls, "-r", calls,
                              "-mp", free_ports(40)[0], *options)
        assert code == 0, said
        for _ in range(calls):
            server.until("call.end")
        status = server.status()
        assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)
        server.stop()
    server.valid()
    assert len(server.of("call.start")) == calls
    assert collections.Counter(e["reason"] for e in server.of("leg.end")) == {"bye": calls}
    for e in server.of("leg.end"):
        assert e["audio"]["samples"]["sent"] == len(pcm), e
    for line in sim.report:
        assert sim.dump(line["connection"]) == heard(pcm, codec)
    assert len(sim.report) == calls
