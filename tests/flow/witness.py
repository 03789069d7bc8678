"""A subscriber that a journal must satisfy, whatever happens to the daemon."""
import random
import threading

from oracle import journal
from oracle.event_server import Client
from oracle.events import parse_line, validate_lines


def numbered(raw):
    return [x for x in raw if b'"seq"' in x]


class Witness(threading.Thread):
    """Reads, acknowledges now and then, until the daemon is gone; .raw are its lines."""

    def __init__(self, path, rng):
        super().__init__(daemon=True)
        self.client = Client(str(path), {"hello": 1, "name": "witness", "ack": True})
        self.rng, self.raw = random.Random(rng.random()), self.client.raw
        self.start()

    def run(self):
        try:
            while (e := self.client.line()) is not None:
                if "seq" in e and self.rng.random() < 0.1:
                    self.client.say({"ack": e["seq"]})
        except (OSError, AssertionError):
            pass  # it died, perhaps within a line


def check(witnessed, kept, directory):
    """`witnessed`: the raw lines of each life; `kept`: those from the oldest on, in the end.

    Nothing that was told is lost, no number is for two events, none is out of order, every call
    is closed once; and the files are these events.  -> the events
    """
    events = validate_lines(kept)
    lines = {parse_line(x)["seq"]: x for x in numbered(kept)}
    assert list(lines) == list(range(1, len(lines) + 1))
    for raw in map(numbered, witnessed):
        numbers = [parse_line(x)["seq"] for x in raw]
        if raw:
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        wrong = [k for k, x in zip(numbers, raw) if lines.get(k) != x]
        assert not wrong, f"told once, and another or lost now: {wrong[:5]}"
    ends = [e["call"] for e in events if e["type"] == "call.end"]
    starts = [e["call"] for e in events if e["type"] == "call.start"]
    assert sorted(ends) == sorted(starts) == sorted(set(starts))
    assert [line + b"\n" for line in lines.values()] == \
        [line for _, _, line in journal.read(directory)]
    return events
