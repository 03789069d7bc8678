"""What was published is there after a restart, whatever ended the daemon (INTERFACES section 3).

The server is the daemon's own journal and subscribers (tests/tools/event_server); the files are
read by oracle/journal.py, which knows nothing of it.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from oracle import journal
from oracle.event_server import Server
from oracle.events import validate_lines
from witness import Witness, check, numbered

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILL_SEED", random.randrange(1, 2**31)))


@pytest.fixture
def serve(tmp_path):
    """serve(options...) -> Server with its journal in tmp_path/journal."""
    servers = []

    def one(*options, **how):
        servers.append(Server(tmp_path / "s", "--journal", tmp_path / "journal", *options, **how))
        return servers[-1]

    yield one
    for s in servers:
        if s.process.returncode is None:
            s.close()
        for line in {line for c in s.clients for line in c.raw}:
            validate_lines([line], complete=False, whole=False)


def kill(server):
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.process.stdin.close()


def seqs(lines):
    return [e["seq"] for e in lines if "seq" in e]


def kept(tmp_path, cursor):
    """Wait until the file has it."""
    end, file = time.monotonic() + 60, tmp_path / "journal" / "cursors"
    while not file.exists() or cursor not in file.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.02)


def of(lines, *types):
    return [e for e in lines if e["type"] in types]


def test_killed_it_goes_on_with_the_next_number_and_closes_what_was_open(serve, tmp_path):
    s = serve("--epoch", "ab")
    c = s.client({"hello": 1, "name": "crm", "ack": True})
    s.tell("start a a-0", "final a-0 1 1 one", "end a a-0", "start c c-0", "final c-0 1 1 two",
           "start d d-0", "gap d-0")
    c.seq(11)
    c.say({"ack": 7})
    before = numbered(c.raw)
    kill(s)
    s = serve("--epoch", "cd")
    assert s.start["next"] == 16
    c = s.client({"hello": 1, "from": "oldest"})
    got = c.seq(15)
    assert c.hello["epoch"] == "00000000000000ab" and c.hello["first"] == 1
    assert numbered(c.raw)[:11] == before
    assert [(e["type"], e.get("leg"), e["reason"]) for e in got[-4:]] == [
        ("leg.end", "c-0", "restart"), ("call.end", None, "restart"),
        ("leg.end", "d-0", "restart"), ("call.end", None, "restart")]
    validate_lines(c.raw)
    # nobody closes them a second time
    for _ in range(2):
        kill(s)
        s = serve()
        assert s.start["next"] == 16
    assert [line + b"\n" for line in numbered(c.raw)] == \
        [line for _, _, line in journal.read(tmp_path / "journal")]


def test_a_name_goes_on_where_it_acknowledged_also_after_a_stop(serve):
    s = serve()
    c = s.client({"hello": 1, "name": "crm", "ack": True, "from": "now"})
    other = s.client({"hello": 1, "name": "other"})
    s.tell("start c c-0", "burst 8 c-0 10", "end c c-0")
    c.seq(12)
    other.seq(12)
    c.say({"ack": 6})
    c.say("{}")
    c.until(lambda e: e["type"] == "error")
    s.close()
    s = serve()
    s.tell("daemon x")
    c = s.client({"hello": 1, "name": "crm", "ack": True})
    assert seqs(c.seq(13)) == list(range(7, 14))
    assert seqs(s.client({"hello": 1, "name": "other"}).seq(13)) == [13]
    assert seqs(s.client({"hello": 1, "name": "new"}).seq(13)) == list(range(1, 14))


def test_acknowledgements_are_kept_within_a_second_of_a_kill(serve, tmp_path):
    s = serve()
    c = s.client({"hello": 1, "name": "crm", "ack": True})
    s.tell("start c c-0", "burst 8 c-0 10")
    c.seq(10)
    c.say({"ack": 6})
    kept(tmp_path, b'["crm",7]')
    kill(s)
    c = serve().client({"hello": 1, "name": "crm", "ack": True})
    assert seqs(c.seq(12)) == list(range(7, 13))


def test_a_number_from_before_is_found_and_one_of_elsewhere_resets(serve):
    s = serve("--epoch", "ab")
    s.tell("start c c-0", "end c c-0")
    s.sync()
    s.close()
    s = serve("--epoch", "cd")
    s.tell("daemon x")
    c = s.client({"hello": 1, "from": "00000000000000ab:3"})
    assert seqs(c.seq(5)) == [3, 4, 5]
    c = s.client({"hello": 1, "from": "00000000000000cd:3"})
    got = c.seq(5)
    assert got[0]["type"] == "reset" and got[0]["epoch"] == "00000000000000ab"
    assert seqs(got) == [1, 2, 3, 4, 5]


def test_who_had_seen_what_the_crash_of_the_machine_took_is_told(serve, tmp_path):
    """The end of the file is gone: numbers come again, in an epoch of their own."""
    s = serve("--epoch", "ab")
    c = s.client({"hello": 1, "name": "crm", "ack": True})
    s.tell("start c c-0", "gap c-0", "gap c-0", "end c c-0")
    c.seq(6)
    c.say({"ack": 6})
    c.say("{}")
    c.until(lambda e: e["type"] == "error")
    kept(tmp_path, b'["crm",7]')
    kill(s)
    last, = journal.segments(tmp_path / "journal")
    journal.cut(last, [at for at, *_ in journal.records(last)][-3] + 7)
    s = serve("--epoch", "cd")
    # gap is the last that is whole: its leg and its call are closed once more
    s.tell("daemon x")
    s.sync()
    c = s.client({"hello": 1, "name": "crm", "ack": True})
    assert (c.hello["epoch"], c.hello["next"]) == ("00000000000000cd", 7)
    got = c.seq(6)
    told, = of(got, "reset")
    assert (told["epoch"], told["next"], seqs(got)) == ("00000000000000cd", 4, [4, 5, 6])
    c = s.client({"hello": 1, "from": "00000000000000ab:7"})
    got = c.until(lambda e: e["type"] == "daemon.x")
    assert got[0]["type"] == "reset" and seqs(got) == [1, 2, 3, 4, 5, 6]
    assert [e["type"] for e in got if "seq" in e] == [
        "call.start", "leg.start", "gap", "leg.end", "call.end", "daemon.x"]


def test_a_reader_far_behind_gets_every_line_from_the_files(serve, tmp_path):
    s = serve("--size", 65536)
    slow = s.client({"hello": 1}, receive_buffer=4096)
    quick = s.client({"hello": 1})
    s.tell("start c c-0")
    for _ in range(60):
        s.tell("burst 100 c-0 300")
        quick.seq(seqs(map(json.loads, quick.raw))[-1] + 100 if numbered(quick.raw) else 102)
    s.tell("end c c-0")
    total = 6004
    quick.seq(total)
    slow.seq(total)
    late = s.client({"hello": 1, "from": "oldest"})
    late.seq(total)
    assert numbered(slow.raw) == numbered(quick.raw) == numbered(late.raw)
    assert s.sync()["lost"] == 0
    validate_lines(quick.raw)
    assert [line for _, _, line in journal.read(tmp_path / "journal")] == \
        [line + b"\n" for line in numbered(quick.raw)]


@pytest.mark.release
def test_ten_readers_far_behind_cost_no_memory(serve):
    s = serve("--size", 262144, "--journal-size", 1 << 30)
    for _ in range(3):
        s.client()
    s.tell("start c c-0", "burst 20000 c-0 600")
    s.until(next=20003)
    before = s.memory()
    sleepers = [s.client({"hello": 1, "from": "oldest"}, receive_buffer=4096) for _ in range(10)]
    s.tell("burst 50000 c-0 600")
    s.sync()
    for c in sleepers[:3]:
        assert seqs(c.seq(9000)) == list(range(1, 9001))
    # 16 blocks of the files, and for each what is on its way to it
    assert s.memory() - before < 16 * 700 * 1024 + 13 * 2 * 2 * 330 * 1024
    assert s.sync()["lost"] == 0


def test_what_size_takes_is_told_exactly(serve):
    s = serve("--size", 65536, "--journal-size", 2 << 20)
    slow = s.client({"hello": 1}, receive_buffer=4096)
    s.tell("start c c-0")
    slow.seq(2)
    for _ in range(100):
        s.tell("burst 100 c-0 600")
        s.sync()
    s.tell("end c c-0")
    total = 10004
    state = s.until(next=total + 1)
    assert state["first"] > 2000 and state["bytes"] <= 2 << 20
    got = slow.seq(total)
    lost = of(got, "lost")
    told = sum(e["to"] - e["from"] + 1 for e in lost)
    assert lost and len(seqs(got)) + told == total - 2
    assert s.sync()["lost"] == told
    validate_lines(slow.raw, complete=False, whole=False)


def test_age_takes_events_from_disk_and_memory(serve, tmp_path):
    s = serve("--age", 1000)
    s.tell("start c c-0", "final c-0 1 1 hello")
    s.sync()
    state = s.until(first=4)
    assert state["next"] == 4
    end = time.monotonic() + 60
    while any(b"hello" in p.read_bytes() for p in journal.segments(tmp_path / "journal")):
        assert time.monotonic() < end
        time.sleep(0.05)
    c = s.client({"hello": 1, "from": "oldest"})
    s.tell("gap c-0")
    assert seqs(c.seq(4)) == [4]


def test_text_no_keeps_what_was_said_off_the_disk(serve, tmp_path):
    s = serve("--text", "no")
    c = s.client({"hello": 1})
    s.tell("start c c-0", 'final c-0 1 1 my secret "words"', "end c c-0")
    assert of(c.seq(5), "segment")[0]["text"] == 'my secret "words"'
    # from memory whole, as long as the daemon lives
    again = s.client({"hello": 1, "from": "oldest"})
    assert of(again.seq(5), "segment")[0]["text"] == 'my secret "words"'
    s.close()
    for path in (tmp_path / "journal").iterdir():
        assert b"secret" not in path.read_bytes()
    c = serve("--text", "no").client({"hello": 1, "from": "oldest"})
    segment, = of(c.seq(5), "segment")
    assert (segment["text"], segment["text_omitted"]) == ("", 17)
    assert segment["end_ms"] == 1000
    validate_lines(c.raw)


def test_no_directory_keeps_nothing_on_disk(tmp_path):
    with Server(tmp_path / "s", "--journal", "") as s:
        s.tell("start c c-0", "final c-0 1 1 one", "end c c-0")
        assert seqs(s.client({"hello": 1, "from": "oldest"}).seq(5)) == [1, 2, 3, 4, 5]
        assert list(tmp_path.iterdir()) == [tmp_path / "s"]


def test_who_comes_after_a_hundred_calls_gets_them_all(serve):
    s = serve("--size", 16384)
    for n in range(100):
        s.tell(f"start c{n} c{n}-0", f"final c{n}-0 1 1 hello", f"end c{n} c{n}-0")
    s.until(next=501)
    c = s.client({"hello": 1, "from": "oldest"})
    c.seq(500)
    events = validate_lines(c.raw)
    assert seqs(events) == list(range(1, 501)) and len(of(events, "call.end")) == 100


def test_files_are_for_the_daemon_alone(serve, tmp_path):
    s = serve()
    s.tell("start c c-0")
    s.sync()
    s.close()
    for path in [tmp_path / "journal", *(tmp_path / "journal").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_two_daemons_do_not_share_a_directory(serve, tmp_path):
    s = serve()
    with Server(tmp_path / "other", "--journal", tmp_path / "journal") as other:
        assert other.start["trouble"] < 0
        c = other.client({"hello": 1, "from": "oldest"})
        told = c.seq(1)[-1]
        assert (told["type"], told["reason"]) == ("daemon.journal", "degraded")
        assert "another daemon" in told["text"]
    s.tell("start c c-0")
    assert s.sync()["next"] == 3


# -- kill -9 at any time ----------------------------------------------------------------------


def load(server, rng, life):
    """Calls come, talk and go, some thousand events a second, until it is killed."""
    number, running = 0, []
    until = time.monotonic() + life
    while time.monotonic() < until:
        if len(running) < 5 or rng.random() < 0.2:
            number += 1
            call = f"k{server.process.pid}x{number}"
            running.append(call)
            server.tell(f"start {call} {call}-0")
        call = rng.choice(running)
        server.tell(f"burst {rng.randrange(1, 8)} {call}-0 {rng.choice((5, 300, 3000))}")
        if rng.random() < 0.2:
            running.remove(call)
            server.tell(f"end {call} {call}-0")
        time.sleep(0.0005)


def test_killed_at_any_time_nothing_that_was_told_is_lost(tmp_path, capsys):
    rng = random.Random(SEED)
    with capsys.disabled():
        print(f"\n  {KILLS} kills of the journal, KILL_SEED={SEED}")
    told = []
    for _ in range(KILLS):
        server = Server(tmp_path / "s", "--journal", tmp_path / "journal",
                        "--journal-size", 1 << 30)
        witness = Witness(server.path, rng)
        try:
            load(server, rng, rng.uniform(0.005, min(0.15, 6 / KILLS)))
        finally:
            kill(server)
        witness.join(60)
        told.append(witness.raw)
    with Server(tmp_path / "s", "--journal", tmp_path / "journal", "--journal-size",
                1 << 30) as server:
        witness = Witness(server.path, rng)
        last = server.client({"hello": 1, "from": "oldest"})
        last.seq(server.sync()["next"] - 1)
        assert last.hello["epoch"] == "0000000000000abc"
    witness.join(60)
    events = check([*told, witness.raw], last.raw, tmp_path / "journal")
    assert sum(map(len, told)) > 20 * KILLS, "there was no load"
    assert of(events, "call.end")[-1]["reason"] == "restart"
    shutil.rmtree(tmp_path / "journal")


# -- disks that fail --------------------------------------------------------------------------


def in_namespace(tmp_path, mount, *options):
    """A server whose journal is on a file system of its own -> (Server, its mounts' command)."""
    if os.geteuid():
        pytest.skip("only root can mount")
    where = tmp_path / "disk"
    where.mkdir()
    probe = subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none {where}"],
                           capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no mounts here: {probe.stderr.strip()}")
    s = Server(tmp_path / "s", "--journal", where / "journal", *options,
               wrap=["unshare", "-m", "sh", "-c", f"{mount}; exec \"$@\"", "sh"])

    def run(command):
        subprocess.run(["nsenter", "-t", str(s.process.pid), "-m", "sh", "-c", command],
                       check=True)
    return s, where, run


def test_a_full_disk_is_told_and_what_memory_holds_is_written_later(tmp_path):
    s, where, run = in_namespace(tmp_path, f"mount -t tmpfs -o size=600k none {tmp_path}/disk",
                                 "--journal-size", 2 << 20)
    with s:
        c = s.client({"hello": 1})
        s.tell("start c c-0")
        total = 2
        while not s.sync()["trouble"]:
            s.tell("burst 100 c-0 300")
            total += 100
        told = c.until(lambda e: e["type"] == "daemon.journal")[-1]
        assert told["reason"] == "degraded" and "No space left" in told["text"]
        s.tell("burst 100 c-0 300")
        run(f"mount -o remount,size=20m {where}")
        told = c.until(lambda e: e["type"] == "daemon.journal")[-1]
        assert (told["reason"], "text" in told) == ("restored", False)
        s.tell("end c c-0")
        c.seq(total + 100 + 2 + 2)
        validate_lines(c.raw)
        assert s.sync()["unwritten"] == 0
        late = s.client({"hello": 1, "from": "oldest"})
        late.seq(total + 100 + 2 + 2)
        assert numbered(late.raw) == numbered(c.raw)
        run(f"cp -r {where}/journal {tmp_path}/copy")
    assert [line for _, _, line in journal.read(tmp_path / "copy")] == \
        [line + b"\n" for line in numbered(c.raw)]


def test_what_memory_could_not_hold_is_lost_exactly(tmp_path):
    s, where, run = in_namespace(tmp_path, f"mount -t tmpfs -o size=600k none {tmp_path}/disk",
                                 "--journal-size", 2 << 20, "--size", 65536)
    with s:
        c = s.client({"hello": 1})
        s.tell("start c c-0")
        total = 2
        while not s.sync()["trouble"]:
            s.tell("burst 100 c-0 300")
            total += 100
            c.seq(total)
        s.tell("burst 1000 c-0 300")
        s.until(next=total + 1 + 1000 + 1)
        run(f"mount -o remount,size=20m {where}")
        told = c.until(lambda e: e["type"] == "daemon.journal" and e["reason"] == "restored")[-1]
        n = s.sync()["unwritten"]
        assert n > 500 and told["text"].startswith(f"{n} events were lost")
        late = s.client({"hello": 1, "from": "oldest"})
        got = late.seq(told["seq"])
        lost, = of(got, "lost")
        assert lost["to"] - lost["from"] + 1 == n
        assert seqs(got) == [*range(1, lost["from"]), *range(lost["to"] + 1, told["seq"] + 1)]


def test_a_read_only_disk(tmp_path):
    disk = tmp_path / "disk"
    s, where, run = in_namespace(
        tmp_path, f"mount -t tmpfs none {disk}; mkdir {disk}/journal; mount -o remount,ro {disk}")
    with s:
        c = s.client({"hello": 1, "from": "oldest"})
        told = c.seq(1)[-1]
        assert told["reason"] == "degraded" and "Read-only" in told["text"]
        s.tell("start c c-0")
        c.seq(3)
        run(f"mount -o remount,rw {where}")
        assert c.until(lambda e: e["type"] == "daemon.journal")[-1]["reason"] == "restored"
        s.tell("end c c-0")
        c.seq(6)
        run(f"cp -r {where}/journal {tmp_path}/copy")
    assert [seq for seq, *_ in journal.read(tmp_path / "copy")] == [1, 2, 3, 4, 5, 6]


def test_a_limit_on_files_is_like_a_full_disk(serve):
    import resource
    s = serve("--journal-size", 2 << 20)
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    c = s.client({"hello": 1})
    s.tell("start c c-0", "burst 2000 c-0 300")
    told = c.until(lambda e: e["type"] == "daemon.journal")[-1]
    assert (told["reason"], "too large" in told["text"]) == ("degraded", True)
    resource.prlimit(s.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert c.until(lambda e: e["type"] == "daemon.journal")[-1]["reason"] == "restored"
    s.tell("end c c-0")
    c.seq(2006)
    validate_lines(c.raw)
