"""Recording sessions out of captures: legs, roles and identities, replayed and sent again."""
import collections
import re

import pytest

import captures
from replay import replay
from service import Daemon
from sip_client import Client, Response, free_port

RTP = (25200, 25399)
DUAL = {"siprec_session": "hVpd7YQgRW2nD22h7q60JQ==",
        "sip_session_id": "ab30317f1a784dc48ff824d0d3715d86;"
                          "remote=47755a9de7794ba387653f2099600ef2"}
PARTIES = [("srfBElmCRp2QB23b7Mpk0w==", "sip:+4930123456@example.com", "caller", "1"),
           ("zSfPoSvdSDCmU3A3TRDxAw==", "sip:agent7@example.com", "agent", "2")]
PAIR = [("1", "caller", "participants"), ("2", "agent", "participants")]
BROADWORKS = "urn:uuid:"

# legs: label, role, role_source; parties: id, aor, role, label; updates: parties after each
Row = collections.namedtuple("Row", "source legs ids parties updates")
CAPTURES = {
    "local_siprec_dual_pcmu_cn_dtmf.pcap": Row("siprec", PAIR, DUAL, PARTIES, []),
    "local_siprec_dual_pcma_pause.pcap": Row("siprec", PAIR, DUAL, PARTIES, []),
    "local_siprec_broadworks_pause_resume.pcap": Row(
        "siprec", [("1", "mixed", "mixed")],
        {"siprec_recording": BROADWORKS + "8edb9763-203b-40f0-bb46-a5014d3bc899",
         "siprec_session": BROADWORKS + "139ff134-7094-4ea9-a4a4-73f0c45e6a23",
         "siprec_group": BROADWORKS + "6219893c-d072-43d3-ba6c-8828cf7be472",
         "callid": "callhalf-1-26966@10.99.1.1:0",
         "extTrackingID": "tracking-id-1-26966@10.99.1.1"},
        [(BROADWORKS + "c703d8c4-ac5b-4000-a8ad-a3342ff26072", "sip:8638254725", "agent", "1"),
         (BROADWORKS + "c649af2e-0c0f-4015-8230-2734d538fc22",
          "sip:+19015783200@broadcore.com;user=phone", "caller", None)], []),
    "local_siprec_avaya_sbce.pcap": Row(
        "siprec", [("10", "caller", "participants")], {"siprec_session": "00FA080001000758A20EFA"},
        [("b536ff63b7f3643d4d7b", "sip:13035381001@10.64.110.65", "caller", "10"),
         ("abcdef12345678901234", "sip:ASBCE@asbce.com", "agent", None)],
        [[("b536ff63b7f3643d4d7b", "sip:13035381001@10.64.110.65", "caller", "10"),
          ("6add855be46c6970e8fd", "sip:7204541001@10.64.110.32", "agent", "20")]]),
    # network-based recording: only headers say whose lines they are
    "local_siprec_cisco_cube_tcp.pcap": Row(
        "sip", [(None, "caller", "participants")], {},
        [("0", "sip:2164485925@ccf.org", "caller", None),
         ("1", "sip:20053@10.144.106.41", "agent", None)], []),
}


def parties(event):
    people = event.get("participants")
    return people and [(p["id"], p["aor"], p["role"], p.get("label")) for p in people]


def check(events, row):
    start, = [e for e in events if e["type"] == "call.start"]
    assert start.get("ids", {}) == row.ids
    assert parties(start) == row.parties
    legs = [(e.get("label"), e["role"], e.get("role_source")) for e in events
            if e["type"] == "leg.start"]
    assert legs == row.legs
    assert [parties(e) for e in events if e["type"] == "call.update"] == row.updates
    assert not [e for e in events if e["type"] == "leg.update"]
    assert len([e for e in events if e["type"] == "call.end"]) == 1


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_replayed(tmp_path, name):
    path, = captures.shared("captures", name)
    row = CAPTURES[name]
    replayed = replay(path, tmp_path)
    check(replayed.events, row)
    assert replayed.calls[0]["source"] == "replay"
    assert len({leg.start["rtp"]["ssrc"] for leg in replayed.legs}) == len(row.legs)
    assert all(leg.samples["received"] > 70_000 for leg in replayed.legs)


def test_the_operators_word_holds_for_replays(tmp_path):
    path, = captures.shared("captures", "local_siprec_dual_pcmu_cn_dtmf.pcap")
    replayed = replay(path, tmp_path, "--asr", "none",
                      config='siprec { agent = {"+4930123456@*"} extensions = {"ucid"} }\n')
    assert [(leg.role, leg.start["role_source"]) for leg in replayed.legs] == [
        ("agent", "operator"), ("caller", "operator")]


def requests(path):
    """The recording client's requests as they were sent, the ten-fold ones once."""
    rows = captures.tshark(path, "sip.Request-Line",
                           ["sip.CSeq.seq", "sip.Method", "tcp.payload", "udp.payload",
                            "data.data", "frame.number"])
    assert rows
    seen, out = set(), []
    for row in rows:
        key = (row["sip.CSeq.seq"], row["sip.Method"])
        if key in seen:
            continue
        seen.add(key)
        out.append((row["sip.Method"], bytes.fromhex(
            (row["tcp.payload"] or row["udp.payload"]).replace(":", ""))))
    return out


class Again:
    """Sends captured requests from here: only Via's sent-by, the tag in To and CSeq are new."""

    def __init__(self, client):
        self.client, self.to, self.cseq = client, None, 0

    def send(self, method, message):
        head, _, body = message.partition(b"\r\n\r\n")
        head = re.sub(rb"(?im)^(via:\s*SIP/2.0/\w+ )[^;\r\n]+", rb"\g<1>" +
                      self.client.at.encode(), head, count=1)
        head = re.sub(rb"(?im)^via:([^\r\n]*)", rb"Via:\g<1>;rport", head, count=1)
        head = head.replace(b";rport;rport", b";rport")
        if method != "ACK":
            self.cseq += 1
        head = re.sub(rb"(?im)^CSeq:[^\r\n]*", b"CSeq: %d %s" % (self.cseq, method.encode()), head)
        if self.to:
            head = re.sub(rb"(?im)^To:[^\r\n]*", b"To: " + self.to.encode(), head)
        self.client.raw(head + b"\r\n\r\n" + body)
        if method == "ACK":
            return None
        answer = self.client.receive()
        assert isinstance(answer, Response) and answer.status == 200, answer.raw
        self.to = answer["To"]
        return answer


@pytest.mark.parametrize("name", sorted(CAPTURES))
def test_sent_again(tmp_path, name):
    path, = captures.shared("captures", name)
    row, port = CAPTURES[name], free_port()
    with Daemon(tmp_path, f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        again = Again(Client(("127.0.0.1", port)))
        for method, message in requests(path):
            answer = again.send(method, message)
            if method == "INVITE":
                assert ("+sip.srs" in answer["Contact"]) == (row.source == "siprec")
                assert answer.body.count("m=audio") == len(row.legs)
        events = daemon.until("call.end")
    daemon.valid()
    assert [e["source"] for e in events if e["type"] == "call.start"] == [row.source]
    check(events, row)
