"""SIP message by message: what a caller may do, and what it gets for it."""
import re
import resource
import socket
import time

import pytest

from service import WAIT_S, Control, Daemon
from sip_client import Client, Dialog, Response, free_port, free_ports, sdp

RTP = (25000, 25199)
LINE = sdp((4000, "PCMU"))


class Server(Daemon):
    """A daemon with a sip section, and one client of it."""

    def __init__(self, directory, more="", rest="", ports=RTP, transport="udp", host="127.0.0.1"):
        at = (host, free_port(host=host))
        text = f"[{host}]:{at[1]}" if ":" in host else f"{host}:{at[1]}"
        super().__init__(directory, f'sip {{ listen = {{"{transport}:{text}"}} {more} }}\n{rest}',
                         ports)
        self.at, self.transport = at, transport

    def __enter__(self):
        super().__enter__()
        self.client = Client(self.at, self.transport)
        return self

    def __exit__(self, *why):
        self.client.close()
        super().__exit__(*why)

    def status(self):
        return Control(self.control).ask("status")["status"]["sip"]

    def calls(self):
        """Ids of all calls so far; the daemon is stopped."""
        self.stop()
        self.until("bye")
        self.valid()
        return [e["call"] for e in self.of("call.start")]


def test_an_invite_that_comes_again_is_the_same_call(tmp_path):
    with Server(tmp_path) as server:
        client = server.client
        call = Dialog(client, LINE)
        client.raw(call.invite)
        assert client.receive().raw == call.ok.raw
        # not confirmed: sent again, and again (RFC 3261 section 13.3.1.4)
        assert client.receive().raw == client.receive().raw == call.ok.raw
        call.ack()
        client.nothing(1.2)
        client.raw(call.invite)       # late, behind its ACK
        assert client.receive().raw == call.ok.raw
        merged = re.sub(rb"branch=[^;]+", b"branch=z9hG4bKother", call.invite)
        client.raw(merged)
        assert client.receive().status == 482
        assert server.status()["calls"] == 1
        assert call.bye().to_tag == call.ok.to_tag
        client.raw(call.last)         # its answer was lost
        assert client.receive().status == 200
        client.raw(call.invite)
        assert client.receive().raw == call.ok.raw
        call.ack()
        assert len(server.calls()) == 1


def test_cancel_comes_too_late(tmp_path):
    with Server(tmp_path) as server:
        client, call = server.client, Dialog(server.client, LINE)
        via = Response(call.invite)["Via"]
        cancel = client.request("CANCEL", Via=via, CSeq="1 CANCEL", **call.more)
        client.raw(cancel)
        answer = client.receive()
        assert answer.status == 200 and answer["CSeq"] == "1 CANCEL"
        assert answer.to_tag == call.ok.to_tag    # RFC 3261 section 9.2
        call.ack().bye()
        client.raw(client.request("CANCEL"))
        assert client.receive().status == 481
        assert len(server.calls()) == 1


def test_what_is_of_no_dialog(tmp_path):
    with Server(tmp_path) as server:
        client = server.client
        for method in ("BYE", "UPDATE", "INFO", "PRACK", "INVITE"):
            assert client.ask(method, To="<sip:b@x>;tag=nobody").status == 481, method
        for method in ("BYE", "UPDATE", "INFO", "PRACK"):
            assert client.ask(method).status == 481, method
        client.raw(client.request("ACK"))
        client.raw(client.request("ACK", To="<sip:b@x>;tag=nobody"))
        client.nothing()
        assert not server.calls()


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "MESSAGE", "REFER", "FLY"])
def test_methods_that_are_refused(tmp_path, method):
    with Server(tmp_path) as server:
        answer = server.client.ask(method)
        assert answer.status == 405 and "INVITE" in answer["Allow"]


@pytest.mark.parametrize("status, headers, body, has", [
    (420, {"Require": "siprec, foo"}, LINE, ("Unsupported", "foo")),
    (200, {"Require": "100rel, timer"}, LINE, ("Contact", "<sip:trunkscribe@")),
    (415, {"Content_Type": "text/plain"}, "x", ("Accept", "application/sdp")),
    (415, {"Content_Encoding": "gzip"}, LINE, ("Accept-Encoding", "identity")),
    (406, {"Accept": "text/plain"}, LINE, None),
    (400, {}, "v=1\r\n", None),
    (400, {"Contact": "<mailto:a@b>"}, LINE, None),
    (400, {"Max_Forwards": "x"}, LINE, None),
    (488, {}, sdp((4000, "18")), ("Warning", "PCMU")),
    (488, {}, sdp((0, "PCMU")), ("Warning", "304")),
    (488, {}, sdp(*[(4000, "PCMU")] * 9), ("Warning", "more lines")),
    (488, {}, LINE.replace("RTP/AVP", "RTP/SAVP"), ("Warning", "crypto")),
    (488, {}, LINE.replace("audio", "video"), ("Warning", "audio")),
    (422, {"Supported": "timer", "Session_Expires": "30"}, LINE, ("Min-SE", "90")),
    (400, {"Supported": "timer", "Session_Expires": "soon"}, LINE, None),
    (200, {"Supported": "timer", "Session_Expires": "1800"}, LINE,
     ("Session-Expires", "1800;refresher=uac")),
    (513, {"Record_Route": ", ".join(["<sip:p;lr>"] * 21)}, LINE, None),
    (200, {"Max_Forwards": "0"}, LINE, None)])
def test_an_invite_is_judged(tmp_path, status, headers, body, has):
    with Server(tmp_path) as server:
        call = Dialog(server.client, body, **headers)
        assert call.ok.status == status, call.ok.raw
        if has:
            assert has[1] in call.ok[has[0]]
        first = call.ok.to_tag
        server.client.raw(call.invite)  # the same again: the same tag
        assert server.client.receive().to_tag == first
        if status == 200:
            call.ack().bye()
        assert len(server.calls()) == (status == 200)


def test_lines_that_are_not_audio_are_refused_one_by_one(tmp_path):
    offer = sdp((4000, "18 8 0 101", "a=rtpmap:101 telephone-event/8000", "a=label:1"),
                (4002, "18", "a=label:2"), (4004, "PCMA", "a=inactive"))
    offer += "m=video 4006 RTP/AVP 96\r\n"
    with Server(tmp_path) as server:
        call = Dialog(server.client, offer)
        (_, a, one), (_, b, _), (_, c, three), (_, d, _) = call.ok.media()
        assert (b, d, one, three) == (0, 0, "recvonly", "inactive") and a and c and a != c
        assert "RTP/AVP 8 0 101\r\n" in call.ok.body and "a=label:1" in call.ok.body
        assert server.status()["legs"] == 2
        call.ack().bye()
        server.until("call.end")
        assert [(e["label"] if "label" in e else None, e["codec"])
                for e in server.of("leg.start")] == [("1", "PCMA"), (None, "PCMA")]


def test_hold_and_new_offers(tmp_path):
    """The answer's direction follows every offer; the leg and its port stay."""
    with Server(tmp_path) as server:
        call = Dialog(server.client, LINE).ack()
        port = call.ok.media()[0][1]
        for version, (attribute, host, direction) in enumerate([
                ("a=sendonly", "127.0.0.1", "recvonly"), ("a=inactive", "127.0.0.1", "inactive"),
                ("a=sendrecv", "127.0.0.1", "recvonly"), ("a=recvonly", "127.0.0.1", "inactive"),
                ("a=sendrecv", "0.0.0.0", "inactive"), ("a=sendrecv", "127.0.0.1", "recvonly")], 2):
            answer = call.reinvite(sdp((4000, "PCMU", attribute), host=host, version=version))
            assert answer.status == 200 and answer.media() == [("127.0.0.1", port, direction)]
        versions = [int(re.search(r"o=- \d+ (\d+)", x.body)[1]) for x in (call.ok, answer)]
        assert versions[0] < versions[1]
        # another codec, another port; what nobody can decode changes nothing
        assert call.reinvite(sdp((4100, "PCMA"))).media()[0][1] == port
        refused = call.reinvite(sdp((4100, "18")))
        assert refused.status == 488 and server.status()["legs"] == 1
        # a second line comes and goes
        answer = call.reinvite(sdp((4100, "PCMA"), (4200, "PCMU")))
        assert answer.media()[0][1] == port and answer.media()[1][1] not in (0, port)
        assert server.status()["legs"] == 2
        answer = call.ask("UPDATE", sdp((4100, "PCMA"), (0, "PCMU")))
        assert answer.status == 200 and answer.media()[1][1] == 0
        assert server.status()["legs"] == 1
        # all lines off: the call stays
        assert call.reinvite(sdp((0, "PCMA"), (0, "PCMU"))).status == 200
        assert server.status() == {**server.status(), "calls": 1, "legs": 0}
        call.bye()
        server.until("call.end")
        assert [e["reason"] for e in server.of("leg.end")] == ["removed"] * 2


def test_our_offer(tmp_path):
    with Server(tmp_path) as server:
        client, call = server.client, Dialog(server.client)
        (host, port, direction), = call.ok.media()
        assert (host, direction) == ("127.0.0.1", "recvonly") and port
        assert "m=audio %d RTP/AVP 0 8 101" % port in call.ok.body
        # until it is answered nobody may offer (RFC 3311 section 5.2)
        assert call.ask("UPDATE", LINE).status == 491
        assert call.ask("INVITE", LINE).status == 491
        call.ack()
        call.ack(sdp((4000, "PCMA", "a=sendonly")), cseq=1)
        client.nothing(1.2)
        answer = call.reinvite(ack=False)
        assert answer.media() == [("127.0.0.1", port, "recvonly")]
        # all that we can once more, what was agreed first (RFC 3261 section 14.2)
        assert "m=audio %d RTP/AVP 8 0 101" % port in answer.body
        call.ack(sdp((4000, "PCMA")))
        assert call.ask("OPTIONS").status == 200
        assert server.status()["legs"] == 1
        call.bye()
        # nothing that both can
        call = Dialog(client)
        call.ack(sdp((4000, "18")))
        bye = client.receive()
        assert bye.line.startswith("BYE sip:alice@") and bye["CSeq"] == "1 BYE"
        client.raw(respond(bye))
        # an ACK without an answer
        Dialog(client).ack()
        client.raw(respond(client.receive()))
        server.until("call.end")
        server.until("call.end")
        server.until("call.end")
        assert [e["reason"] for e in server.of("call.end")] == ["bye", "not_agreed", "not_agreed"]


def respond(request, status="200 OK"):
    """A client's answer to our BYE."""
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers
                   if name in ("Via", "From", "To", "Call-ID", "CSeq"))
    return f"SIP/2.0 {status}\r\n{head}Content-Length: 0\r\n\r\n".encode()


def test_requests_inside_a_dialog(tmp_path):
    with Server(tmp_path) as server:
        call = Dialog(server.client, LINE).ack()
        assert call.ask("INFO", "x", Content_Type="text/plain").status == 200
        assert call.ask("OPTIONS").status == 200
        assert call.ask("PRACK", RAck="1 1 INVITE").status == 481
        update = call.ask("UPDATE", Supported="timer", Session_Expires="90")
        assert update.status == 200 and update["Session-Expires"] == "90;refresher=uac"
        assert not update.body
        assert call.ask("UPDATE", Supported="timer", Session_Expires="9").status == 422
        assert call.ask("INFO", cseq=1).status == 500     # from long ago
        call.cseq = 9
        assert call.ask("BYE", Require="foo").status == 420
        call.bye()
        assert len(server.calls()) == 1


@pytest.mark.parametrize("routes, uri, route", [
    ([], "sip:alice@AT", []),
    (["<sip:AT;lr>, <sip:p2;lr>", "<sip:p3;lr>"], "sip:alice@AT",
     ["<sip:AT;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]),
    (["<sip:AT>", "<sip:p2;lr>"], "sip:AT", ["<sip:p2;lr>", "<sip:alice@AT>"])])
def test_our_bye_goes_the_way_the_call_came(tmp_path, routes, uri, route):
    with Server(tmp_path) as server:
        client = server.client
        routes = [x.replace("AT", client.at) for x in routes]
        call = Dialog(client, LINE, Record_Route=routes).ack()
        assert call.ok.all("Record-Route") == routes
        assert call.ask("OPTIONS").status == 200    # so the ACK has been taken
        server.stop()
        bye = client.receive()
        assert bye.line == f"BYE {uri.replace('AT', client.at)} SIP/2.0"
        assert bye.all("Route") == [x.replace("AT", client.at) for x in route]
        assert bye["To"].endswith(f"tag={call.tag}") and bye["From"] == call.to
        assert bye["Call-ID"] == call.call_id
        client.raw(respond(bye))
        server.until("bye")
        assert [e["reason"] for e in server.of("call.end")] == ["drain"]


def test_our_bye_goes_to_the_newest_contact(tmp_path):
    with Server(tmp_path) as server:
        other = Client(server.at)
        call = Dialog(server.client, LINE).ack()
        assert call.reinvite(LINE, Contact=f"<sip:carol@{other.at};x=y>").status == 200
        server.stop()
        bye = other.receive()
        assert bye.line == f"BYE sip:carol@{other.at};x=y SIP/2.0"
        other.raw(respond(bye))
        server.until("bye")


def test_our_bye_finds_who_is_behind_nat(tmp_path):
    with Server(tmp_path) as server:
        call = Dialog(server.client, LINE, Contact="<sip:alice@127.9.9.9:9>").ack()
        assert call.ask("OPTIONS").status == 200    # so the ACK has been taken
        server.stop()
        bye = server.client.receive()
        assert bye.line == "BYE sip:alice@127.9.9.9:9 SIP/2.0"
        server.client.raw(respond(bye))
        server.until("bye")


def test_our_bye_finds_who_closed_the_connection(tmp_path):
    with Server(tmp_path, transport="tcp") as server, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(WAIT_S)
        at = "127.0.0.1:%d" % listening.getsockname()[1]
        call = Dialog(server.client, LINE, Contact=f"<sip:alice@{at};transport=tcp>").ack()
        assert call.ask("OPTIONS").status == 200
        server.client.close()
        while server.status()["connections"]:
            time.sleep(0.05)
        server.stop()
        other = Client.__new__(Client)
        other.transport, other.stream = "tcp", b""
        other.socket = listening.accept()[0]
        other.socket.settimeout(WAIT_S)
        bye = other.receive()
        assert bye.line.startswith(f"BYE sip:alice@{at}") and bye["Call-ID"] == call.call_id
        other.raw(respond(bye))
        server.until("bye")


def test_draining_refuses_and_hurts_nobody(tmp_path):
    with Server(tmp_path) as server:
        client, control = server.client, Control(server.control)
        assert client.ask("OPTIONS").status == 200
        call = Dialog(client, LINE).ack()
        control.ask("drain")
        for answer in (client.ask("OPTIONS"), Dialog(client, LINE).ok):
            assert answer.status == 503 and int(answer["Retry-After"]) > 0
        assert call.reinvite(LINE).status == 200
        assert call.ask("OPTIONS").status == 200
        control.ask("drain", cancel=True)
        assert client.ask("OPTIONS").status == 200
        call.bye()
        assert len(server.calls()) == 1


def test_full_is_503(tmp_path):
    with Server(tmp_path, "max-calls = 2") as server:
        client = server.client
        calls = [Dialog(client, LINE).ack() for _ in range(2)]
        assert Dialog(client, LINE).ok.status == client.ask("OPTIONS").status == 503
        calls[0].bye()
        assert client.ask("OPTIONS").status == 200
        Dialog(client, LINE).ack().bye()


def test_without_a_port_it_is_503(tmp_path):
    with Server(tmp_path, ports=free_ports(4)) as server:
        client = server.client
        assert Dialog(client, sdp(*[(4000, "PCMU")] * 3)).ok.status == 503
        call = Dialog(client, sdp(*[(4000, "PCMU")] * 2)).ack()
        assert call.ok.status == 200
        answer = Dialog(client, LINE).ok
        assert answer.status == 503 and answer["Retry-After"]
        assert client.ask("OPTIONS").status == 503
        # a line more than there are ports: refused alone
        media = call.reinvite(sdp(*[(4000, "PCMU")] * 3)).media()
        assert media[0][1] and media[1][1] and not media[2][1]
        call.bye()
        assert len(server.calls()) == 1


def test_without_a_descriptor_it_is_503(tmp_path):
    with Server(tmp_path, rest='route { asr = "none" }\n') as server:
        client, pid, calls = server.client, server.process.pid, []
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (64 + 20, 64 + 20))
        while not calls or calls[-1].ok.status == 200:
            calls.append(Dialog(client, LINE).ack())
            assert len(calls) < 40
        assert calls.pop().ok.status == client.ask("OPTIONS").status == 503
        assert len(calls) > 3
        for call in calls:         # those that are there want for nothing
            assert call.reinvite(sdp((4000, "PCMA"), (4002, "PCMU"))).status == 200
            call.bye()
        assert client.ask("OPTIONS").status == 200
        assert len(server.calls()) == len(calls)
    assert "LimitNOFILE" in server.stderr


def test_strangers_get_403_and_leave_nothing(tmp_path):
    with Server(tmp_path, 'permit = {"127.0.0.1"}') as server:
        stranger = Client(server.at, source="127.0.0.2")
        for method in ("INVITE", "OPTIONS", "BYE", "REGISTER"):
            assert stranger.ask(method).status == 403
        stranger.raw(stranger.request("ACK"))
        stranger.nothing()
        call = Dialog(server.client, LINE).ack()
        stolen = stranger.request("BYE", To=call.to, CSeq="2 BYE", **call.more)
        stranger.raw(stolen)
        assert stranger.receive().status == 403 and server.status()["calls"] == 1
        call.bye()
        assert len(server.calls()) == 1
    assert server.stderr.count("403") <= 2


def test_a_call_id_used_again_is_another_call(tmp_path):
    with Server(tmp_path) as server:
        client = server.client
        for cseq in ("1", "7"):
            call = Dialog(client, LINE, Call_ID="same@x", From="<sip:a@b>;tag=same",
                          CSeq=f"{cseq} INVITE")
            call.cseq = int(cseq)
            call.ack().bye()
        first = Dialog(client, LINE, Call_ID="same@x", From="<sip:a@b>;tag=other").ack()
        second = Dialog(client, LINE, Call_ID="same@x", From="<sip:a@b>;tag=third").ack()
        first.bye()
        assert server.status()["calls"] == 1
        second.bye()
        calls = server.calls()
        assert len(calls) == len(set(calls)) == 4
        assert {e["sip_call_id"] for e in server.of("call.start")} == {"same@x"}


@pytest.mark.parametrize("key, reason", [
    ("max-call-duration", "max_duration"), ("media-timeout", "media_timeout")])
def test_a_call_that_lasts_too_long_is_ended(tmp_path, key, reason):
    with Server(tmp_path, f'{key} = "1s"') as server:
        client = server.client
        Dialog(client, LINE).ack()
        bye = client.receive()
        assert bye.line.startswith("BYE ")
        assert client.receive().raw == bye.raw   # nobody answered
        client.raw(respond(bye, "481 Gone"))
        server.until("call.end")
        assert server.of("call.end")[0]["reason"] == reason
        client.nothing(1.5)


def test_headers_go_into_the_ids(tmp_path):
    with Server(tmp_path, 'headers = {"X-Queue", "User-to-User", "X-None"}') as server:
        Dialog(server.client, LINE, x_queue=" sales ", User_to_User="00ab;encoding=hex").ack().bye()
        server.until("call.end")
        assert server.of("call.start")[0]["ids"] == {"X-Queue": "sales",
                                                     "User-to-User": "00ab;encoding=hex"}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ipv6(tmp_path, transport):
    with Server(tmp_path, transport=transport, host="::1") as server:
        call = Dialog(server.client, sdp((4000, "PCMU"), host="::1"))
        assert call.ok.status == 200 and call.ok.media()[0][0] == "::1"
        assert "@[::1]:" in call.ok["Contact"]
        call.ack().bye()


def test_several_sockets(tmp_path):
    """Each answers for itself (a connected socket takes nothing else)."""
    ports = [free_port() for _ in range(2)]
    listen = ", ".join(f'"udp:127.0.0.1:{p}", "tcp:127.0.0.1:{p}"' for p in ports)
    with Daemon(tmp_path, f"sip {{ listen = {{{listen}}} }}\n", RTP) as daemon:
        clients = [Client(("127.0.0.1", p), t) for p in ports for t in ("udp", "tcp")]
        calls = [Dialog(c, LINE).ack() for c in clients]
        for client, call in zip(clients, calls):
            assert f":{client.to[1]}" in call.ok["Contact"]
            assert (";transport=tcp" in call.ok["Contact"]) == (client.transport == "tcp")
        for call, other in zip(calls, clients[1:] + clients[:1]):
            call.client = other        # the dialog goes on by another socket
            call.bye()
            other.close()
        daemon.stop()
        daemon.until("bye")
        assert [e["reason"] for e in daemon.of("call.end")] == ["bye"] * 4


def test_keep_alives_and_pieces(tmp_path):
    with Server(tmp_path, transport="tcp") as server:
        client = server.client
        client.raw(b"\r\n\r\n")
        assert client.socket.recv(100) == b"\r\n"
        # however it is cut, and behind a message (RFC 5626 section 4.4.1)
        for part in (b"\r", b"\n\r", b"\n"):
            client.raw(part)
            time.sleep(0.02)
        assert client.socket.recv(100) == b"\r\n"
        client.raw(client.request("OPTIONS") + b"\r\n\r\n")
        assert client.receive().status == 200
        assert (client.stream or client.socket.recv(100)) == b"\r\n"
        client.stream = b""
        request = client.request("OPTIONS")
        for part in (request[:1], request[1:40], request[40:-3], request[-3:] + request[:200]):
            client.raw(part)
            time.sleep(0.02)
        assert client.receive().status == 200
        client.raw(request[200:])
        assert client.receive().status == 200
        call = Dialog(client, LINE).ack()
        # another connection ends it, the first being gone
        client.close()
        server.client = call.client = Client(server.at, "tcp")
        call.bye()


def test_datagrams_that_are_nothing(tmp_path):
    with Server(tmp_path) as server:
        client = server.client
        for junk in (b"\r\n\r\n", b"\0", b"x" * 60000, b"hello\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"INVITE sip:x SIP/2.0\r\n\r\n"):
            client.raw(junk)
        client.nothing()
        broken = client.request("INVITE", Call_ID=None)
        client.raw(broken)
        assert client.receive().status == 400
        assert client.ask("OPTIONS").status == 200


def test_an_answer_within_half_a_second(tmp_path):
    """By the daemon's own clock it is at once; here only that nothing waits for anything."""
    with Server(tmp_path) as server:
        began = time.monotonic()
        for _ in range(50):
            Dialog(server.client, LINE).ack().bye()
        assert time.monotonic() - began < WAIT_S
        status = server.status()
        assert (status["calls"], status["ports_used"], status["requests"]) == (0, 0, 150)
