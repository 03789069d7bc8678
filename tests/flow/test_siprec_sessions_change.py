"""Recording sessions while they last: lines and parties come and go, lines are encrypted."""
import re

import pytest

from service import Daemon, bound, packets, paced, speech
from sip_client import Client, Dialog, free_port, sdp

RTP = (26000, 26199)
KEY = "1 AES_CM_128_HMAC_SHA1_80 inline:" + "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
B = "parts"


def party(who, aor):
    return f'<participant participant_id="{who}"><nameID aor="{aor}"/></participant>'


def stream(name, label):
    return f'<stream stream_id="{name}"><label>{label}</label></stream>'


def speaks(who, name):
    return (f'<participantstreamassoc participant_id="{who}"><send>{name}</send>'
            '</participantstreamassoc>')


def gone(who):
    return (f'<participantsessionassoc participant_id="{who}"><disassociate-time>2026</disassociate'
            '-time></participantsessionassoc>')


def recording(*elements, mode="complete"):
    return f"<recording><datamode>{mode}</datamode>{''.join(elements)}</recording>"


def parts(description, metadata):
    return (f"--{B}\r\nContent-Type: application/sdp\r\n\r\n{description}\r\n--{B}\r\n"
            f"Content-Type: application/rs-metadata+xml\r\n\r\n{metadata}\r\n--{B}--\r\n")


HEADERS = {"Require": "siprec", "Content_Type": f"multipart/mixed;boundary={B}"}
ONE = (4000, "PCMU", "a=label:1", "a=sendonly")
TWO = (4002, "PCMA", "a=label:2", "a=sendonly")
BOTH = party("c", "sip:+49301@x"), party("a", "sip:2001@pbx"), stream("s1", "1")


@pytest.fixture
def server(tmp_path):
    port = free_port()
    with Daemon(tmp_path, f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        daemon.at = ("127.0.0.1", port)
        yield daemon
    daemon.valid()


def told(daemon):
    """What was said of the legs and the parties, in order."""
    out = []
    for e in daemon.until("call.end"):
        if e["type"] in ("leg.start", "leg.update"):
            out.append((e["type"], e["leg"][-1], e.get("label"), e["role"], e.get("role_source")))
        elif e["type"] == "leg.end":
            out.append((e["type"], e["leg"][-1], e["reason"]))
        elif e["type"] == "call.update":
            out.append((e["type"], *[(p["id"], p["role"], p.get("label"))
                                     for p in e["participants"]]))
    return out


def test_a_mixed_line_becomes_two_and_one_again(server):
    call = Dialog(Client(server.at), parts(sdp(ONE), recording(
        *BOTH, speaks("c", "s1"), speaks("a", "s1"))), **HEADERS).ack()
    apart = recording(*BOTH, stream("s2", "2"), speaks("c", "s1"), speaks("a", "s2"))
    answer = call.reinvite(parts(sdp(ONE, TWO, version=2), apart), **HEADERS)
    assert [m[2] for m in answer.media()] == ["recvonly"] * 2
    off = (0, *TWO[1:])
    answer = call.reinvite(sdp(ONE, off, version=3), Require="siprec")
    assert [bool(m[1]) for m in answer.media()] == [True, False]
    call.bye()
    assert told(server) == [
        ("leg.start", "1", "1", "mixed", "mixed"),
        ("leg.start", "2", "2", "agent", "participants"),
        ("call.update", ("c", "caller", "1"), ("a", "agent", "2")),
        ("leg.update", "1", None, "caller", "participants"),
        ("leg.end", "2", "removed"), ("leg.end", "1", "bye")]


def test_a_call_is_transferred(server):
    """The line stays the agent's while nobody, and then another one, speaks on it."""
    call = Dialog(Client(server.at), parts(sdp(ONE, TWO), recording(
        *BOTH, stream("s2", "2"), speaks("c", "s1"), speaks("a", "s2"))), **HEADERS).ack()
    for method, metadata in (
            ("UPDATE", recording(gone("a"), mode="partial")),
            ("INFO", recording(party("b", "sip:2002@pbx"), speaks("b", "s2"), mode="partial")),
            ("INFO", recording(mode="partial"))):
        answer = call.ask(method, metadata, Content_Type="application/rs-metadata")
        assert answer.status == 200, answer.raw
    call.bye()
    assert told(server) == [
        ("leg.start", "1", "1", "caller", "participants"),
        ("leg.start", "2", "2", "agent", "participants"),
        ("call.update", ("c", "caller", "1")),
        ("call.update", ("c", "caller", "1"), ("b", "agent", "2")),
        ("leg.end", "1", "bye"), ("leg.end", "2", "bye")]


def test_metadata_comes_late(server):
    """A session that began without: its roles were a guess."""
    call = Dialog(Client(server.at), sdp(ONE, TWO), Require="siprec").ack()
    metadata = recording(*BOTH, stream("s2", "2"), speaks("c", "s2"), speaks("a", "s1"))
    assert call.ask("UPDATE", metadata, Content_Type="application/rs-metadata+xml").status == 200
    call.bye()
    assert told(server) == [
        ("leg.start", "1", "1", "caller", "labels"), ("leg.start", "2", "2", "agent", "labels"),
        ("call.update", ("c", "caller", "2"), ("a", "agent", "1")),
        ("leg.update", "1", None, "agent", "participants"),
        ("leg.update", "2", None, "caller", "participants"),
        ("leg.end", "1", "bye"), ("leg.end", "2", "bye")]


def test_held_and_resumed(server):
    """The answer follows each offer; what is said before and after is heard."""
    sender, pcm = bound(), list(packets(speech(400), 5))
    line = (sender.getsockname()[1], "PCMU", "a=label:1")
    call = Dialog(Client(server.at), sdp((*line, "a=sendonly")), Require="siprec").ack()
    (host, port, _), = call.ok.media()
    paced((sender, (host, port), pcm[:10]))
    for version, (direction, answered) in enumerate((
            ("inactive", "inactive"), ("sendonly", "recvonly"), ("recvonly", "inactive"),
            ("sendrecv", "recvonly")), 2):
        answer = call.reinvite(sdp((*line, f"a={direction}"), version=version), Require="siprec")
        assert answer.media() == [(host, port, answered)]
    paced((sender, (host, port), pcm[10:]))
    call.bye()
    assert told(server) == [("leg.start", "1", "1", "mixed", "mixed"), ("leg.end", "1", "bye")]
    assert server.of("leg.end")[0]["audio"]["samples"]["received"] == 3200


def test_both_lines_encrypted(server):
    """SDES (RFC 4568): each line has a key of ours; one without a key we know is refused alone."""
    secure = [(line[0], line[1], *line[2:], f"a=crypto:{KEY}") for line in (ONE, TWO)]
    offer = sdp(*secure).replace("RTP/AVP", "RTP/SAVP")
    call = Dialog(Client(server.at), offer, Require="siprec").ack()
    assert call.ok.status == 200, call.ok.raw
    assert re.findall(r"m=audio (?!0)\d+ (RTP/SAVP) ", call.ok.body) == ["RTP/SAVP"] * 2
    keys = re.findall(r"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S{40})", call.ok.body)
    assert len(set(keys)) == 2 and KEY[-40:] not in keys
    call.bye()
    assert [x[:4] for x in told(server)] == [
        ("leg.start", "1", "1", "caller"), ("leg.start", "2", "2", "agent"),
        ("leg.end", "1", "bye"), ("leg.end", "2", "bye")]


@pytest.mark.parametrize("directions, roles", [
    (("sendrecv", "sendrecv"), [("unknown", None)] * 2),
    (("sendonly", "sendrecv"), [("unknown", None)] * 2),
    (("sendonly", "sendonly"), [("caller", "labels"), ("agent", "labels")])])
def test_a_fork_that_does_not_say_so(server, directions, roles):
    """A plain INVITE: two lines that are only sent are two parties."""
    lines = [(4000 + 2 * n, "PCMU", f"a={d}") for n, d in enumerate(directions)]
    call = Dialog(Client(server.at), sdp(*lines)).ack()
    assert call.ok.status == 200 and "+sip.srs" not in call.ok["Contact"]
    call.bye()
    server.until("call.end")
    assert server.of("call.start")[0]["source"] == "sip"
    assert [(e["role"], e.get("role_source")) for e in server.of("leg.start")] == roles
