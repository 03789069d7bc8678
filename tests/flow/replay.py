"""trunkscribed --replay under test: run it, check every event line, read its WAVs."""
import array
import pathlib
import subprocess
import wave

from oracle import events as oracle_events
from simulator import BUILD, TOP

CAPTURES = (TOP / "tests/data/captures", TOP.parent / "shared/captures")
TIMEOUT_S = 120


def capture(name):
    """Path of a capture, or None: it is on this machine or not."""
    return next((d / name for d in CAPTURES if (d / name).exists()), None)


class Leg:
    """One leg's events, by type."""

    def __init__(self, name, events):
        self.name = name
        self.events = [e for e in events if e.get("leg") == name]
        self.start = self.all("leg.start")[0]
        self.end = self.all("leg.end")[0]
        self.call = self.start["call"]
        self.role = self.start["role"]
        rtp = self.start.get("rtp", {})
        self.src, self.dst = rtp.get("src"), rtp.get("dst")

    def all(self, kind, **fields):
        return [e for e in self.events if e["type"] == kind
                and all(e.get(k) == v for k, v in fields.items())]

    @property
    def finals(self):
        return self.all("segment", state="final")

    @property
    def samples(self):
        return self.end["audio"]["samples"]


class Replayed:
    """What a run left behind.  Its events are checked lines, nothing else was on stdout."""

    def __init__(self, done, directory):
        self.code, self.stderr, self.text = done.returncode, done.stderr, done.stdout
        assert self.text == b"" or self.text.endswith(b"\n")
        self.lines = self.text.splitlines()
        self.events = oracle_events.validate_lines(self.lines)
        self.legs = [Leg(e["leg"], self.events) for e in self.events if e["type"] == "leg.start"]
        self.calls = [e for e in self.events if e["type"] == "call.start"]
        self.directory = directory

    def wav(self, leg):
        return read_wav(self.directory / f"{leg.name}.wav")

    @property
    def wavs(self):
        return sorted(p.name for p in self.directory.iterdir())


def read_wav(path):
    with wave.open(str(path), "rb") as w:
        assert (w.getnchannels(), w.getsampwidth(), w.getframerate()) == (1, 2, 8000)
        return array.array("h", w.readframes(w.getnframes()))


def replay(path, directory, *options, config=None, speed="max", code=0, env=None):
    """Run it; `code` is the exit code it must have (None: any)."""
    directory = pathlib.Path(directory)
    wavs = directory / "wav"
    wavs.mkdir(parents=True, exist_ok=True)
    command = [BUILD / "trunkscribed", "--replay", path, "--speed", speed, "--events", "-",
               "--wav", wavs, *options]
    if config is not None:
        file = directory / "trunkscribe.conf"
        file.write_text(config)
        command += ["-c", file]
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                          check=False, env=env)
    done.stderr = done.stderr.decode()
    assert code is None or done.returncode == code, \
        f"exit {done.returncode}, not {code}: {done.stderr}"
    return Replayed(done, wavs)


def differs(got, want, free=()):
    """Where samples are not as they must be, outside the free spans; None: nowhere.

    As text: the first place, and how many there are.
    """
    if len(got) != len(want):
        return f"{len(got)} samples, not {len(want)}"
    got, want = array.array("h", got), array.array("h", want)
    for start, end in free:
        got[start:end] = want[start:end]
    if got == want:
        return None
    wrong = [i for i, (a, b) in enumerate(zip(got, want)) if a != b]
    i = wrong[0]
    return (f"{len(wrong)} of {len(want)} samples, the first at {i} ({i / 8000:.3f} s): "
            f"{list(got[i:i + 4])}, not {list(want[i:i + 4])}")
