"""G.711 from the formulas of the Recommendation, not from anybody's table.

A character signal is sign (bit 8), segment e (bits 7-5) and step m (bits 4-1).  Mu-law sends
it inverted and has 14 bits, A-law inverts the even bits and has 13; both are scaled to 16 here,
as every decoder does.
"""
import array


def _ulaw(code):
    bits = ~code & 0xff
    e, m = bits >> 4 & 7, bits & 15
    size = ((2 * m + 33) << e) - 33  # table 2a/G.711, decision values and y(n)
    return 4 * (-size if bits & 0x80 else size)


def _alaw(code):
    bits = code ^ 0x55
    e, m = bits >> 4 & 7, bits & 15
    size = 2 * m + 1 if e == 0 else (2 * m + 33) << (e - 1)  # table 1a/G.711
    return 8 * (size if bits & 0x80 else -size)


ULAW = array.array("h", [_ulaw(c) for c in range(256)])
ALAW = array.array("h", [_alaw(c) for c in range(256)])
TABLES = {"PCMU": ULAW, "PCMA": ALAW}


def decode(codec, payload):
    """Bytes -> array of int16 at 8 kHz."""
    if codec == "L16":
        pcm = array.array("h", payload[:len(payload) // 2 * 2])
        pcm.byteswap()
        return pcm
    table = TABLES[codec]
    return array.array("h", [table[c] for c in payload])


def encode(codec, pcm):
    """The nearest code of each sample (slow and plain; for made captures)."""
    table = TABLES[codec]
    known = _nearest.setdefault(codec, {})
    out = bytearray()
    for sample in pcm:
        code = known.get(sample)
        if code is None:
            code = known[sample] = min(range(256), key=lambda c: (abs(table[c] - sample), c))
        out.append(code)
    return bytes(out)


_nearest = {}
