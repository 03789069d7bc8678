"""A SIP client of our own, for what real ones never do: every message is written out."""
import contextlib
import itertools
import random
import re
import socket
import ssl

from ports import free_port  # for those who call
from service import WAIT_S

numbers = itertools.count(1)


def free_ports(n):
    """(first, last) of n UDP ports that nobody has just now, below the kernel's own."""
    while True:
        first = random.randrange(20000, 32000, 2)
        sockets = []
        try:
            for port in range(first, first + n):
                sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sockets[-1].bind(("127.0.0.1", port))
            return first, first + n - 1
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()


class Response:
    def __init__(self, data):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        self.line, self.raw, self.body = lines[0], data, body.decode()
        self.headers = [tuple(x.strip() for x in line.split(":", 1)) for line in lines[1:]]
        self.request = not self.line.startswith("SIP/")
        self.status = 0 if self.request else int(self.line.split()[1])
        length = self["Content-Length"]
        assert length is None or int(length) == len(body), data

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def __getitem__(self, name):
        return next(iter(self.all(name)), None)

    @property
    def to_tag(self):
        found = re.search(r";tag=([^;>]+)", self["To"])
        return found and found[1]

    def media(self):
        """[(host, port, direction)] of the description's m-lines."""
        host, out = None, []
        for line in self.body.splitlines():
            if line.startswith("c="):
                host = line.split()[2]
            elif line.startswith("m="):
                out.append([host, int(line.split()[1]), None])
            elif line in ("a=recvonly", "a=inactive", "a=sendonly", "a=sendrecv"):
                out[-1][2] = line[2:]
        return [tuple(x) for x in out]


def sdp(*lines, host="127.0.0.1", version=1):
    """(port, codec or formats, further attributes ...) each."""
    out = ["v=0", f"o=- 5 {version} IN IP{6 if ':' in host else 4} {host}", "s=-",
           f"c=IN IP{6 if ':' in host else 4} {host}", "t=0 0"]
    for port, formats, *attributes in lines:
        formats = {"PCMU": "0", "PCMA": "8"}.get(formats, formats)
        out += [f"m=audio {port} RTP/AVP {formats}", *attributes]
    return "\r\n".join(out) + "\r\n"


class Client:
    """One socket that talks to the server."""

    def __init__(self, to, transport="udp", source="127.0.0.1", context=None):
        self.to, self.transport, self.patient = to, transport, False
        self.family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(self.family, kind)
        self.socket.settimeout(WAIT_S)
        self.socket.bind(("::1" if self.family == socket.AF_INET6 else source, 0))
        self.socket.connect(to)
        if kind == socket.SOCK_STREAM:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if transport == "tls":
            context = context or ssl.create_default_context()
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        host, port = self.socket.getsockname()[:2]
        self.host = host
        self.at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.stream = b""

    def close(self):
        self.socket.close()

    def raw(self, data):
        self.sent = data
        self.socket.sendall(data)

    def insist(self):
        """What was sent last until it is answered: datagrams get lost where many come."""
        branch = re.search(rb"branch=[^;\r]+", self.sent)[0]
        self.socket.settimeout(0.5)
        for _ in range(2 * WAIT_S):
            with contextlib.suppress(TimeoutError):
                while True:
                    got = self.socket.recv(65536)
                    if branch in got:
                        self.socket.settimeout(WAIT_S)
                        return Response(got)
            self.socket.sendall(self.sent)
        raise AssertionError("never answered", self.sent)

    def receive(self):
        if self.transport == "udp" and self.patient:
            return self.insist()
        if self.transport == "udp":
            return Response(self.socket.recv(65536))
        while True:
            self.stream = self.stream.lstrip(b"\r\n")
            head, end, rest = self.stream.partition(b"\r\n\r\n")
            found = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
            if end and found and len(rest) >= int(found[1]):
                n = len(head) + 4 + int(found[1])
                data, self.stream = self.stream[:n], self.stream[n:]
                return Response(data)
            more = self.socket.recv(65536)
            assert more, "the connection was closed"
            self.stream += more

    def answer_to(self, request):
        """Its answer, or a request; answers to others that are late or repeated are read past."""
        asked = Response(request)
        while True:
            got = self.receive()
            if got.request or all(got[x] == asked[x] for x in ("Call-ID", "CSeq")):
                return got

    def nothing(self, seconds=0.3):
        """No answer comes."""
        self.socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            raise AssertionError(self.socket.recv(65536))
        self.socket.settimeout(WAIT_S)

    def request(self, method, uri="sip:srs@127.0.0.1", **headers):
        """The text of a request; header names with _ for -, None leaves one out."""
        body = headers.pop("body", None)
        n = next(numbers)
        given = {
            "Via": f"SIP/2.0/{self.transport.upper()} {self.at};branch=z9hG4bK{n}.{id(self)};rport",
            "Max-Forwards": "70", "From": "<sip:alice@127.0.0.1>;tag=f1",
            "To": "<sip:bob@127.0.0.1>", "Call-ID": f"call{n}.{id(self)}@test",
            "CSeq": f"1 {method}", "Contact": f"<sip:alice@{self.at}>"}
        if body is not None:
            given["Content-Type"] = "application/sdp"
        given.update({k.replace("_", "-"): v for k, v in headers.items()})
        text = f"{method} {uri} SIP/2.0\r\n"
        for name, value in given.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    text += f"{name}: {one}\r\n"
        body = (body or "").encode()
        return text.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def ask(self, method, **headers):
        self.raw(self.request(method, **headers))
        return self.receive()


class Dialog:
    """A call, from its INVITE on."""

    def __init__(self, client, body=None, **headers):
        self.client, self.cseq, self.tag = client, 1, f"t{next(numbers)}"
        self.call_id = headers.pop("Call_ID", None) or f"d{next(numbers)}.{id(self)}@test"
        self.more = {"Call_ID": self.call_id,
                     "From": headers.pop("From", f"<sip:alice@127.0.0.1>;tag={self.tag}")}
        self.to = headers.get("To", "<sip:bob@127.0.0.1>")
        self.invite = client.request("INVITE", body=body, **self.more, **headers)
        client.raw(self.invite)
        self.ok = client.answer_to(self.invite)
        if self.ok.status == 200:
            self.to = self.ok["To"]

    def ack(self, body=None, cseq=None):
        self.client.raw(self.client.request("ACK", body=body, To=self.to,
                                            CSeq=f"{cseq or self.cseq} ACK", **self.more))
        return self

    def ask(self, method, body=None, cseq=None, **headers):
        self.cseq = cseq or self.cseq + 1
        self.last = self.client.request(method, body=body, To=self.to,
                                        CSeq=f"{self.cseq} {method}", **self.more, **headers)
        self.client.raw(self.last)
        return self.client.answer_to(self.last)

    def reinvite(self, body=None, ack=True, **headers):
        answer = self.ask("INVITE", body, **headers)
        if ack:
            self.ack()
        return answer

    def bye(self):
        answer = self.ask("BYE")
        assert answer.status == 200, answer.raw
        return answer
