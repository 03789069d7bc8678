"""Every recording client's dialect makes the right legs, roles and identities."""
import array
import collections

import pytest

from oracle import g711
from service import Daemon, packets, paced, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, free_port
from siprec import Session

RTP = (25000, 25199)

# Legs: label, codec, role, role_source.  Participants: id, role, label.
Row = collections.namedtuple("Row", "legs participants ids source updates",
                             defaults=({}, "siprec", ()))


UUID = "00000000-0000-4000-8000-00000000000"
LONG = [f"5f0c1f0e-0000-4000-8000-00000000000{n}" for n in (1, 2)]


def pair(source="participants", labels="12", codec="PCMU"):
    return [(labels[0], codec, "caller", source), (labels[1], codec, "agent", source)]


def two(a, b, labels="12"):
    return [(a, "caller", labels[0]), (b, "agent", labels[1])]


DIALECTS = {
    "rfc7866": Row(pair(), two("Y2FsbGVy", "YWdlbnQ="), {
        "Session-ID": "0123456789abcdef0123456789abcdef;remote=fedcba9876543210fedcba9876543210",
        "siprec_session": "c2Vzc2lvbg==", "siprec_group": "Z3JvdXA=",
        "sip_session_id": "0123456789abcdef0123456789abcdef;"
                          "remote=fedcba9876543210fedcba9876543210"}),
    "opensips": Row(pair(labels="01"), two("b3BjYWxsZXI=", "b3BjYWxsZWU=", "01"),
                    {"siprec_session": "b3BlbnNpcHMx",
                     "sip_session_id": "7d1f-original-call@pbx.example"}),
    "opensips_old": Row(pair("labels"), [("b2xkYQ==", "caller", None), ("b2xkYg==", "agent", None)],
                        {"siprec_session": "b2xkMQ==", "sip_session_id": "old-call@pbx.example"}),
    "cube": Row(pair("labels"), [("Y3ViZTE=", "caller", None), ("Y3ViZTI=", "agent", None)],
                {"siprec_session": "Y3ViZXM=", "cisco-guid": "1-2-3-4",
                 "Session-ID": "aaaabbbbccccddddaaaabbbbccccdddd;"
                               "remote=00000000000000000000000000000000",
                 "sip_session_id": "aaaabbbbccccddddaaaabbbbccccdddd;"
                                   "remote=ddddccccbbbbaaaaddddccccbbbbaaaa"},
                updates=("cube_reinvite",)),
    # no metadata: whose lines they are is in headers, by their index
    "cube_nbr": Row([(None, "PCMU", "caller", "participants"),
                     (None, "PCMU", "agent", "participants")],
                    [("0", "caller", None), ("1", "agent", None)], source="sip"),
    "oracle": Row([("218103810", "PCMU", "agent", "calling_party"),
                   ("218103811", "PCMU", "caller", "calling_party")],
                  [("b3JhYw==", "agent", "218103810"), ("b3JhYg==", "caller", "218103811")],
                  {"siprec_session": "b3JhY2xlcw==",
                   "ucid": "00FA080018803B69810C6D;encoding=hex"}),
    "ribbon": Row([("1", "PCMU", "agent", "call_data"), ("2", "PCMU", "caller", "call_data")],
                  [("cmliMQ==", "caller", "2"), ("cmliMg==", "agent", "1")],
                  {"siprec_session": "cmliYm9ucw==", "siprec_group": "cmliYm9uZw==",
                   "gcid": "777", "callid": "1_2@198.51.100.1"}),
    "broadworks": Row([("1", "PCMA", "mixed", "mixed")],
                      [("urn:uuid:00000000-0000-4000-8000-000000000004", "agent", "1"),
                       ("urn:uuid:00000000-0000-4000-8000-000000000005", "caller", None)],
                      {"siprec_recording": "urn:uuid:00000000-0000-4000-8000-000000000001",
                       "siprec_group": "urn:uuid:00000000-0000-4000-8000-000000000002",
                       "siprec_session": "urn:uuid:00000000-0000-4000-8000-000000000003",
                       "extTrackingID": "91:1"}),
    # whose numbers are the wrong way round: they are no rule's business
    "jambonz": Row(pair(), two(UUID + "c", UUID + "e"), {
        "siprec_session": UUID + "a", "sip_session_id": "original-call@pbx.example",
        "callsid": UUID + "b"}),
    "webex": Row([("1", "PCMA", "caller", "call_data"), ("2", "PCMA", "agent", "call_data")],
                 two("urn:uuid:00000000-0000-4000-8000-000000000004",
                     "urn:uuid:00000000-0000-4000-8000-000000000005"),
                 {"siprec_recording": "urn:uuid:00000000-0000-4000-8000-000000000001",
                  "siprec_group": "urn:uuid:00000000-0000-4000-8000-000000000002",
                  "siprec_session": "urn:uuid:00000000-0000-4000-8000-000000000003",
                  "extTrackingID": "91:1"}),
    "metaswitch": Row([("1", "PCMU", "mixed", "mixed")],
                      [("bWV0YTE=", "caller", "1"), ("bWV0YTI=", "agent", "1")],
                      {"siprec_recording": "bWV0YXI=", "siprec_session": "bWV0YXM="}),
    "avaya": Row([("10", "PCMU", "caller", "participants")],
                 [("av1", "caller", "10"), ("av0", "agent", None)], {"siprec_session": "00FA0001"},
                 updates=("avaya_update",)),
    "sems": Row([("b_leg", "PCMA", "agent", "labels"), ("a_leg", "PCMA", "caller", "labels")],
                [("semsa", "caller", None), ("semsb", "agent", None)], {"siprec_session": "sems1"}),
    "audiocodes": Row(pair(codec="PCMA"), two("aca", "acb"),
                      {"siprec_session": "0000-0000-0000-0000-a2",
                       "siprec_group": "00000000-0000-0000-0000-0000000000a1"}),
    "connectel": Row([(LONG[0], "PCMU", "caller", "participants"),
                      (LONG[1], "PCMA", "agent", "participants")],
                     two("Y29uYQ==", "Y29uYg==", LONG), {"siprec_session": "Y29u"}),
    "no_metadata": Row(pair("labels"), None),
    "broken_metadata": Row(pair("labels"), None),
}


def heard(pcm, codec):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


def answered_well(session, row, invite):
    """RFC 7866 section 7 and telephony 1.4: plain SDP, a line each, labels echoed, +sip.srs."""
    ok = session.ok
    assert ok.status == 200, ok.raw
    assert ok["Content-Type"] == "application/sdp"
    assert ("+sip.srs" in ok["Contact"]) == (row.source == "siprec")
    assert ok.body.count("m=audio ") == invite.count(b"m=audio ") == len(row.legs)
    labels = [x[8:] for x in ok.body.splitlines() if x.startswith("a=label:")]
    assert labels == [leg[0] for leg in row.legs if leg[0]]
    held = b"a=inactive" in invite
    assert [m[2] for m in ok.media()] == ["inactive" if held else "recvonly"] * len(row.legs)


def talk_for(session, row, seed):
    """(stream for paced(), codec, samples) of each leg."""
    for i, leg in enumerate(row.legs):
        host, port, _ = session.media[i]
        pcm = speech(300, seed * 10 + i)
        yield ((session.senders[i], (host, port), list(packets(pcm, 100 + i, leg[1]))), leg[1], pcm)


def test_every_dialect(tmp_path, transport="udp"):
    port = free_port()
    said, sessions = set(), {}
    with Simulator(tmp_path) as sim, Daemon(
            tmp_path, asr_config(sim, key_file(tmp_path)) +
            f'sip {{ listen = {{"{transport}:127.0.0.1:{port}"}} headers = {{"cisco-guid"}} }}\n',
            RTP) as daemon:
        streams = []
        for n, (dialect, row) in enumerate(DIALECTS.items()):
            client = Client(("127.0.0.1", port), transport)
            sessions[dialect] = session = Session(client, dialect)
            answered_well(session, row, session.text(dialect))
            for update in row.updates:
                answer = session.send(update)
                assert answer.status == 200, answer.raw
                assert all(m[2] == "recvonly" for m in answer.media())
            for stream, codec, pcm in talk_for(session, row, n):
                streams.append(stream)
                said.add(heard(pcm, codec))
        paced(*streams)
        for session in sessions.values():
            session.bye()
        for _ in sessions:
            daemon.until("call.end")
    daemon.valid()
    check_events(daemon, sessions)
    assert {sim.dump(line["connection"]) for line in sim.report} == said
    assert daemon.stderr.count("recording metadata from ") == 1


def check_events(daemon, sessions):
    for dialect, row in DIALECTS.items():
        start, = [e for e in daemon.of("call.start")
                  if e.get("sip_call_id") == sessions[dialect].call_id]
        assert start["source"] == row.source, dialect
        assert start.get("ids", {}) == row.ids, dialect
        people = start.get("participants")
        assert (people and [(p.get("id"), p["role"], p.get("label")) for p in people]) == \
            row.participants, dialect
        legs = [e for e in daemon.of("leg.start") if e["call"] == start["call"]]
        assert [(e.get("label"), e["codec"], e["role"], e.get("role_source")) for e in legs] == \
            row.legs, dialect
        for e in daemon.of("leg.end"):
            if e["call"] == start["call"]:
                assert (e["audio"]["samples"]["sent"], e["reason"]) == (2400, "bye"), dialect
        updates = [e for e in daemon.of("call.update") if e["call"] == start["call"]]
        assert len(updates) == len(row.updates), dialect
    updated = {e["call"]: e for e in daemon.of("call.update")}

    def of(dialect):
        return next(e["call"] for e in daemon.of("call.start")
                    if e.get("sip_call_id") == sessions[dialect].call_id)

    # it knows who speaks where as soon as the streams are told of
    assert [(p["id"], p["role"], p["label"], p["stream"])
            for p in updated[of("cube")]["participants"]] == [
        ("Y3ViZTE=", "caller", "1", "Y3ViZWE="), ("Y3ViZTI=", "agent", "2", "Y3ViZWI=")]
    assert [(e["role"], e["role_source"]) for e in daemon.of("leg.update")
            if e["call"] == of("cube")] == [("caller", "participants"), ("agent", "participants")]
    # the place holder goes, the agent comes
    assert [(p["id"], p.get("aor"), p["role"]) for p in updated[of("avaya")]["participants"]] == [
        ("av1", "sip:+4930111@carrier.example", "caller"),
        ("av2", "sip:2001@pbx.example", "agent")]


@pytest.mark.parametrize("dialect", ["rfc7866", "broadworks"])
def test_a_dialect_over_tcp(tmp_path, dialect):
    port = free_port()
    with Daemon(tmp_path, f'sip {{ listen = {{"tcp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        session = Session(Client(("127.0.0.1", port), "tcp"), dialect)
        answered_well(session, DIALECTS[dialect], session.text(dialect))
        session.bye()
        daemon.until("call.end")
    daemon.valid()
    assert [(e.get("label"), e["codec"], e["role"], e.get("role_source"))
            for e in daemon.of("leg.start")] == DIALECTS[dialect].legs


def test_the_operators_word_comes_first(tmp_path):
    port = free_port()
    more = ('siprec { caller = {"2???@pbx.*"} extensions = {"callerorig"} }\n'
            f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n')
    with Daemon(tmp_path, more, RTP) as daemon:
        session = Session(Client(("127.0.0.1", port)), "oracle")
        session.bye()
        daemon.until("call.end")
    daemon.valid()
    assert daemon.of("call.start")[0]["ids"] == {"siprec_session": "b3JhY2xlcw==",
                                                 "callerorig": "true"}
    assert [(e["role"], e["role_source"]) for e in daemon.of("leg.start")] == [
        ("caller", "operator"), ("agent", "operator")]


def test_routes_go_by_the_parties(tmp_path):
    """Not by From and To, which are the recording's own."""
    port = free_port()
    with Simulator(tmp_path) as sim:
        asr = asr_config(sim, key_file(tmp_path)).replace(
            "route {", 'route { asr = "none" calling = "+4930" role = "agent" }\n'
                       'route { called = "2001@"', 1)
        more = asr + f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n'
        with Daemon(tmp_path, more, RTP) as daemon:
            for dialect in ("ribbon", "opensips"):
                Session(Client(("127.0.0.1", port)), dialect).bye()
                daemon.until("call.end")
    daemon.valid()
    assert [(e["role"], e["asr"]) for e in daemon.of("leg.start")] == [
        ("agent", "none"), ("caller", "sim"), ("caller", "none"), ("agent", "none")]
