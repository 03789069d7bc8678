"""RTP packets of one leg -> the samples it must have, written from the texts alone.

The texts: RFC 3550 (sequence numbers, timestamps, A.1, A.8), RFC 3389 (comfort noise moves
time), RFC 4733 (events are no audio), issue 2's items 3 and 4, and the policy in the comments
of daemon/media/receiver.h and source.h.  It knows every packet beforehand and needs no window:
a number was too late when a higher one had come more than 60 ms before it.
"""
import array
import collections

from oracle import g711

WINDOW_US = 60_000
TRUST_US = 1_000_000
CONCEAL = 480       # longest loss that is concealed [samples]
DROPOUT, MISORDER = 3000, 100

STATIC = {0: "PCMU", 8: "PCMA", 13: "CN", 19: "CN"}  # RFC 3551
AUDIO = ("PCMU", "PCMA", "L16")

Span = collections.namedtuple("Span", "start end")          # [samples]
Break = collections.namedtuple("Break", "at kind")          # a DISCONTINUITY


class Timeline:
    """pcm, and what lies where nothing was received."""

    def __init__(self):
        self.pcm = array.array("h")
        self.loss, self.silence, self.breaks = [], [], []
        self.received = 0               # audio samples that took their place
        self.packets = self.lost = self.late = self.duplicate = self.reordered = 0
        self.first_us = None
        self.arrivals = []              # (position behind a packet, its arrival)
        self.others = []                # streams of a second live SSRC: [Rtp]

    @property
    def concealed(self):
        """Spans whose samples are the concealment's business; elsewhere all is known."""
        return [s for s in self.loss if s.end - s.start <= CONCEAL]

    def hole(self, kind, n):
        if n > 0:
            spans = self.loss if kind == "loss" else self.silence
            spans.append(Span(len(self.pcm), len(self.pcm) + n))
            self.pcm.extend([0] * n)


def _signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def streams(packets, kinds):
    """source.h: the leg's packets as [one SSRC's list, ...] in turn, and the second parties'."""
    turns, others, held, foreign = [], {}, {}, set()
    speaks = set()
    for p in packets:
        audio = kinds.get(p.pt) in AUDIO
        if audio:
            speaks.add(p.ssrc)
        if p.ssrc in foreign:
            others[p.ssrc].append(p)
        elif p.ssrc not in speaks:
            continue
        elif not turns or turns[-1][-1].ssrc == p.ssrc:
            if not turns:
                turns.append([])
            turns[-1].append(p)
            for ssrc in held:
                held[ssrc][1] = False       # the one in force lives
        else:
            before, alone = held.get(p.ssrc, (None, True))
            if before is None or _signed(p.seq - before.seq, 16) != 1:
                held[p.ssrc] = [p, True]
            elif alone:
                turns.append([before, p])
                held = {}
            else:
                foreign.add(p.ssrc)
                others[p.ssrc] = [before, p]
    return turns, list(others.values())


def in_order(packets, out):
    """Sequence order: [(extended number, packet)], duplicates and late ones left out."""
    found, highest = {}, None
    for p in packets:
        number = p.seq if highest is None else highest + _signed(p.seq - highest, 16)
        if highest is not None and not -MISORDER <= number - highest < DROPOUT:
            raise NotImplementedError("a jump of the sequence: not this oracle's business")
        if number in found:
            out.duplicate += 1
            continue
        # every higher one that came before it; the first of them began the wait
        above = [q.t_us for n, q in found.items() if n > number]
        found[number] = p
        if above:
            if p.t_us > min(above) + WINDOW_US:
                out.late += 1
                found[number] = None
            else:
                out.reordered += 1
        highest = number if highest is None else max(highest, number)
        for n in sorted(n for n in found if n < highest - 4 * MISORDER):
            q = found.pop(n)
            if q is not None:
                yield n, q
    for n in sorted(found):
        if found[n] is not None:
            yield n, found[n]


def decode(packets, kinds=None):
    """All packets of a leg, in order of arrival -> Timeline."""
    kinds = {**STATIC, **(kinds or {})}
    out = Timeline()
    turns, out.others = streams(packets, kinds)
    end_ts = last = last_len = codec = None
    told = {}
    for turn in turns:
        out.packets += len(turn)
        fresh = last is not None
        before, numbers, missing = None, [], 0
        for number, p in in_order(turn, out):
            numbers.append(number)
            missing += 0 if before is None else number - before - 1
            before = number
            kind = kinds.get(p.pt)
            if kind not in AUDIO + ("CN",):
                continue                     # an event, or nobody knows
            step_us = p.t_us - last.t_us if last else 0
            step = _signed(p.ts - last.ts, 32) if last else 0
            gap = _signed(p.ts - end_ts, 32) if last else 0
            fits = gap == 0 or (gap > 0 and abs(step * 125 - step_us) < TRUST_US)
            if kind == "CN":
                if last is None or fresh or not fits:
                    continue
                _fill(out, gap, missing, last_len)
                last, end_ts, missing = p, p.ts, 0
                continue
            if last is not None and (fresh or not fits):
                wait = step_us // 125 - last_len
                _fill(out, wait if wait * 125 > WINDOW_US else 0, missing, last_len)
                _told(out, told, "ssrc" if fresh else "timestamp", p.t_us)
            elif last is not None:
                _fill(out, gap, missing, last_len)
            if codec not in (None, kind):
                _told(out, told, "codec", p.t_us)
            codec = kind
            if out.first_us is None:
                out.first_us = p.t_us
            pcm = g711.decode(kind, p.payload)
            cut = p.missing // (2 if kind == "L16" else 1)
            out.pcm.extend(pcm)
            out.received += len(pcm)
            out.hole("loss", cut)
            out.arrivals.append((len(out.pcm), p.t_us))
            last, last_len, missing, fresh = p, len(pcm) + cut, 0, False
            end_ts = p.ts + last_len & 0xffffffff
        if numbers:
            out.lost += numbers[-1] - numbers[0] + 1 - len(numbers)
    out.lost -= min(out.late, out.lost)      # what came late is not lost
    return out


def _told(out, told, kind, t_us):
    """A new source is always told of, the others once a second at most."""
    if kind == "ssrc" or t_us - told.get(kind, -TRUST_US) >= TRUST_US:
        told[kind] = t_us
        out.breaks.append(Break(len(out.pcm), kind))


def _fill(out, n, missing, last_len):
    """LOSS first, at most as long as the missing packets; the rest is SILENCE."""
    loss = min(n, missing * last_len)
    out.hole("loss", loss)
    out.hole("silence", n - loss)


def jitter_ms(packets):
    """RFC 3550 A.8 over packets of one SSRC in order of arrival, at 8 kHz."""
    value, before = 0.0, None
    for p in packets:
        transit = p.t_us / 125 - p.ts
        if before is not None:
            d = abs(transit - before)
            d = min(d, abs(d - 2 ** 32))
            value += (d - value) / 16
        before = transit
    return value / 8
