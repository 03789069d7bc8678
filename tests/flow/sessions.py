"""A leg's audio against what an asr-sim received of it: every sample, every time."""
import array
import collections
import re
import zlib

from simulator import MODEL, Simulator

HOLE_LEAST = 160
HOLE_MAX = 40_000   # of one hole, as silence to an ASR [samples]: issue 2, item 3

# One run of samples on a connection: [at, at + n) of it are [leg, leg + n) of the leg, or, kind
# "inserted", silence that stands at `leg`.
Run = collections.namedtuple("Run", "at leg n kind")


def asr_config(sim, key, url=None, more="", name="sim"):
    """A configuration that sends every leg to this simulator; `key` is a file of mode 0600."""
    return (f'asr "{name}" {{ vendor = "bodhi" url = "{url or sim.url()}" '
            f'api-key-file = "{key}" model = "{MODEL}" {more} }}\nroute {{ asr = "{name}" }}\n')


def key_file(directory, key="k1"):
    path = directory / "key"
    path.write_text(key + "\n")
    path.chmod(0o600)
    return path


def long_holes(timeline, inserted=()):
    """[(start, end)] of what no ASR is sent: the rest of holes over 5 s.

    A hole is what lies between two audio packets, lost or not.  Silence that was inserted where
    it begins has gone before, and counts; 20 ms of it go in any case.
    """
    holes = []
    for start, end in sorted(timeline.loss + timeline.silence):
        if holes and holes[-1][1] == start:
            holes[-1][1] = end
        else:
            holes.append([start, end])
    before = collections.Counter()
    for at, n in inserted:
        before[at] += n
    cut = [(start + max(HOLE_LEAST, HOLE_MAX - before[start]), end) for start, end in holes]
    return [(start, end) for start, end in cut if start < end]


def expected(wav, skips, inserted, start=0, end=None):
    """What one connection must get: (samples, [Run])."""
    pcm, runs, at = array.array("h"), [], start
    end = len(wav) if end is None else end
    marks = sorted([(s, 1, e) for s, e in skips] + [(p, 0, n) for p, n in inserted])
    for place, kind, value in marks + [(end, 2, 0)]:
        if place > at:
            runs.append(Run(len(pcm), at, place - at, "leg"))
            pcm.extend(wav[at:place])
            at = place
        if kind == 0:
            runs.append(Run(len(pcm), at, value, "inserted"))
            pcm.extend([0] * value)
        elif kind == 1:
            at = value
    return pcm, runs


def leg_start(runs, at):
    """Leg position of something that begins at `at` on the connection."""
    for run in runs:
        if run.at <= at < run.at + run.n:
            return run.leg + (at - run.at if run.kind == "leg" else 0)
    return runs[-1].leg + (runs[-1].n if runs[-1].kind == "leg" else 0)


def leg_end(runs, at):
    """... that ends at `at`: before a skip, not behind it."""
    if at == 0:
        return runs[0].leg
    for run in runs:
        if run.at < at <= run.at + run.n:
            return run.leg + (at - run.at if run.kind == "leg" else 0)
    raise AssertionError(f"{at} is behind the connection's end")


NAMED = re.compile(r"pcm8000 (\d+)-(\d+) crc32 ([0-9a-f]{8})")


def named(text):
    """The simulator's own account of a final: first, behind the last, crc."""
    first, last, crc = NAMED.fullmatch(text).groups()
    return int(first), int(last) + 1, int(crc, 16)


def check_final(event, pcm, runs):
    """One final: its CRC over what was received, its times to 1 ms."""
    first, end, crc = named(event["text"])
    assert crc == zlib.crc32(pcm[2 * first:2 * end]), event["text"]
    start_ms, end_ms = leg_start(runs, first) / 8, leg_end(runs, end) / 8
    assert abs(event["start_ms"] - start_ms) <= 1, (event["text"], start_ms, event["start_ms"])
    assert abs(event["end_ms"] - end_ms) <= 1, (event["text"], end_ms, event["end_ms"])
    before = event["start_ms"]
    for word in event.get("words", ()):
        assert before <= word["start_ms"] <= word["end_ms"] <= event["end_ms"]
        before = word["start_ms"]
    return first, end


def connections_of(leg, sim):
    """Report lines of a leg's connections, in order.

    asr-sim makes its session id of the transaction id, all but the first digit.
    """
    sessions = {}
    for e in leg.all("segment"):
        sessions.setdefault(e["asr"]["session"][1:], e["asr"]["connection"])
    mine = [r for r in sim.report if r["config"]["transaction_id"][1:] in sessions]
    return sorted(mine, key=lambda r: r["connection"])


def inserted_of(leg, connection=1):
    return [(i["at_samples"], i["samples"]) for i in leg.end["asr"].get("inserted", ())
            if i["connection"] == connection]


__all__ = ["Simulator", "asr_config", "check_final", "connections_of", "expected", "inserted_of",
           "key_file", "leg_end", "leg_start", "long_holes", "named"]
