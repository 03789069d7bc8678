"""What became of every sample of a leg: worked out from what was published alone.

A final of asr-sim names the samples of its connection and their CRC-32; the leg's audio is
known, so the CRC tells where on the leg the connection began, whatever the daemon says.
"""
import collections
import re
import zlib

NAMED = re.compile(r"pcm(\d+) (\d+)-(\d+) crc32 ([0-9a-f]{8})")
TOLERANCE = 8   # of what is told in milliseconds [samples]
CHUNK = 8000    # longest that a last chunk may be filled up by [samples]

Piece = collections.namedtuple("Piece", "start end event")


def first_finals(leg):
    """The last revision of each segment that was final, in the order in which they became so."""
    latest = {}
    for e in leg.all("segment"):
        if e["state"] == "final":
            if e["segment"] in latest:
                latest[e["segment"]][1] = e
            else:
                latest[e["segment"]] = [len(latest), e]
        elif e["segment"] in latest:
            raise AssertionError(f"segment {e['segment']} was final, now {e['state']}")
    return [e for _, e in sorted(latest.values(), key=lambda x: x[0])]


def stretches(begin, n, jumps):
    """[(start, end)] on the leg of n samples from `begin` on; what is given up while it is
    being sent is jumped over."""
    out, at = [], begin
    for start, end in jumps:
        if at <= start < at + n:
            out.append((at, start))
            n, at = n - (start - at), end
    return out + [(at, at + n)]


def crc_of_all(pcm, parts):
    """Behind the leg's end there is silence."""
    crc = 0
    for start, end in parts:
        part = pcm[2 * start:2 * end]
        crc = zlib.crc32(b"\0" * (2 * (end - start) - len(part)), zlib.crc32(part, crc))
    return crc


def begin_of(event, pcm, jumps):
    """Leg position of the first sample of the event's connection; None: no such place."""
    _, first, last, crc = NAMED.fullmatch(event["text"]).groups()
    first, end, crc = int(first), int(last) + 1, int(crc, 16)
    near = event["start_ms"] * 8
    for at in range(max(0, near - 2 * TOLERANCE), near + 2 * TOLERANCE):
        if at >= first and crc_of_all(pcm, stretches(at, end - first, jumps)) == crc:
            return at - first
    raise AssertionError(f"{event['text']} is not the audio at {event['start_ms']} ms")


def pieces(leg, pcm):
    """[Piece] of every final: where its samples are on the leg, to the sample."""
    total, begins, out = len(pcm) // 2, {}, []
    # whole frames are given up: these milliseconds are exact
    jumps = sorted((e["start_ms"] * 8, e["end_ms"] * 8)
                   for e in leg.all("gap", cause="asr_slow"))
    for e in first_finals(leg):
        if e.get("synthesised"):
            out.append(Piece(e["start_ms"] * 8, min(e["end_ms"] * 8 + 7, total), e))
            continue
        connection = e["asr"]["connection"]
        if connection not in begins:
            begins[connection] = begin_of(e, pcm, jumps)
        _, first, last, crc = NAMED.fullmatch(e["text"]).groups()
        first, last, begin = int(first), int(last), begins[connection]
        start = stretches(begin, first + 1, jumps)[-1][1] - 1
        parts = stretches(start, last - first + 1, jumps)
        end = parts[-1][1]
        assert crc_of_all(pcm, parts) == int(crc, 16), f"{e['text']}: not the audio at {start}"
        assert end <= total + CHUNK
        start, end = min(start, total), min(end, total)
        assert abs(e["start_ms"] - start / 8) <= 1, (e["text"], start / 8, e["start_ms"])
        assert abs(e["end_ms"] - end / 8) <= 1, (e["text"], end / 8, e["end_ms"])
        if start < total:  # else words about what a last chunk was filled up with
            out.append(Piece(start, end, e))
    return out


def gaps(leg):
    return [(e["start_ms"] * 8, e["end_ms"] * 8 + 7, e["cause"]) for e in leg.all("gap")]


def check(leg, pcm, lost=0):
    """Every sample is in one final or in a gap; the account adds up.  -> [Piece]

    lost   samples that may have been given up; None: any
    """
    total = len(pcm) // 2
    found = pieces(leg, pcm)
    at = 0
    for p in found:
        before = p.start < at - (TOLERANCE if p.event.get("synthesised") else 0)
        assert before == bool(p.event.get("overlap")), \
            f"{leg.name}: a final from {p.start}, but {at} was settled: {p.event}"
        assert p.end > at, f"{leg.name}: times run backwards: {p.event}"
        at = p.end
    spans = sorted([(p.start, p.end) for p in found] + [(s, e) for s, e, _ in gaps(leg)])
    at = 0
    for start, end in spans + [(total, total)]:
        assert start <= at + TOLERANCE, \
            f"{leg.name}: nobody tells of samples {at} to {start} of {total}"
        at = max(at, end)
    for p in found:
        inside = [(min(end, p.end) - max(start, p.start), cause) for start, end, cause in gaps(leg)]
        inside = [(n, cause) for n, cause in inside if n > TOLERANCE]
        # a connection goes on behind what it was too slow for, and the final says so
        slow_ms = sum(n for n, cause in inside if cause == "asr_slow") / 8
        assert abs(p.event["coverage"]["lost_ms"] - slow_ms) <= 1 + len(inside), (slow_ms, p.event)
        assert all(cause == "asr_slow" for _, cause in inside), \
            f"{leg.name}: samples of a final are in gaps {inside}: {p.event}"
    audio = leg.samples
    assert audio["received"] == total == audio["sent"] + audio["lost"] + audio["paused"]
    assert leg.end["duration_ms"] == total // 8
    if lost is not None:
        assert audio["lost"] <= lost, f"{audio['lost']} samples were given up"
    told = sum(e["end_ms"] - e["start_ms"] for e in leg.all("gap")) * 8
    assert audio["lost"] <= told + TOLERANCE * len(leg.all("gap"))
    if lost == 0:
        assert leg.all("gap") == []
    return found


def states(leg):
    """[(asr_state, reason, code)] in order, what is absent as None."""
    return [(e.get("asr_state"), e.get("reason"), e.get("code")) for e in leg.all("leg.state")]
