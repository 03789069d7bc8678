"""sipp as a recording client: updates and holds of many sessions, messages lost on the way."""
import pytest

import sipp
from service import Daemon
from simulator import TOP
from sip_client import free_port

RTP = (25800, 25999)
CALLS = 20


def scenario(lost):
    """With requests and answers lost; not ACKs, which sipp would not say again."""
    text = (TOP / "tests/data/sipp/siprec.xml").read_text()
    for what in ('retrans="500"', 'response="200"'):
        text = text.replace(what, f'{what} lost="{lost}"' if lost else what)
    return text


@pytest.mark.parametrize("transport, lost, options", [
    ("udp", 0, ()), ("udp", 15, ()), ("tcp", 0, ("-t", "t1"))], ids=["udp", "lossy", "tcp"])
def test_all_sessions_go_by_the_book(tmp_path, transport, lost, options):
    port = free_port()
    with Daemon(tmp_path, f'sip {{ listen = {{"{transport}:127.0.0.1:{port}"}} }}\n',
                RTP) as daemon:
        code, said = sipp.run(tmp_path, scenario(lost), ("127.0.0.1", port), "-m", CALLS, "-r", 20,
                              *options)
        assert code == 0, said
        for _ in range(CALLS):
            daemon.until("call.end")
    daemon.valid()
    starts = daemon.of("call.start")
    assert len(starts) == CALLS and {e["source"] for e in starts} == {"siprec"}
    for start in starts:
        n = start["ids"]["siprec_session"][1:]
        assert [(p["id"], p["role"], p["label"]) for p in start["participants"]] == [
            (f"c{n}", "caller", "1"), (f"a{n}", "agent", "2")]
        legs = [e for e in daemon.of("leg.start") if e["call"] == start["call"]]
        assert [(e["label"], e["codec"], e["role"]) for e in legs] == [
            ("1", "PCMU", "caller"), ("2", "PCMA", "agent")]
        update, = [e for e in daemon.of("call.update") if e["call"] == start["call"]]
        assert [(p["id"], p["role"], p["label"]) for p in update["participants"]] == [
            (f"c{n}", "caller", "1"), (f"b{n}", "agent", "2")]
    assert {e["reason"] for e in daemon.of("call.end")} == {"bye"}
    assert not daemon.of("leg.update")
