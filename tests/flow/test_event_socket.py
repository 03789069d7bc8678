"""The event socket (INTERFACES section 3) against clients good and bad.

The server is the daemon's own journal and subscribers (tests/tools/event_server), told what
happens by the test; every line that any client gets is checked by the oracle.
"""
import json
import os
import pathlib
import socket
import stat
import subprocess
import tempfile

import pytest

from oracle.event_server import Server, program
from oracle.events import parse_line, validate_lines

EPOCH = "00000000000000ab"


@pytest.fixture
def serve(tmp_path):
    """serve(options...) -> Server; at the end each must close in order."""
    servers = []

    def one(*options, path=tmp_path / "events.sock"):
        servers.append(Server(path, "--epoch", "ab", *options))
        return servers[-1]

    yield one
    for s in servers:
        s.close()
        for line in {line for c in s.clients for line in c.raw}:
            validate_lines([line], complete=False, whole=False)


def types(lines):
    return [e["type"] for e in lines]


def seqs(lines):
    return [e["seq"] for e in lines if "seq" in e]


def no_beat(lines):
    return [e for e in lines if e["type"] != "heartbeat"]


def test_who_says_nothing_gets_everything_from_now_on(serve):
    s = serve()
    s.tell("start c c-0")
    s.sync()
    c = s.client()
    assert c.hello["type"] == "hello" and c.hello["epoch"] == EPOCH
    assert (c.hello["first"], c.hello["next"]) == (1, 3)
    # what happens between the connect and the beginning of delivery is not lost
    s.tell("final c-0 1 1 one")
    got = no_beat(c.seq(3))
    assert seqs(got) == [3]
    s.tell("partial c-0 2 1 tw")
    assert c.until(lambda e: e["type"] == "segment")[-1]["state"] == "partial"
    s.tell("speech c-0", "end c c-0")
    got = no_beat(c.seq(5))
    assert types(got)[-2:] == ["leg.end", "call.end"]
    validate_lines(c.raw, complete=False, whole=False)


def test_the_same_lines_go_to_the_file_and_to_the_socket(serve, tmp_path):
    s = serve("--events", tmp_path / "file")
    c = s.client()
    s.tell("start c c-0", "final c-0 1 1 one", "daemon asr_down", "end c c-0")
    c.seq(6)
    s.close()
    lines = (tmp_path / "file").read_bytes().splitlines()
    assert [x for x in c.raw if b'"seq"' in x] == lines
    validate_lines(lines)


@pytest.mark.parametrize("choice,want", [
    ({}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ({"types": ["segment"]}, [3, 6]),
    ({"types": ["gap", "call.end"]}, [4, 8]),
    ({"types": ["daemon.*"]}, [5]),
    ({"types": ["daemon.asr_down"]}, [5]),
    ({"types": ["daemon.asr_up", "gap"]}, [4]),
    ({"calls": ["*"]}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ({"calls": ["c"]}, [1, 2, 3, 4, 5, 6, 7, 8]),
    ({"calls": ["d"]}, [5]),
    ({"calls": ["d", "*"], "types": ["segment"]}, [3, 6]),
    ({"calls": ["c", "d"], "types": ["segment"]}, [3, 6]),
])
def test_choosing_leaves_the_numbers_as_they_are(serve, choice, want):
    s = serve("--tick", 1)
    s.tell("start c c-0", "final c-0 1 1 one", "gap c-0", "daemon asr_down", "final c-0 2 1 two",
           "end c c-0")
    s.sync()
    c = s.client({"hello": 1, "from": "oldest", **choice})
    got = c.until(lambda e: e["type"] == "heartbeat" and e["next"] == 9)
    assert seqs(got) == want
    validate_lines(c.raw, complete=False, whole=False, holes=True)


@pytest.mark.parametrize("start,want", [
    ("now", []), ("oldest", [1, 2, 3, 4]), (f"{EPOCH}:1", [1, 2, 3, 4]), (f"{EPOCH}:3", [3, 4]),
    (f"{EPOCH}:5", []),
])
def test_where_to_begin(serve, start, want):
    s = serve()
    s.tell("start c c-0", "gap c-0", "gap c-0")
    s.sync()
    c = s.client({"hello": 1, "from": start})
    s.tell("gap c-0")
    got = no_beat(c.seq(5))
    assert seqs(got) == want + [5]
    assert not set(types(got)) & {"reset", "lost", "hello"}


@pytest.mark.parametrize("start,following", [
    ("00000000000000ac:2", 1), (f"{EPOCH}:6", 5), (f"{EPOCH}:9223372036854775807", 5),
])
def test_a_place_that_is_not_there_is_told_by_reset(serve, start, following):
    s = serve()
    s.tell("start c c-0", "gap c-0", "gap c-0")
    s.sync()
    c = s.client({"hello": 1, "from": start})
    got = [c.line()]
    s.tell("gap c-0")
    got += no_beat(c.seq(5))
    assert got[0]["type"] == "reset"
    assert (got[0]["epoch"], got[0]["next"]) == (EPOCH, following)
    assert seqs(got) == list(range(following, 6))


def test_who_falls_behind_is_told_exactly_what_is_lost_and_holds_nobody_up(serve):
    s = serve("--size", 65536)
    slow, quick = s.client(receive_buffer=4096), s.client()
    s.tell("start c c-0")
    quick.seq(2)
    total = 2
    for _ in range(100):  # 45 times the whole ring and more than all buffers on the way
        s.tell("burst 40 c-0 600")
        total += 40
        quick.seq(total)
    assert not [e for e in map(parse_line, quick.raw) if e["type"] == "lost"]
    stand = s.sync()
    assert stand["connected"] == 2 and stand["first"] > 3900
    s.tell("end c c-0")
    quick.seq(total + 2)
    got = slow.seq(total + 2)
    lost = [e for e in got if e["type"] == "lost"]
    assert lost
    told = sum(e["to"] - e["from"] + 1 for e in lost)
    assert len(seqs(got)) + told == total + 2
    assert s.sync()["lost"] == told
    validate_lines(quick.raw)
    validate_lines(slow.raw, complete=False, whole=False)


@pytest.mark.release
def test_a_reader_that_sleeps_costs_no_more_than_its_ceiling(serve):
    s = serve("--size", 262144)
    for _ in range(10):
        s.client(receive_buffer=4096)
    s.tell("start c c-0", "burst 100 c-0 60000")
    s.sync()
    before = s.memory()
    for _ in range(50):
        s.tell("burst 100 c-0 60000")
        s.sync()
    # 300 MB of events went by; each may hold 256 KiB and a line, twice while buffers grow
    assert s.memory() - before < 10 * 2 * 2 * 330 * 1024
    assert s.sync()["connected"] == 10


def test_a_line_as_long_as_can_be_goes_through(serve):
    s = serve()
    c = s.client({"hello": 1})
    s.tell("start c c-0", "burst 5 c-0 65536", "gap c-0")
    got = c.seq(8)
    assert [len(e["text"]) for e in got if e["type"] == "segment"] == [65536] * 5


def test_delivery_waits_for_acknowledgements_after_1000(serve):
    s = serve("--tick", 2)
    c = s.client({"hello": 1, "ack": True})
    s.tell("start c c-0", "burst 2998 c-0 10")
    assert seqs(c.seq(1000)) == list(range(1, 1001))
    # it stands: the next thing it hears is its own position
    assert c.line() == {**c.until(lambda e: True)[0], "ts": json.loads(c.raw[-2])["ts"]}
    assert [json.loads(x).get("next") for x in c.raw[-2:]] == [1001, 1001]
    c.say({"ack": 1})
    assert seqs(c.seq(1001)) == [1001]
    c.say({"ack": 501})
    assert seqs(c.seq(1501)) == list(range(1002, 1502))
    assert c.line()["type"] == "heartbeat"
    c.say({"ack": 400})   # cumulative: an older one changes nothing
    c.say({"ack": 1501})
    assert seqs(c.seq(2501)) == list(range(1502, 2502))
    c.say({"ack": 2501})
    assert seqs(c.seq(3000)) == list(range(2502, 3001))


def test_the_window_counts_what_was_delivered(serve):
    """Events that were not chosen take no place in it."""
    s = serve("--tick", 5)
    s.tell("start c c-0", *["gap c-0", "final c-0 1 1 x"] * 1500)
    s.sync()
    c = s.client({"hello": 1, "from": "oldest", "types": ["gap"], "ack": True})
    assert seqs(c.seq(2001)) == list(range(3, 2002, 2))
    assert c.line() == {"v": 1, "type": "heartbeat", "ts": parse_line(c.raw[-1])["ts"],
                        "next": 2002}
    c.say({"ack": 4})
    assert seqs(no_beat(c.seq(2003))) == [2003]


def test_60_seconds_without_progress_close(serve):
    s = serve("--tick", 1)  # 600 ticks
    c, other = s.client({"hello": 1, "ack": True, "name": "n"}), s.client()
    s.tell("start c c-0", "burst 1500 c-0 10")
    other.seq(1502)
    assert c.rest()[-1] == {"v": 1, "type": "bye", "ts": parse_line(c.raw[-1])["ts"],
                            "reason": "stalled"}
    assert s.until(connected=1)["stalled"] == 1
    again = s.client({"hello": 1, "ack": True, "name": "n", "from": "resume"})
    assert seqs(again.seq(1000)) == list(range(1, 1001))


def test_who_is_not_waiting_is_never_stalled(serve):
    s = serve("--tick", 1)
    c = s.client({"hello": 1, "ack": True})
    s.tell("start c c-0")
    c.seq(2)
    for _ in range(30):  # 1500 ticks
        assert c.line()["type"] == "heartbeat"


def test_a_named_subscriber_goes_on_where_it_acknowledged(serve):
    s = serve()
    choice = {"hello": 1, "name": "crm", "from": "resume", "ack": True}
    s.tell("start c c-0", "burst 8 c-0 10")
    c = s.client(choice)
    assert seqs(c.seq(10)) == list(range(1, 11))  # not known yet: from the oldest
    c.say({"ack": 6})
    c.say({"ack": 4})
    c.say("{}")
    c.until(lambda e: e["type"] == "error")  # both acks have been read
    c.close()
    s.until(connected=0)
    s.tell("gap c-0")
    c = s.client(choice)
    assert seqs(c.seq(11)) == list(range(7, 12))
    c.close()
    s.until(connected=0)
    c = s.client(choice)  # nothing was acknowledged: all of it once more
    assert seqs(c.seq(11)) == list(range(7, 12))
    other = s.client({**choice, "name": "other"})
    assert seqs(other.seq(11)) == list(range(1, 12))


def test_a_named_subscriber_without_ack_goes_on_behind_what_it_was_sent(serve):
    s = serve()
    choice = {"hello": 1, "name": "crm"}
    c = s.client({**choice, "from": "now"})
    s.tell("start c c-0", "gap c-0")
    c.seq(3)
    c.close()
    s.until(connected=0)
    s.tell("gap c-0")
    s.sync()
    c = s.client(choice)
    assert seqs(c.seq(4)) == [4]


def test_the_second_with_a_name_takes_over(serve):
    s = serve()
    choice = {"hello": 1, "name": "crm", "ack": True}
    first = s.client(choice)
    s.tell("start c c-0")
    first.seq(2)
    first.say({"ack": 1})
    first.say("{}")
    first.until(lambda e: e["type"] == "error")
    second = s.client(choice)
    assert seqs(second.seq(2)) == [2]
    assert first.rest()[-1]["reason"] == "replaced"
    s.tell("gap c-0")
    assert seqs(second.seq(3)) == [3]
    s.until(connected=1)


BAD = {
    "no JSON": "hello",
    "half an object": '{"hello":1',
    "two objects": '{"hello":1}{"hello":1}',
    "a list": "[]",
    "empty object": "{}",
    "not UTF-8": '{"hello":1,"name":"\xff"}',
    "a key twice": '{"hello":1,"hello":1}',
    "version 2": '{"hello":2}',
    "version as text": '{"hello":"1"}',
    "name empty": '{"hello":1,"name":""}',
    "name of foreign letters": '{"hello":1,"name":"a b"}',
    "name of 65": '{"hello":1,"name":"%s"}' % ("a" * 65),
    "name with NUL": '{"hello":1,"name":"a\\u0000b"}',
    "name a number": '{"hello":1,"name":7}',
    "from unknown": '{"hello":1,"from":"yesterday"}',
    "from a number": '{"hello":1,"from":7}',
    "epoch too short": '{"hello":1,"from":"ab:1"}',
    "epoch not hex": '{"hello":1,"from":"000000000000000g:1"}',
    "no seq": '{"hello":1,"from":"00000000000000ab:"}',
    "seq 0": '{"hello":1,"from":"00000000000000ab:0"}',
    "seq negative": '{"hello":1,"from":"00000000000000ab:-1"}',
    "seq over 64 bits": '{"hello":1,"from":"00000000000000ab:99999999999999999999"}',
    "resume without a name": '{"hello":1,"from":"resume"}',
    "types empty": '{"hello":1,"types":[]}',
    "types a string": '{"hello":1,"types":"gap"}',
    "types unknown": '{"hello":1,"types":["final"]}',
    "types of numbers": '{"hello":1,"types":[1]}',
    "types daemon.": '{"hello":1,"types":["daemon."]}',
    "calls empty": '{"hello":1,"calls":[]}',
    "calls no ids": '{"hello":1,"calls":["a/b"]}',
    "calls too many": '{"hello":1,"calls":[%s]}' % ",".join(['"c"'] * 33),
    "partials as text": '{"hello":1,"partials":"no"}',
    "ack of nothing chosen": '{"ack":1}',
    "ack as text": '{"ack":"1"}',
    "ack negative": '{"ack":-1}',
    "ack over 64 bits": '{"ack":99999999999999999999}',
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_answered_and_changes_nothing(serve, name):
    s = serve()
    c = s.client(BAD[name])
    assert no_beat([c.line()])[0]["type"] == "error"
    s.tell("start c c-0")
    assert seqs(c.seq(2)) == [1, 2]


def test_what_is_asked_out_of_order_is_answered(serve):
    s = serve()
    c = s.client({"hello": 1, "ack": True, "types": ["gap"]})
    c.say({"hello": 1})
    assert "already chosen" in c.line()["error"]
    s.tell("start c c-0", "gap c-0")
    c.seq(3)
    c.say({"ack": 4})
    assert "not sent yet" in no_beat([c.line()])[0]["error"]
    c.say({"ack": 3})
    s.tell("gap c-0")
    assert types(no_beat(c.seq(4))) == ["gap"]


def test_ten_bad_lines_close(serve):
    s = serve()
    c = s.client()
    c.say("\n".join(["{}"] * 12))
    got = no_beat(c.rest())
    assert types(got) == ["error"] * 10 + ["bye"] and got[-1]["reason"] == "bad_lines"
    assert s.until(connected=0)["bad"] == 1


@pytest.mark.parametrize("text", ["x" * 5000, "x" * 5000 + "\n", '{"hello":1%s}' % (" " * 4090)])
def test_a_line_over_4_kib_closes(serve, text):
    s = serve()
    c = s.client(text)
    got = c.rest()
    assert types(got) == ["error", "bye"] and got[-1]["reason"] == "bad_lines"


def test_a_line_of_4_kib_is_taken(serve):
    s = serve()
    line = '{"hello":1,"from":"oldest"}'
    s.tell("start c c-0")
    s.sync()
    c = s.client(line[:-1] + " " * (4096 - len(line)) + "}")
    assert seqs(c.seq(2)) == [1, 2]


def test_a_flood_of_lines_closes(serve):
    s = serve()
    c = s.client({"hello": 1, "ack": True})
    s.tell("start c c-0")
    c.seq(2)
    c.say({"ack": 2})
    try:
        for _ in range(300):
            c.say({"ack": 2})
    except OSError:
        pass  # closed while we spoke
    got = no_beat(c.rest())
    # the reason may be lost with the connection when we go on talking
    assert types(got) in (["bye"], [])
    assert s.until(connected=0)["bad"] == 1


def test_acknowledging_each_event_is_no_flood(serve):
    s = serve()
    c = s.client({"hello": 1, "ack": True})
    s.tell("start c c-0", "burst 3000 c-0 10")
    for seq in range(1, 3001):
        c.seq(seq)
        c.say({"ack": seq})
    assert s.sync()["connected"] == 1


def test_lines_may_come_in_any_pieces(serve):
    s = serve()
    s.tell("start c c-0", "gap c-0")
    s.sync()
    c = s.client()
    for byte in f'{{"hello":1,"from":"{EPOCH}:3","ack":true}}\r\n\n':
        c.socket.sendall(byte.encode())
    assert seqs(no_beat(c.seq(3))) == [3]
    c.socket.sendall(b'{"ack":3}\n{}\n{"ac')
    assert "choose" in no_beat([c.line()])[0]["error"]
    s.tell("gap c-0")
    c.seq(4)
    c.socket.sendall(b'k":5}\n')
    assert "not sent yet" in no_beat([c.line()])[0]["error"]


def test_a_late_choice_that_goes_back_says_hello_again(serve):
    s = serve("--tick", 1)
    s.tell("start c c-0")
    s.sync()
    c = s.client()
    s.tell("gap c-0")
    c.seq(3)
    c.say({"hello": 1, "from": "oldest"})
    got = no_beat(c.seq(3))
    assert types(got) == ["hello", "call.start", "leg.start", "gap"]
    validate_lines(c.raw, complete=False, whole=False)


def test_a_client_that_shut_its_side_goes_on_receiving(serve):
    s = serve()
    c = s.client()
    c.socket.shutdown(socket.SHUT_WR)
    s.tell("start c c-0")
    assert seqs(c.seq(2)) == [1, 2]
    s.tell("gap c-0")
    assert seqs(c.seq(3)) == [3]
    c.close()
    s.tell("gap c-0")
    s.until(connected=0)


def test_partials_of_a_slow_reader_are_the_latest_and_never_late(serve):
    s = serve()
    slow = s.client({"hello": 1}, receive_buffer=4096)
    quick = s.client({"hello": 1, "types": ["segment"]})
    s.tell("start c c-0", "start d d-0", "burst 10 c-0 60000")
    quick.seq(14)
    for rev in range(1, 200):
        s.tell(f"partial c-0 5000 {rev} zero", f"partial d-0 6000 {rev} one")
    s.tell("final c-0 5000 200 done")
    quick.seq(15)
    got = slow.seq(15)  # slow until here
    s.tell("gap d-0")
    got += slow.seq(16)
    partials = [e for e in got if e.get("state") == "partial"]
    assert {e["leg"] for e in partials} <= {"d-0"}  # c-0's is superseded
    assert len(partials) <= 2
    validate_lines(slow.raw, complete=False, whole=False, conflated=True)
    validate_lines(quick.raw, complete=False, whole=False, conflated=True, holes=True)


def test_the_latest_partial_arrives_in_the_end(serve):
    s = serve()
    c = s.client({"hello": 1}, receive_buffer=4096)
    s.tell("start c c-0", "burst 10 c-0 60000")
    for rev in range(1, 100):
        s.tell(f"partial c-0 5000 {rev} text")
    s.sync()
    assert c.until(lambda e: e.get("state") == "partial")[-1]["rev"] == 99


def test_partials_only_for_those_who_want_them(serve):
    s = serve()
    without = s.client({"hello": 1, "partials": False})
    others = s.client({"hello": 1, "types": ["gap"]})
    s.tell("start c c-0")
    without.seq(2)
    for rev in range(1, 10):
        s.tell(f"partial c-0 1 {rev} text")
        s.sync()
    s.tell("speech c-0")
    got = without.until(lambda e: e["type"] == "speech")
    s.tell("gap c-0")
    got += without.seq(3)
    assert "segment" not in types(got)
    assert types(no_beat(others.seq(3))) == ["gap"]


def test_ten_subscribers_get_the_same(serve):
    s = serve()
    clients = [s.client({"hello": 1, "from": "oldest"}) for _ in range(10)]
    s.tell("start c c-0", "burst 4996 c-0 300", "end c c-0")
    first = [x for x in (c.seq(5000) and c.raw for c in clients)]
    lines = [[x for x in raw if b'"seq"' in x] for raw in first]
    assert all(x == lines[0] for x in lines)
    validate_lines(lines[0])


def test_one_user_gets_16_connections(serve):
    s = serve()
    clients = [s.client() for _ in range(16)]
    over = s.client()
    assert over.hello["type"] == "bye" and over.hello["reason"] == "too_many"
    assert over.line() is None
    assert s.until(connected=16)["refused"] == 1
    clients[3].close()
    s.until(connected=15)
    assert s.client().hello["type"] == "hello"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can connect as several users")
def test_all_users_together_get_64(serve):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # pytest's own are closed to others
        s = serve("--mode", 666, path=pathlib.Path(folder) / "events.sock")
        try:
            for k in range(64):
                os.seteuid(0)
                os.seteuid(20000 + k // 15)
                assert s.client().hello["type"] == "hello"
            assert s.client().hello["reason"] == "too_many"
        finally:
            os.seteuid(0)
        assert s.sync()["connected"] == 64
        s.close()


def test_the_end_of_the_daemon_is_told_behind_everything(serve):
    s = serve()
    c, late = s.client({"hello": 1}), s.client()
    s.tell("start c c-0", "burst 100 c-0 10", "end c c-0")
    s.finish()
    for each in (c, late):
        got = no_beat(each.rest())
        assert seqs(got) == list(range(1, 105))
        assert got[-1] == {"v": 1, "type": "bye", "ts": got[-1]["ts"], "reason": "shutdown"}


def test_garbage_of_every_kind_leaves_the_others_alone(serve):
    s = serve()
    good = s.client({"hello": 1})
    s.tell("start c c-0")
    good.seq(2)
    for junk in (b"\0" * 4000, b"\n" * 200, bytes(range(256)) * 10, b"[" * 4000 + b"\n",
                 b'{"hello":1,"calls":[' + b"[" * 2000 + b"\n", b"GET / HTTP/1.1\r\n\r\n"):
        c = s.client()
        try:
            c.socket.sendall(junk)
        except OSError:
            pass
        c.close()
    s.tell("gap c-0")
    assert types(no_beat(good.seq(3))) == ["gap"]
    s.until(connected=1)


# -- the path ---------------------------------------------------------------------------------


def fails(path, *options):
    p = subprocess.run([program(), str(path), *options], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=20)
    assert p.returncode == 1
    return p.stderr.decode()


def test_mode_and_removal(serve, tmp_path):
    path = tmp_path / "events.sock"
    s = serve("--mode", 640)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_ISSOCK(path.stat().st_mode)
    s.close()
    assert not path.exists()


def test_group(serve, tmp_path):
    import grp
    gid = os.getgroups()[0] if os.getgroups() else os.getgid()
    serve("--group", grp.getgrgid(gid).gr_name)
    assert (tmp_path / "events.sock").stat().st_gid == gid
    assert 'no group "nobody-has-this-name"' in fails(tmp_path / "x", "--group",
                                                      "nobody-has-this-name")
    assert not (tmp_path / "x").exists()


def test_a_dead_daemons_socket_is_replaced(serve, tmp_path):
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(str(tmp_path / "events.sock"))
    dead.listen()
    dead.close()
    assert serve().client().hello["type"] == "hello"


def test_a_living_daemons_socket_is_not(serve, tmp_path):
    s = serve()
    assert "another program listens there" in fails(tmp_path / "events.sock")
    assert s.client().hello["type"] == "hello"


def test_another_daemons_socket_is_not_removed_at_the_end(serve, tmp_path):
    path = tmp_path / "events.sock"
    s = serve()
    path.unlink()
    other = serve()
    s.close()
    assert other.client().hello["type"] == "hello"


@pytest.mark.parametrize("make", [lambda p: p.write_text("mine"), lambda p: p.mkdir(),
                                  lambda p: p.symlink_to("/nowhere")])
def test_what_is_no_socket_stays(tmp_path, make):
    path = tmp_path / "x"
    make(path)
    assert "no socket" in fails(path)
    assert path.is_symlink() or path.exists()


@pytest.mark.parametrize("length", [0, 108, 300])
def test_a_path_must_fit(length):
    assert "1 to 107 bytes" in fails("/tmp/".ljust(length, "x") if length else "")


def test_a_path_of_107_bytes_fits(serve, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        path = f"/proc/{os.getpid()}/fd/{folder}/"
        assert serve(path=path.ljust(107, "x")).client().hello["type"] == "hello"
    finally:
        os.close(folder)
    assert os.listdir(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    assert "No such file" in fails(tmp_path / "no" / "x")
