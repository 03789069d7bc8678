"""G.711 as tests/tools/g711 does it, against sox and against a model in Python.

sox is the other implementation: it must decode all 256 codes alike.  It encodes with rounding
to 14 (mu-law) or 13 bits (A-law) first, so it may pick the neighbour of a sample that lies
next to a decision value; everywhere else it must pick the same code.  The model in Python has
the decision values of ITU-T G.711 and the reference program's rule for those samples.
"""
import array
import bisect
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("B", "build")
LAWS = {
    # sox's name, units of the standard's tables in 16 bits, code of value n, runs of intervals
    "PCMU": ("mu-law", 4, lambda n: 0xFF - n, [(1, 1), (15, 2)] + [(16, 4 << i) for i in range(7)]),
    "PCMA": ("a-law", 8, lambda n: (0x80 | n) ^ 0x55, [(32, 2)] + [(16, 4 << i) for i in range(6)]),
}
SAMPLES = range(-32768, 32768)


@pytest.fixture(scope="module")
def program():
    target = f"{BUILD}/tests/tools/g711"
    subprocess.run(["make", "-s", f"B={BUILD}", target], cwd=TOP, check=True)
    return str(TOP / target)


def run(*command, data=b""):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def samples(data):
    pcm = array.array("h", data)
    if sys.byteorder == "big":
        pcm.byteswap()
    return list(pcm)


def sox(law, encode, data):
    raw = ["-t", "raw", "-r", "8000", "-c", "1"]
    coded = raw + ["-e", LAWS[law][0], "-b", "8", "-"]
    linear = raw + ["-e", "signed", "-b", "16", "--endian", "little", "-"]
    # -D: no dither
    return run("sox", "-D", *(linear + coded if encode else coded + linear), data=data)


def decisions(law):
    x = [0]
    for count, size in LAWS[law][3]:
        for _ in range(count):
            x.append(x[-1] + size)
    return [v * LAWS[law][1] for v in x[:129]]


def decoded(law):
    """What the standard makes of codes 0 to 255."""
    x = decisions(law)
    out = [0] * 256
    for n in range(128):
        code = LAWS[law][2](n)
        value = 0 if law == "PCMU" and n == 0 else (x[n] + x[n + 1]) // 2
        out[code], out[code ^ 0x80] = value, -value
    return out


def encoded(law, sample):
    x = decisions(law)[1:128]
    if sample >= 0:
        return LAWS[law][2](bisect.bisect_right(x, sample))
    return LAWS[law][2](bisect.bisect_left(x, -sample)) ^ 0x80


needs_sox = pytest.mark.skipif(not shutil.which("sox"), reason="sox is not installed")


@needs_sox
@pytest.mark.parametrize("law", LAWS)
def test_sox_decodes_every_code_alike(program, law):
    ours = samples(run(program, "--decode", law))
    assert ours == samples(sox(law, False, bytes(range(256))))
    assert ours == decoded(law)


@pytest.mark.parametrize("law", LAWS)
def test_every_sample_is_encoded_as_the_reference_does(program, law):
    ours = run(program, "--encode", law)
    wrong = [s for s in SAMPLES if ours[s + 32768] != encoded(law, s)]
    assert not wrong


@needs_sox
@pytest.mark.parametrize("law", LAWS)
def test_sox_encodes_alike_away_from_decision_values(program, law):
    unit = LAWS[law][1]
    near = {sign * v + d for v in decisions(law) for sign in (1, -1)
            for d in range(-unit, unit + 1)}
    theirs = sox(law, True, array.array("h", SAMPLES).tobytes())
    ours = run(program, "--encode", law)
    values = decoded(law)
    order = sorted(set(values))
    checked = 0
    for s in SAMPLES:
        a, b = ours[s + 32768], theirs[s + 32768]
        if s in near:
            assert abs(order.index(values[a]) - order.index(values[b])) <= 1, s
        else:
            checked += 1
            assert a == b, s
    assert checked > 60000


def test_kernels_equal_the_standard(program):
    """The program's own comparison, as test-neon runs it for AArch64."""
    assert "PASS g711 portable" in run(program, "portable").decode()
    refused = subprocess.run([program, "nonsense"], capture_output=True, check=False)
    assert refused.returncode == 1 and refused.stdout.startswith(b"FAIL g711 nonsense")
