"""trunkscribectl events and tail, against the daemon's event socket and a made-up daemon."""
import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from oracle.event_server import BUILD, PATIENCE, TOP, Server
from oracle.events import validate_lines
from test_oracle_events import event

CTL = str(TOP / BUILD / "trunkscribectl")


@pytest.fixture(scope="module", autouse=True)
def built():
    subprocess.run(["make", "-s", f"B={BUILD}", f"{BUILD}/trunkscribectl"], cwd=TOP, check=True)


def ctl(*arguments, **how):
    return subprocess.run([CTL, *map(str, arguments)], capture_output=True, timeout=PATIENCE,
                          text=True, **how)


class Running:
    """trunkscribectl with its output read line by line."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([CTL, *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)
        self.bytes = b""

    def line(self):
        while b"\n" not in self.bytes:
            assert select.select([self.process.stdout], [], [], PATIENCE)[0], "no line"
            got = os.read(self.process.stdout.fileno(), 65536)
            assert got, "it ended"
            self.bytes += got
        line, self.bytes = self.bytes.split(b"\n", 1)
        return line + b"\n"

    def end(self, with_signal=None):
        if with_signal:
            self.process.send_signal(with_signal)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, self.bytes + out, err.decode()


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "events.sock") as s:
        yield s


@pytest.mark.parametrize("arguments,says", [
    ([], "which command"), (["nonsense"], "no such command: nonsense"),
    (["calls", "x"], "too many: x"), (["status", "x"], "too many: x"), (["call"], "name it: call"),
    (["hangup", "a/b"], "no call's id"), (["metrics", "--cancel"], "--cancel is for drain"),
    (["status", "--cancel"], "--cancel is for drain"), (["tail", "--json"], "--json is not for"),
    (["drain", "--name", "x"], "are for events"), (["events", "x"], "too many: x"),
    (["tail", "a", "b"], "many: b"),
    (["tail", "a/b"], "no call's id"), (["tail", "--name", "x"], "--name is for events"),
    (["events", "--once"], "--once is for tail"), (["events", "--name", "a b"], "--name"),
    (["events", "--from", "resume"], "needs --name"), (["events", "--from", "then"], "--from"),
    (["events", "--from", "ab:1"], "--from"), (["--colour"], "usage:"),
    (["events", "-s"], "usage:"),
])
def test_wrong_usage_is_64_with_help(arguments, says):
    p = ctl(*arguments)
    assert p.returncode == 64 and says in p.stderr and not p.stdout


def test_help_and_version():
    assert ctl("--help").returncode == 0 and "usage:" in ctl("--help").stdout
    assert ctl("--version").stdout.startswith("trunkscribectl 0.")


@pytest.mark.parametrize("command", ["events", "tail", "status", "drain", "calls",
                                     "metrics"])
def test_no_daemon(tmp_path, command):
    p = ctl(command, "-s", tmp_path / "none")
    assert p.returncode == 2 and "is trunkscribed running" in p.stderr
    p = ctl(command, "-s", "/" + "x" * 200)
    assert p.returncode == 2 and "too long" in p.stderr


def test_events_prints_each_line_as_it_comes(server):
    server.tell("start c c-0", "final c-0 1 1 one")
    server.sync()
    r = Running("-s", server.path, "events", "--from", "oldest")
    lines = [r.line() for _ in range(4)]  # hello, call.start, leg.start, segment
    server.tell("partial c-0 2 1 tw")
    lines.append(r.line())
    server.tell("end c c-0")
    lines += [r.line(), r.line()]
    server.finish()
    code, rest, err = r.end()
    assert code == 2 and "closed the connection" in err and "goodbye: shutdown" in err
    validate_lines(lines + rest.splitlines(), whole=False)
    assert [json.loads(x)["type"] for x in lines] == [
        "hello", "call.start", "leg.start", "segment", "segment", "leg.end", "call.end"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["events", "tail"])
def test_asked_to_end_it_ends_well(server, command, how):
    server.tell("start c c-0")
    server.sync()
    r = Running(command, "--from", "oldest", "-s", server.path)
    r.line()
    assert r.end(how)[0] == 0
    server.until(connected=0)


def test_a_named_one_that_is_killed_misses_nothing(server):
    """However often, wherever; only whole lines count as had."""
    server.tell("start c c-0", "burst 2998 c-0 100")
    server.sync()
    had = {}
    for round_ in range(12):
        r = Running("events", "--name", "crm", "-s", server.path)
        for _ in range(250 if len(had) < 2700 else 10):
            line = r.line()
            e = json.loads(line)
            if "seq" in e:
                had[e["seq"]] = line
        # what it printed and acknowledged after that is in the pipe, as it would be in a file
        _, rest, _ = r.end(signal.SIGKILL if round_ < 11 else signal.SIGINT)
        for line in rest.split(b"\n")[:-1]:
            e = json.loads(line)
            if "seq" in e:
                had[e["seq"]] = line
        server.until(connected=0)
        if len(had) == 3000:
            break
    assert sorted(had) == list(range(1, len(had) + 1)) and len(had) >= 1000


def test_a_second_with_the_name_sends_the_first_away(server):
    first = Running("events", "--name", "crm", "-s", server.path)
    first.line()
    server.tell("start c c-0")
    first.line(), first.line()
    second = Running("events", "--name", "crm", "-s", server.path)
    code, _, err = first.end()
    assert code == 2 and "replaced" in err
    second.end(signal.SIGINT)


def test_tail_ends_with_the_first_call_when_asked(server):
    r = Running("tail", "--once", "--from", "oldest", "-s", server.path)
    server.tell("start c c-0", "final c-0 1 1 hello", "end c c-0", "start d d-0")
    code, out, err = r.end()
    assert code == 0 and not err
    assert out.decode().splitlines() == [
        "call c", "  time  caller", "  0:00  hello", "call c ended: bye, 0:00"]


def test_tail_of_one_call_tells_all_of_it(server):
    server.tell("start c c-0", "start d d-0", "final c-0 1 1 mine", "final d-0 1 1 other",
                "end c c-0")
    server.sync()
    p = ctl("tail", "c", "-s", server.path)
    assert p.returncode == 0 and "mine" in p.stdout
    assert "other" not in p.stdout and "call d" not in p.stdout


# -- what tail makes of lines, from a daemon that says what we like ---------------------------


def leg(of, seq, name, role, **fields):
    return event(of, seq, call="c", leg=name, role=role, **fields)


def final(seq, name, role, start_ms, text, segment=1, **fields):
    return leg("segment", seq, name, role, **{
        "segment": segment, "rev": 1, "state": "final", "text": text, "start_ms": start_ms,
        "end_ms": start_ms + 500, **fields})


TALK = [
    event("call.start", 1, call="c", source="replay", **{"from": "alice", "to": "bob"}),
    leg("leg.start", 2, "c-0", "caller"), leg("leg.start", 3, "c-1", "agent"),
    leg("leg.media", 4, "c-0", "caller", at=event("x")["ts"], offset_ms=0,
        rtp={"ssrc": 1, "src": "192.0.2.1:1", "dst": "192.0.2.2:2"}),
    leg("leg.media", 5, "c-1", "agent", at=event("x")["ts"], offset_ms=2000,
        rtp={"ssrc": 1, "src": "192.0.2.2:2", "dst": "192.0.2.1:1"}),
    leg("leg.state", 6, "c-0", "caller", asr_state="streaming"),
    final(7, "c-0", "caller", 1000, "hello, who is there?"),
    final(8, "c-1", "agent", 1000, "this is the bank, how may I help you on this fine day?"),
    final(9, "c-0", "caller", 61000, "this is the bank, how may I help you on this fine day?", 2),
    leg("gap", 10, "c-0", "caller", start_ms=62000, end_ms=64040, cause="rtp_loss"),
    leg("gap", 11, "c-0", "caller", start_ms=65000, end_ms=65020, cause="rtp_loss"),
    leg("leg.state", 12, "c-1", "agent", asr_state="failed", reason="auth", code=401,
        text="the key was refused"),
    final(13, "c-0", "caller", 1000, "hello, who is this?", rev=2),
    leg("segment", 14, "c-0", "caller", segment=2, rev=2, state="retracted"),
    leg("segment", 15, "c-0", "caller", segment=9, rev=1, state="retracted"),
    event("call.end", 16, call="c", reason="bye", duration_ms=70000, legs=2),
]
SHOWN = """\
call c  alice -> bob
  time  caller                               agent
  0:01  hello, who is there?
  0:03                                       this is the bank, how may I help
                                             you on this fine day?
  1:01  this is the bank, how may I help
        you on this fine day?
  1:02  [2.0 s not heard: rtp_loss]
        [agent: transcription failed, auth: the key was refused]
  0:01  [corrected] hello, who is this?
  0:00  [that was withdrawn]
call c ended: bye, 1:10
"""


@pytest.fixture
def daemon(tmp_path):
    """daemon(lines) -> path: says hello and these, then closes."""
    path, listener = str(tmp_path / "made-up.sock"), socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    threads = []

    def start(lines):
        def serve():
            connection = listener.accept()[0]
            connection.sendall(b"".join(
                x if isinstance(x, bytes) else json.dumps(x).encode() + b"\n" for x in lines))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
            connection.close()
        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return path

    yield start
    listener.close()
    for t in threads:
        t.join(PATIENCE)


def test_tail_sets_the_parties_side_by_side(daemon):
    p = ctl("tail", "--once", "-s", daemon(TALK))
    assert p.returncode == 0 and not p.stderr
    assert p.stdout == SHOWN


def test_tail_names_the_parties_of_a_recording(daemon):
    people = [{"role": "agent", "aor": "sip:2001@pbx"}, {"role": "caller", "aor": "sip:1@x",
                                                         "name": "Alice"}]
    p = ctl("tail", "--once", "-s", daemon([
        event("call.start", 1, call="c", source="siprec", participants=people,
              **{"from": "src", "to": "srs"}),
        leg("leg.start", 2, "c-0", "unknown"),
        leg("leg.update", 3, "c-0", "agent", role_source="participants"),
        final(4, "c-0", "agent", 1000, "hello"),
        event("call.end", 5, call="c", reason="bye", duration_ms=2000, legs=1)]))
    assert p.stdout.splitlines()[0] == "call c  Alice -> sip:2001@pbx"
    assert p.stdout.splitlines()[1].split() == ["time", "agent"]


def test_tail_says_when_the_daemon_goes(daemon):
    p = ctl("tail", "-s", daemon(TALK))
    assert p.returncode == 2 and p.stdout == SHOWN and "closed the connection" in p.stderr


def on_terminal(daemon, lines, columns, **environment):
    """What a terminal of so many columns gets to see."""
    try:
        master, slave = pty.openpty()
    except OSError as e:
        pytest.skip(f"no pseudo-terminal to be had ({e}): is /dev/pts mounted?")
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    p = subprocess.Popen([CTL, "tail", "--once", "-s", daemon(lines)], stdout=slave,
                         env={"TERM": "xterm", **environment})
    os.close(slave)
    text, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            got = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not got:
            break
        text += got
    os.close(master)
    assert p.wait(PATIENCE) == 0
    return text.decode()


def plain(text):
    for code in ("0", "1", "2", "33", "36"):
        text = text.replace(f"\x1b[{code}m", "")
    return text


def test_colours_only_where_they_are_wanted(daemon):
    text = on_terminal(daemon, TALK, 80)
    assert "\x1b[36mhello, who is there?\x1b[0m" in text
    assert "\x1b[33mthis is the bank" in text
    assert "\x1b[2m[2.0 s not heard: rtp_loss]\x1b[0m" in text
    assert plain(text) == SHOWN
    assert on_terminal(daemon, TALK, 80, NO_COLOR="1") == SHOWN
    assert on_terminal(daemon, TALK, 80, TERM="dumb") == SHOWN
    assert "\x1b[36m" in on_terminal(daemon, TALK, 80, NO_COLOR="")


@pytest.mark.parametrize("columns", [20, 40, 59, 60, 79, 80, 81, 132])
def test_no_line_is_wider_than_the_terminal(daemon, columns):
    long = final(7, "c-0", "caller", 1000, "x" * 300 + " and " + "y" * 100)
    text = on_terminal(daemon, TALK[:6] + [long] + TALK[7:], columns, NO_COLOR="1")
    assert max(map(len, text.splitlines())) <= columns
    assert text.count("x") >= 300 and text.count("y") >= 100


def test_narrow_terminals_get_one_column_with_names(daemon):
    text = on_terminal(daemon, TALK, 40, NO_COLOR="1")
    assert "  0:01  caller: hello, who is there?\n" in text
    assert "  0:03  agent: this is the bank, how may\n        I help you" in text


@pytest.mark.parametrize("text,shown", [
    ("a\x1b[2Jb\x07c", "a[2Jbc"), ("one\ntwo\r\n  three\tfour", "one two three four"),
    ("\x9b31mred", "31mred"), ("\u202egnirts", "gnirts"), ("नमस्ते आप", "नमस्ते आप"),
    ("漢字" * 20, "\n        ".join(("漢字" * 20)[i:i + 17] for i in (0, 17, 34))),
])
def test_foreign_text_keeps_its_place(daemon, text, shown):
    lines = TALK[:6] + [final(7, "c-0", "caller", 0, text)] + TALK[-1:]
    p = ctl("tail", "--once", "-s", daemon(lines))
    want = SHOWN.splitlines()
    assert p.stdout == f"{want[0]}\n{want[1]}\n  0:00  {shown}\n{want[-1]}\n"


def test_names_of_the_parties_are_foreign_too(daemon):
    start = dict(TALK[0], **{"from": "\x1b]0;owned\x07x" * 20})
    text = on_terminal(daemon, [start] + TALK[1:], 80, NO_COLOR="1")
    assert "\x1b" not in text and "\x07" not in text and max(map(len, text.splitlines())) <= 80


def test_roles_that_are_not_known_take_the_columns_in_turn(daemon):
    lines = [TALK[0], *(leg("leg.start", 2 + k, f"c-{k}", "unknown") for k in range(2)),
             final(4, "c-0", "unknown", 0, "left"), final(5, "c-1", "unknown", 0, "right"),
             TALK[-1]]
    out = ctl("tail", "--once", "-s", daemon(lines)).stdout.splitlines()
    assert out[2:4] == ["  0:00  left", "  0:00" + " " * 39 + "right"]


def test_what_makes_no_sense_does_no_harm(daemon):
    junk = [b"nonsense\n", b"[]\n", b"\n", b"\xff\xfe\n", {"type": "segment"},
            {"call": 7, "type": 7},
            {"call": "c", "leg": "x", "type": "segment", "state": "final", "text": 5},
            {"call": "c" * 500, "leg": "x" * 500, "role": "r" * 500, "type": "leg.start"},
            event("lost", **{"from": 5, "to": 9}), event("error", error="mind this")]
    p = ctl("tail", "-s", daemon(junk))
    assert p.returncode == 2
    assert "[5 events were lost" in p.stdout and "mind this" in p.stdout
