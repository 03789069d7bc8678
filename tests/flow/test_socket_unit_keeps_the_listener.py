"""A socket that systemd listens on: who connects while the daemon is away waits for it.

What systemd does (sd_listen_fds(3)) is done by the test: a listening socket as descriptor 3,
LISTEN_FDS and LISTEN_PID.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

from oracle.event_server import Client, Server

SYSTEMD = pathlib.Path(__file__).resolve().parents[2] / "systemd"


class Unit:
    """The socket unit: listens as long as the block lasts."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def start(self, *options, path=None, pid="$$"):
        fd = self.listener.fileno()
        return Server(path or self.path, *options, pass_fds=(fd,), wrap=[
            "bash", "-c", f'LISTEN_FDS=1 LISTEN_PID={pid} exec "$@" 3<&{fd}', "sh"])


def early(path):
    """Connect and choose, not waiting for an answer."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(path))
    s.sendall(b'{"hello":1,"from":"oldest"}\n')
    return s


def adopt(s):
    c = Client.__new__(Client)
    s.settimeout(60)
    c.socket, c.bytes, c.raw = s, b"", []
    return c


def test_who_connects_before_during_and_between_is_served(tmp_path):
    path, directory = tmp_path / "events.sock", tmp_path / "journal"
    with Unit(path) as unit:
        os.chmod(path, 0o606)
        before = early(path)
        server = unit.start("--journal", directory, "--mode", 640)
        server.tell("start c c-0", "end c c-0")
        assert [e.get("seq") for e in adopt(before).seq(4)][-4:] == [1, 2, 3, 4]
        # as the unit made it
        assert path.stat().st_mode & 0o777 == 0o606
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        between = early(path)
        server = unit.start("--journal", directory)
        assert [e.get("seq") for e in adopt(between).seq(4)][-4:] == [1, 2, 3, 4]
        server.close()
        assert path.exists()  # it is not ours to remove
        after = early(path)
        with unit.start("--journal", directory) as server:
            assert [e.get("seq") for e in adopt(after).seq(4)][-4:] == [1, 2, 3, 4]


@pytest.mark.parametrize("what", ["of another path", "for another process"])
def test_what_was_not_handed_to_us_is_left_alone(tmp_path, what):
    with Unit(tmp_path / "other.sock") as unit:
        path = tmp_path / "events.sock"
        pid = "1" if "process" in what else "$$"
        if "process" in what:
            path = tmp_path / "mine.sock"
        with unit.start(path=path, pid=pid) as server:
            assert server.client().hello["type"] == "hello"
        assert not path.exists() and (tmp_path / "other.sock").exists()


def test_the_units_are_well_formed(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    for name in ("trunkscribed.service", "trunkscribed.socket"):
        text = (SYSTEMD / name).read_text().replace("@PREFIX@/bin/trunkscribed", "/bin/true")
        (tmp_path / name).write_text(text.replace("@PREFIX@", "/usr"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no",
                           tmp_path / "trunkscribed.socket"], capture_output=True, text=True,
                          check=False)
    said = [x for x in done.stderr.splitlines() if "trunkscribed" in x]
    assert done.returncode == 0 and not said, done.stderr
