"""trunkscribed as a service, with any configuration."""
import json
import signal
import socket
import subprocess

from oracle import events as oracle_events
from service import Control
from simulator import BUILD

WAIT_S = 60


class Service:
    """Runs while the block lasts; .lines are its events as they came."""

    def __init__(self, directory, config):
        self.events = directory / "events.sock"
        self.control_path = directory / "control.sock"
        self.file = directory / "trunkscribe.conf"
        if "events {" not in config:
            config = f'events {{ socket = "{self.events}" group = "" }}\n{config}'
        if "journal {" not in config:
            config = f'journal {{ directory = "" }}\n{config}'
        self.file.write_text(f'control {{ socket = "{self.control_path}" drain-timeout = "0s" }}\n'
                             f'{config}')
        self.stderr_path = directory / "stderr"
        self.stopped = False

    def __enter__(self):
        self.process = subprocess.Popen(
            [BUILD / "trunkscribed", "-c", self.file, "--log", "info"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        with open(self.stderr_path, "w", encoding="utf-8") as f:
            for line in self.process.stderr:
                f.write(line)
                if "ready" in line:
                    break
            else:
                f.flush()
                raise AssertionError(self.stderr_path.read_text())
        self.subscriber = socket.socket(socket.AF_UNIX)
        self.subscriber.settimeout(WAIT_S)
        self.subscriber.connect(str(self.events))
        self.subscriber.sendall(b'{"hello":1,"from":"oldest"}\n')
        self.reader, self.lines = self.subscriber.makefile("rb"), []
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is not None:
            self.process.kill()
        self.stderr = self.stderr_path.read_text() + self.process.communicate(timeout=WAIT_S)[1]
        self.stderr_path.write_text(self.stderr)
        if kind is None:
            assert self.process.returncode == 0, self.stderr

    def control(self):
        return Control(self.control_path)

    def stop(self):
        """Once: a second SIGTERM would end it at once."""
        if not self.stopped and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.stopped = True

    def until(self, kind, times=1):
        """Reads on until so many more events of this type came; -> the last one."""
        for line in self.reader:
            self.lines.append(line.rstrip(b"\n"))
            event = json.loads(line)
            times -= event["type"] == kind
            if times == 0:
                return event
        raise AssertionError(f"the events end without {kind}: {self.lines[-3:]}")

    def of(self, kind):
        return [e for e in map(json.loads, self.lines) if e["type"] == kind]

    def valid(self):
        oracle_events.validate_lines(self.lines, complete=False, conflated=True)
