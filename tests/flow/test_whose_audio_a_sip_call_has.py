"""Whose packets are a SIP call's: by its SDP, by what it learns, by what a re-INVITE says."""
import array
import time

import pytest

from oracle import g711
from service import Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp

RTP = (26200, 26299)


def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


@pytest.fixture
def served(tmp_path, request):
    """(simulator, daemon, client) with more in its sections; the calls have to end in the test."""
    media, sip = getattr(request, "param", ("", ""))
    port = free_port()
    with Simulator(tmp_path) as sim:
        with Daemon(tmp_path, asr_config(sim, key_file(tmp_path))
                    + f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} {sip} }}\n', RTP,
                    media=media) as daemon:
            yield sim, daemon, Client(("127.0.0.1", port))
        daemon.valid()


def dialog(client, sender, host="127.0.0.1", *attributes):
    call = Dialog(client, sdp((sender.getsockname()[1], "PCMU", *attributes), host=host))
    assert call.ok.status == 200, call.ok.raw
    call.ack()
    return call, call.ok.media()[0][:2]


def states(daemon):
    return [e["reason"] for e in daemon.of("leg.state") if "reason" in e]


def until_state(daemon, reason):
    while reason not in states(daemon):
        daemon.until("leg.state")


def until_taken(daemon, n):
    """RTP and SIP come by different sockets: what was sent before is taken before what follows."""
    control, began = Control(daemon.control), time.monotonic()
    while time.monotonic() < began + 30:
        rtp = control.ask("status")["status"]["rtp"]
        if rtp["packets"] + rtp["foreign"] >= n:
            return
        time.sleep(0.02)
    raise AssertionError(rtp)


def noise(of):
    return [p[:12] + bytes(160) for p in of]


def test_silence_is_told_and_ends_no_call(served):
    """no_rtp after 5 s, rtp when it comes; another's packets are no sign of life; on hold none is
    expected."""
    _, daemon, client = served
    sender, other, pcm = bound(), bound("127.0.0.2"), speech(200)
    plain = list(packets(pcm, 7))
    call, to = dialog(client, sender)
    began = time.monotonic()
    paced((other, to, noise(plain)))
    until_state(daemon, "no_rtp")
    assert 4.5 < time.monotonic() - began < 15
    paced((sender, to, plain))
    until_state(daemon, "rtp")
    held = sdp((sender.getsockname()[1], "PCMU", "a=inactive"), version=2)
    assert call.reinvite(held).status == 200
    began = time.monotonic()
    assert client.ask("OPTIONS").status == 200
    while time.monotonic() < began + 5.5:
        time.sleep(0.1)
    assert Control(daemon.control).ask("status")["status"]["sip"]["calls"] == 1
    call.bye()
    daemon.until("call.end")
    assert states(daemon) == ["no_rtp", "rtp"]
    end, = daemon.of("leg.end")
    assert (end["reason"], end["rtp"]["packets"]) == ("bye", 10)


@pytest.mark.parametrize("served", [("", 'media-timeout = "1s"')], indirect=True)
def test_silence_ends_a_call_where_that_is_asked_for(served):
    _, daemon, client = served
    sender, pcm = bound(), speech(200)
    _, to = dialog(client, sender)
    paced((sender, to, list(packets(pcm, 7))))
    bye = client.receive()
    assert bye.line.startswith("BYE ")
    client.raw(b"SIP/2.0 200 OK\r\n" + b"".join(
        f"{n}: {v}\r\n".encode() for n, v in bye.headers
        if n in ("Via", "From", "To", "Call-ID", "CSeq")) + b"Content-Length: 0\r\n\r\n")
    daemon.until("call.end")
    assert daemon.of("call.end")[0]["reason"] == "media_timeout"


def test_a_reinvite_moves_the_source(served):
    """The old one is believed until the new one speaks, then it is nobody's."""
    sim, daemon, client = served
    old, new, pcm = bound(), bound("127.0.0.2"), speech(1200)
    plain = list(packets(pcm, 7))
    call, to = dialog(client, old)
    paced((old, to, plain[:20]), (new, to, noise(plain[:20])))
    until_taken(daemon, 40)
    answer = call.reinvite(sdp((new.getsockname()[1], "PCMU"), host="127.0.0.2", version=2))
    assert answer.status == 200 and answer.media()[0][:2] == to
    paced((old, to, plain[20:30]))
    paced((new, to, plain[30:]), (old, to, [b""] + noise(plain[31:])))
    call.bye()
    daemon.until("call.end")
    end, = daemon.of("leg.end")
    assert (end["rtp"]["packets"], end["rtp"]["lost"]) == (60, 0)
    assert sim.dump(1)[:len(pcm) * 2] == heard(pcm)


@pytest.mark.parametrize("served", [('source = "learn"', "")], indirect=True)
def test_a_source_behind_nat_is_learnt(served):
    """The SDP names an address of a home; what came while it was learnt is heard, too."""
    sim, daemon, client = served
    sender, other, pcm = bound("127.0.0.3"), bound("127.0.0.2"), speech(800)
    plain = list(packets(pcm, 7))
    call, to = dialog(client, sender, "192.168.77.10")
    other.sendto(noise(plain)[0], to)
    other.sendto(noise(plain)[2], to)  # three in order are none
    other.sendto(noise(plain)[3], to)
    paced((sender, to, plain), (other, to, [b""] * 5 + noise(plain)[5:]))
    call.bye()
    daemon.until("call.end")
    end, = daemon.of("leg.end")
    assert (end["rtp"]["packets"], end["rtp"]["lost"]) == (40, 0)
    media, = daemon.of("leg.media")
    assert media["rtp"]["src"] == "127.0.0.3:%d" % sender.getsockname()[1]
    assert sim.dump(1)[:len(pcm) * 2] == heard(pcm)
