"""callgen under test, and what its report promises a receiver."""
import json
import subprocess
import zlib

from simulator import BUILD

TIMEOUT_S = 300


class Report:
    """What it said it sent: `legs` by (call, number), and the total."""

    def __init__(self, text):
        lines = [json.loads(line) for line in text.splitlines()]
        self.total = lines.pop()["total"]
        self.lines = lines
        self.legs = {(x["call"], x["leg"]): x for x in lines}
        assert len(self.legs) == len(lines)


def callgen(*options, code=0):
    """Run it to its end."""
    done = subprocess.run([BUILD / "callgen", *map(str, options)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == code, (done.returncode, done.stderr, done.stdout[-2000:])
    report = Report(done.stdout) if done.stdout else None
    if report and code == 0:
        assert report.total["refused"] == 0, report.total
    return report


def tiles(leg):
    """Every span, in order: (start, end, kind, crc).  They are one whole."""
    spans = sorted([(s, e, "heard", int(crc, 16)) for s, e, crc in leg["heard"]] +
                   [(s, e, kind, None) for kind in ("lost", "silent") for s, e in leg[kind]])
    at = 0
    for start, end, _, _ in spans:
        assert start == at < end
        at = end
    assert at == leg["samples"]["all"]
    return spans


def crc(pcm, start, end):
    return zlib.crc32(pcm[2 * start:2 * end])


def check_heard(leg, pcm):
    """Every sample that was heard stands in `pcm` (bytes) where it must, in a leg without breaks;
    behind its end there may be a part of a chunk of silence."""
    spans = tiles(leg)
    assert leg["complete"] and "breaks" not in leg
    n = leg["samples"]["all"]
    assert n <= len(pcm) // 2 < n + 8000, (n, len(pcm) // 2)
    assert not any(pcm[2 * n:])
    wrong = [(s, e) for s, e, kind, want in spans if kind == "heard" and crc(pcm, s, e) != want]
    assert not wrong, f"{len(wrong)} of {len(spans)} spans differ, the first: {wrong[0]}"
    heard = b"".join(pcm[2 * s:2 * e] for s, e, kind, _ in spans if kind == "heard")
    assert f"{zlib.crc32(heard):08x}" == leg["crc32"]


def dumps(daemon, sim):
    """{leg's name: PCM}: the ASR's session says whose connection it was."""
    lines = [json.loads(x) for x in daemon.lines]
    sessions = {e["asr"]["session"][1:]: e["leg"] for e in lines if e["type"] == "segment"}
    return {sessions[r["config"]["transaction_id"][1:]]: sim.dump(r["connection"])
            for r in sim.report}
