"""All messages of RFC 4475, as they are, to the running server: what each must get."""
import re
import socket

import pytest

import captures
from sip_client import Dialog, Response
from test_sip_server_answers_by_the_rules import LINE, Server

SILENCE = None
# By the RFC's section.  We answer as a user agent that takes calls and is no registrar: its
# REGISTERs and methods of its own are 405 whatever else is in them (RFC 3261 section 8.2: the
# method is looked at first).
EXPECTED = {
    "wsinv": ("3.1.1.1", 481),  # its To has the tag of a dialog that is not ours
    "intmeth": ("3.1.1.2", 405), "esc01": ("3.1.1.3", 200),
    "escnull": ("3.1.1.4", 405), "esc02": ("3.1.1.5", 405), "lwsdisp": ("3.1.1.6", 200),
    "longreq": ("3.1.1.7", 200), "dblreq": ("3.1.1.8", 405), "semiuri": ("3.1.1.9", 200),
    "transports": ("3.1.1.10", 200), "mpart01": ("3.1.1.11", 405),
    "unreason": ("3.1.1.12", SILENCE), "noreason": ("3.1.1.13", SILENCE),
    "badinv01": ("3.1.2.1", 400), "clerr": ("3.1.2.2", 400), "ncl": ("3.1.2.3", 400),
    "scalar02": ("3.1.2.4", 405), "scalarlg": ("3.1.2.5", SILENCE), "quotbal": ("3.1.2.6", 400),
    "ltgtruri": ("3.1.2.7", 400), "lwsruri": ("3.1.2.8", 400), "lwsstart": ("3.1.2.9", 400),
    "trws": ("3.1.2.10", 400), "escruri": ("3.1.2.11", 200), "baddate": ("3.1.2.12", 200),
    "regbadct": ("3.1.2.13", 405), "badaspec": ("3.1.2.14", 400), "baddn": ("3.1.2.15", 400),
    "badvers": ("3.1.2.16", 505), "mismatch01": ("3.1.2.17", 400), "mismatch02": ("3.1.2.18", 405),
    "bigcode": ("3.1.2.19", SILENCE), "badbranch": ("3.2.1", 200), "insuf": ("3.3.1", 400),
    "unkscm": ("3.3.2", 416), "novelsc": ("3.3.3", 416), "unksm2": ("3.3.4", 405),
    "bext01": ("3.3.5", 420), "invut": ("3.3.6", 415), "regaut01": ("3.3.7", 405),
    "multi01": ("3.3.8", 400), "mcl01": ("3.3.9", 400), "bcast": ("3.3.10", SILENCE),
    "zeromf": ("3.3.11", 200), "cparam01": ("3.3.12", 405), "cparam02": ("3.3.13", 405),
    "regescrt": ("3.3.14", 405), "sdp01": ("3.3.15", 406), "inv2543": ("3.4.1", 200)}


class Catcher:
    """Answers go to the port that the topmost Via says: mostly 5060 of the sender."""

    def __init__(self, to):
        self.to, self.host, self.sockets = to, None, {}
        for last in range(1, 200):
            self.host = f"127.44.75.{last}"
            try:
                self.at(5060)
                return
            except OSError:
                continue
        pytest.skip("port 5060 is taken on every address that was tried")

    def at(self, port):
        if port not in self.sockets:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                s.bind((self.host, port))
            except OSError:
                s.close()
                raise
            s.connect(self.to)
            s.settimeout(30)
            self.sockets[port] = s
        return self.sockets[port]


def port_of(message):
    """The port of the topmost Via, where it names one."""
    head = message.split(b"\r\n\r\n")[0].decode("latin-1")
    via = re.search(r"(?im)^v(?:ia)?\s*:\s*([^;,\r\n]*(?:\r\n[ \t][^;,\r\n]*)*)", head)
    port = via and re.search(r":\s*(\d+)\s*$", via[1].strip())
    return int(port[1]) if port else 5060


def answers(sock, port, seen):
    """What came before the answer to a request that was sent next."""
    sock.send(f"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x:{port};branch=z9hG4bKnext\r\n"
              "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: next\r\n"
              "CSeq: 1 OPTIONS\r\n\r\n".encode())
    while True:
        answer = Response(sock.recv(65536))
        if answer["Call-ID"] == "next":
            return
        if answer.raw not in seen:   # nobody confirms those calls: answered again and again
            seen.add(answer.raw)
            yield answer


def test_rfc4475(tmp_path):
    files = {f.stem: f for f in captures.shared("torture/rfc4475", "*.dat")}
    assert set(files) == set(EXPECTED) and len(files) == 49
    with Server(tmp_path, 'permit = {"127.0.0.0/8"}', "route { asr = \"none\" }\n") as server:
        call = Dialog(server.client, LINE).ack()
        catcher, seen, wrong, invites = Catcher(server.at), set(), {}, 0
        for name, (section, status) in EXPECTED.items():
            message = files[name].read_bytes()
            port = port_of(message)
            catcher.at(port).send(message)
            got = [a.status for a in answers(catcher.at(port), port, seen)]
            if got != ([] if status is SILENCE else [status]):
                wrong[name] = (section, status, got)
            invites += status == 200 and message.startswith(b"INVITE")
        assert not wrong
        assert server.status()["calls"] == 1 + invites
        assert call.ask("OPTIONS").status == 200
        call.bye()
