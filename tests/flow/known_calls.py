"""Calls whose audio is known to the sample, and no two stretches of it alike.

A leg's audio is a part of one long recording (noise that comes and goes like speech), so that
a checksum of a stretch tells where it was taken from.  The files are written with little work a
packet: hundreds of legs in seconds.
"""
import array
import random
import struct
import sys

from oracle import g711
from oracle.pcapgen import EPOCH_US, LINK, Call, Capture, checksum, split_at

RATE = 8000
MEDIA_US = 200_000    # of a call's first packet, from its beginning

_LOUD = bytes((c & 0x1f) | 0x20 | (c & 0x80) for c in range(256))   # 1,000 to 8,000
_QUIET = bytes((c & 0x0f) | 0x70 | (c & 0x80) for c in range(256))  # -120 to 120


class Recording:
    """`seconds` of codes (mu-law, a byte a sample) and the PCM16LE they stand for."""

    def __init__(self, seconds, seed=1, loud_ms=(700, 1500), quiet_ms=(320, 600)):
        rng = random.Random(seed)
        codes, loud = bytearray(), False
        while len(codes) < seconds * RATE:
            n = rng.randrange(*(loud_ms if loud else quiet_ms)) * 8
            codes += rng.randbytes(n).translate(_LOUD if loud else _QUIET)
            loud = not loud
        self.codes = bytes(codes[:int(seconds * RATE)])
        table = [struct.pack("<h", v) for v in g711.ULAW]
        self.pcm = b"".join([table[c] for c in self.codes])

    def part(self, start, n):
        """(codes, PCM16LE) of n samples."""
        return self.codes[start:start + n], self.pcm[2 * start:2 * (start + n)]


class _Stream:
    """One direction: frames without a call per packet but one pack()."""

    def __init__(self, src, dst, codes, ssrc, first_us, ptime):
        (a, sport), (b, dport) = split_at(src), split_at(dst)
        self.step = ptime * 8
        n = self.step + 12
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + n, 0, 0x4000, 64, 17, 0, a.packed,
                         b.packed)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.head = bytes.fromhex("0200000000020200000000010800") + ip + \
            struct.pack("!HHHH", sport, dport, 8 + n, 0)
        self.codes, self.ssrc, self.first_us = codes, ssrc, first_us
        self.size = len(self.head) + n
        self.pack = struct.Struct("!BBHII").pack

    def frame(self, k):
        at = k * self.step
        return self.head + self.pack(0x80, 0, k + 1 & 0xffff, at + 160 & 0xffffffff,
                                     self.ssrc) + self.codes[at:at + self.step]


def address(i):
    return f"10.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def write(path, legs, ptime=20, one_way=False):
    """A capture of calls, all at once: legs 2i and 2i + 1 are the two directions of call i.

    `legs`: codes of each, all of one length that packets divide; one_way: one leg a call.
    -> the media source of each leg, as in leg.start
    """
    signalling, streams, sources = Capture(), [], []
    per_call = 1 if one_way else 2
    step_us = ptime * 1000
    length = len(legs[0])
    assert all(len(codes) == length for codes in legs) and length % (ptime * 8) == 0
    for i in range(0, len(legs), per_call):
        n = i // per_call
        t_us = n * step_us * 50 // max(1, len(legs))  # not all on the same tick
        call = Call(signalling, address(2 * n + 1), address(2 * n + 2), name=f"call{n}")
        call.start(t_us)
        for k in range(per_call):
            who = ("caller", "agent")[k]
            other = ("agent", "caller")[k]
            sources.append(call.media[who])
            streams.append(_Stream(call.media[who], call.media[other], legs[i + k],
                                   0x1000 + i + k, t_us + MEDIA_US + (i + k) % step_us, ptime))
        call.bye(t_us + MEDIA_US + length * 125 + 200_000)
    frames = [(t, len(data), data) for t, data, _ in signalling.frames]
    count = length // (ptime * 8)
    for s in streams:
        frames += [(s.first_us + (k + 1) * step_us, s.size, (s, k)) for k in range(count)]
    frames.sort(key=lambda f: f[0])
    pack = struct.Struct("<IIII").pack
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, LINK["ether"]))
        for t_us, size, data in frames:
            t_us += EPOCH_US
            body = data if isinstance(data, bytes) else data[0].frame(data[1])
            out.write(pack(t_us // 1000000, t_us % 1000000, size, size) + body)
    return sources


def to_array(pcm):
    out = array.array("h", pcm)
    if sys.byteorder == "big":
        out.byteswap()
    return out
