"""tests/tools/event_server and clients of its socket, for the tests of the protocol."""
import functools
import json
import os
import pathlib
import select
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = os.environ.get("B", "build")
PATIENCE = 20  # seconds until a test gives up; nothing is ever timed against it


@functools.cache
def program():
    target = f"{BUILD}/tests/tools/event_server"
    subprocess.run(["make", "-s", f"B={BUILD}", target], cwd=TOP, check=True)
    return TOP / target


class Server:
    """One daemon's journal and socket; told what happens by commands."""

    def __init__(self, path, *options, wrap=(), **how):
        self.path = str(path)
        self.process = subprocess.Popen([*wrap, program(), self.path, *map(str, options)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0, **how)
        self.clients = []
        self.out = b""
        self.start = self.answer()

    def tell(self, *commands):
        self.process.stdin.write("".join(c + "\n" for c in commands).encode())

    def answer(self):
        while b"\n" not in self.out:
            if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
                raise AssertionError("the server does not answer")
            got = os.read(self.process.stdout.fileno(), 4096)
            if not got:
                self.process.wait(PATIENCE)
                raise AssertionError(f"the server ended: {self.process.stderr.read().decode()}")
            self.out += got
        line, self.out = self.out.split(b"\n", 1)
        return json.loads(line)

    def sync(self):
        """All that was told has happened; where it stands."""
        self.tell("sync")
        return self.answer()

    def until(self, **wanted):
        """Ask until it stands as wanted."""
        end = time.monotonic() + PATIENCE
        while True:
            now = self.sync()
            if all(now[k] == v for k, v in wanted.items()):
                return now
            assert time.monotonic() < end, f"{now}, not {wanted}"
            time.sleep(0.01)

    def client(self, choice=None, **how):
        c = Client(self.path, choice, **how)
        self.clients.append(c)
        return c

    def memory(self):
        """Resident [bytes]."""
        text = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def finish(self):
        """End of input."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(PATIENCE)

    def close(self):
        """Everything must close in order, or the exit code says so."""
        if self.process.stdout.closed:
            return
        self.finish()
        for c in self.clients:
            c.close()
        errors = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        assert self.process.returncode == 0, errors

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                stream.close()
            for c in self.clients:
                c.close()
        else:
            self.close()


class Client:
    """A subscriber that is as good or bad as the test wants it."""

    def __init__(self, path, choice=None, receive_buffer=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.bytes = b""
        self.raw = []
        if choice is not None:
            self.say(choice)
        self.hello = self.line()

    def say(self, what):
        self.socket.sendall((json.dumps(what) if isinstance(what, dict) else what).encode("latin-1")
                            + b"\n")

    def line(self):
        """The next line as an object; None: the server closed."""
        while b"\n" not in self.bytes:
            got = self.socket.recv(65536)
            if not got:
                assert not self.bytes, f"half a line: {self.bytes[:200]}"
                return None
            self.bytes += got
        line, self.bytes = self.bytes.split(b"\n", 1)
        self.raw.append(line)
        return json.loads(line)

    def until(self, true):
        """Lines up to the first for which it is true, that one included."""
        lines, end = [], time.monotonic() + PATIENCE
        while True:
            lines.append(self.line())
            assert time.monotonic() < end, f"it does not come; the last were {lines[-3:]}"
            assert lines[-1] is not None, f"closed after {lines[-3:-1]}"
            if true(lines[-1]):
                return lines

    def seq(self, number):
        """Lines up to this event."""
        return self.until(lambda e: e.get("seq") == number)

    def rest(self):
        """All until the server closes."""
        lines = []
        while True:
            try:
                line = self.line()
            except ConnectionResetError:  # we had unread input of the server's
                line = None
            if line is None:
                return lines
            lines.append(line)

    def close(self):
        self.socket.close()
