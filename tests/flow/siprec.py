"""Recording sessions from the templates in tests/data/siprec: one file is one request.

{server} {client} {host} {transport} {call} {tag} {branch} {to} {rtp1} {rtp2} are filled in; lines
end with CRLF on the wire; Content-Length is added.
"""
import itertools

from service import bound
from simulator import TOP

DIRECTORY = TOP / "tests/data/siprec"
numbers = itertools.count(1)


class Session:
    """One recording session; its audio comes from the sockets in `senders`, a line each."""

    def __init__(self, client, dialect):
        self.client, n = client, next(numbers)
        self.senders = [bound(), bound()]
        self.values = {
            "server": "%s:%d" % client.to, "client": client.at, "host": client.host,
            "transport": client.transport.upper(), "call": f"siprec{n}.{id(self)}@test",
            "tag": f"t{n}", "branch": f"{n}.{id(self)}", "to": "<sip:srs@test>",
            **{f"rtp{i + 1}": s.getsockname()[1] for i, s in enumerate(self.senders)}}
        self.call_id, self.cseq, self.media = self.values["call"], 1, []
        self.ok = self.send(dialect)

    def text(self, name):
        text = (DIRECTORY / f"{name}.sip").read_text()
        for key, value in self.values.items():
            text = text.replace("{%s}" % key, str(value))
        head, _, body = text.partition("\n\n")
        body = body.replace("\n", "\r\n").encode()
        return f"{head}\nContent-Length: {len(body)}\n\n".replace("\n", "\r\n").encode() + body

    def send(self, name):
        """A request of the dialog; an INVITE is acknowledged."""
        self.client.raw(self.text(name))
        answer = self.client.receive()
        if answer.status == 200:
            self.values["to"] = answer["To"]
            method = answer["CSeq"].split()[1]
            self.cseq = int(answer["CSeq"].split()[0])
            if method == "INVITE":
                self.client.raw(self.inside("ACK", self.cseq))
                self.media = answer.media()
        return answer

    def inside(self, method, cseq=None, **headers):
        return self.client.request(
            method, To=self.values["to"], CSeq=f"{cseq or self.cseq + 1} {method}",
            From=f"<sip:src@recorded.example>;tag={self.values['tag']}", Call_ID=self.call_id,
            **headers)

    def bye(self):
        self.client.raw(self.inside("BYE", self.cseq + 10))
        answer = self.client.receive()
        assert answer.status == 200, answer.raw
