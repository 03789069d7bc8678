"""Many dialogs at once, requests of all kinds in any order: each answer is what a model says."""
import random

import pytest

from sip_client import Client, Dialog, Response, sdp
from test_sip_server_answers_by_the_rules import Server, respond

DIALOGS, STEPS = 12, 1200
OFFERS = [sdp((4000, "PCMU")), sdp((4002, "PCMA", "a=sendonly")), sdp((4000, "PCMU", "a=inactive")),
          sdp((4000, "8 0"), (4002, "0")), sdp((4000, "0"), host="0.0.0.0"),
          sdp((0, "PCMU")), sdp((4000, "18"))]
BAD = {OFFERS[6]}            # 488
OFF = {OFFERS[5]}            # 488 to begin with; on hold later


class Model:
    """What the server must think of one dialog."""

    def __init__(self, walk, rng):
        self.walk, self.rng = walk, rng
        self.begin()

    def begin(self):
        body = self.rng.choice([*OFFERS[:5], None])
        self.call = Dialog.__new__(Dialog)
        self.call.__init__(_Recorder(self.walk), body)
        assert self.call.ok.status == 200
        self.offered = body is None     # our offer waits for its answer
        self.invite = self.newest = (self.call.invite, self.call.ok)
        self.last = self.invite         # newest request and its answer
        self.invite_cseq, self.over = 1, False

    def ask(self, method, body=None, **headers):
        answer = self.call.ask(method, body, **headers)
        self.last = (self.call.last, answer)
        return answer.status

    def offer(self, method):
        """-> (status, status expected)"""
        body = self.rng.choice([*OFFERS, None])
        got = self.ask(method, body)
        offers = method == "INVITE" or body
        if self.over:
            return got, 481
        if offers and self.offered:
            return got, 491
        if body in BAD:
            return got, 488
        if method == "INVITE":
            self.newest, self.invite_cseq = self.last, self.call.cseq
            self.offered = body is None
        return got, 200

    def step(self):
        """One request.  -> what went wrong, or None"""
        what = self.rng.choice(["INVITE", "INVITE", "UPDATE", "INFO", "OPTIONS", "PRACK", "ack",
                                "ack", "again", "first", "old", "cancel", "BYE"])
        if what in ("INVITE", "UPDATE"):
            got, want = self.offer(what)
        elif what == "ack":
            return self.ack()
        elif what == "again":
            got, want = self.walk.answer_to(self.last[0]).raw, self.last[1].raw
        elif what == "first":
            if self.newest is not self.invite:
                return None
            got, want = self.walk.answer_to(self.invite[0]).raw, self.invite[1].raw
        elif what == "old":
            before = self.call.cseq, self.last
            got, want = self.ask("INFO", cseq=self.call.cseq if self.last is self.invite
                                 else 1), 481 if self.over else 500
            self.call.cseq, self.last = before
        elif what == "cancel":
            via = Response(self.invite[0])["Via"]
            got = self.walk.answer_to(self.walk.client.request(
                "CANCEL", Via=via, CSeq="1 CANCEL", **self.call.more)).status
            want = 200
        elif what == "BYE":
            if self.rng.random() < 0.7:
                return None
            got, want = self.ask("BYE"), 481 if self.over else 200
            self.over = True
        else:
            got, want = self.ask(what), 481 if what == "PRACK" or self.over else 200
        return None if got == want else (what, self.over, self.offered, got, want)

    def ack(self):
        body = self.rng.choice([OFFERS[0], None]) if self.offered else None
        self.call.ack(body, cseq=self.invite_cseq)
        if self.over or not self.offered:
            return None
        if body is None:               # no answer to our offer: we hang up
            self.walk.bye(self.call.call_id)
            self.over = True
        self.offered = False
        return None


class _Recorder:
    """A client that finds the answer among what else comes."""

    def __init__(self, walk):
        self.walk, self.request = walk, walk.client.request

    def raw(self, data):
        self.walk.client.raw(data)

    def answer_to(self, request):
        return self.walk.find(request)


class Walk:
    def __init__(self, server):
        self.client, self.byes = Client(server.at, server.transport), set()

    def receive(self):
        """Anything but our own BYEs, which are answered here."""
        while True:
            got = self.client.receive()
            if not got.request:
                return got
            assert got.line.startswith("BYE"), got.raw
            self.byes.add(got["Call-ID"])
            self.client.raw(respond(got))
            return None

    def find(self, sent):
        branch = Response(sent)["Via"].split("branch=")[1].split(";")[0]
        method = sent.split(b" ")[0].decode()
        while True:
            got = self.receive()
            if got and branch in got["Via"] and got["CSeq"].endswith(" " + method):
                return got

    def answer_to(self, sent):
        self.client.raw(sent)
        return self.find(sent)

    def bye(self, call_id):
        while call_id not in self.byes:
            self.receive()


@pytest.mark.parametrize("seed", range(4))
def test_walk(tmp_path, seed):
    rng = random.Random(seed)
    with Server(tmp_path, rest='route { asr = "none" }\n',
                transport=("udp", "tcp")[seed % 2], ports=(20000, 23999)) as server:
        walk = Walk(server)
        models, over = [Model(walk, rng) for _ in range(DIALOGS)], 0
        for n in range(STEPS):
            model = rng.choice(models)
            wrong = model.step()
            assert not wrong, (seed, n, wrong)
            if model.over and rng.random() < 0.2:
                models.remove(model)
                models.append(Model(walk, rng))
                over += 1
        assert over > 5
        assert server.status()["calls"] == sum(not m.over for m in models)
        for model in models:
            if not model.over:
                assert model.ask("BYE") == 200
        status = server.status()
        assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)
        assert len(server.calls()) == DIALOGS + over
