"""8 to 16 kHz against sox's `rate -v` of the same samples, within the telephone band."""
import array
import math
import random

import pytest

from captures import need, program, run
from replay import capture, replay

RATE = 8000
BAND = "300-3400"
LEAST_DB = 40
EDGE = 320       # at either end, where a filter knows only half of its surroundings [samples]

RAW = ["-t", "raw", "-c", "1", "-L"]
INT16, FLOAT = ["-e", "signed-integer", "-b", "16"], ["-e", "floating-point", "-b", "32"]


def noise():
    rng = random.Random(16)
    return array.array("h", [int(rng.gauss(0, 4000)) for _ in range(3 * RATE)])


def chirp():
    """300 to 3,400 Hz in 4 s."""
    def phase(t):
        return 2 * math.pi * (300 * t + (3400 - 300) / 8 * t * t)
    return array.array("h", [int(12000 * math.sin(phase(i / RATE))) for i in range(4 * RATE)])


def clicks():
    """Something at places that nobody can mistake."""
    out = array.array("h", bytes(2 * 2 * RATE))
    for at in (800, 3001, 7777, 15000):
        out[at] = 30000
    return out


def odd():
    return noise()[:12345]


def sox(samples, rate, *effects, form=FLOAT):
    """Samples, as 32-bit floats, through sox."""
    done = run("sox", "-D", *RAW, "-r", str(rate), *form, "-", *RAW, *FLOAT, "-", *effects,
               input=samples.tobytes())
    return array.array("f", done.stdout)


def ours(pcm, step):
    return array.array("h", run(program("resample"), str(step), input=pcm.tobytes()).stdout)


def decibels(got, want, lag=0):
    """Signal to difference within the band, `got` moved by `lag` samples."""
    wrong = array.array("f", [a - b for a, b in zip(got[lag:] + got[:lag], want)])
    powers = []
    for part in (want, wrong):
        band = sox(part, 2 * RATE, "sinc", BAND)[EDGE:-EDGE]
        powers.append(math.fsum(x * x for x in band))
    return 10 * math.log10(powers[0] / max(powers[1], 1e-30))


def check(pcm):
    want = sox(pcm, RATE, "rate", "-v", str(2 * RATE), form=INT16)
    first = None
    for step in (160, 0, 4000):
        raw = ours(pcm, step)
        assert len(raw) == 2 * len(pcm) == len(want)
        assert first is None or raw == first, "it depends on the parts it comes in"
        first = raw
    got = array.array("f", [x / 32768 for x in first])
    assert decibels(got, want) >= LEAST_DB
    for lag in (-2, -1, 1, 2):  # no other place fits
        assert decibels(got, want, lag) < LEAST_DB - 10


@pytest.mark.parametrize("signal", [noise, chirp, clicks, odd], ids=lambda f: f.__name__)
def test_made_signals(signal):
    need("sox")
    check(signal())


def test_a_call(tmp_path):
    need("sox")
    out = replay(capture("local_baresip_call.pcap"), tmp_path)
    for leg in out.legs:
        check(out.wav(leg))
