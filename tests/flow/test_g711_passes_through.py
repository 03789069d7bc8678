"""G.711 to a service that takes it: byte for byte what the packets held.

asr-sim keeps what it got as it came.  What was lost, and what came in the other law, is encoded
by us: as the standard has it of the WAV's samples.
"""
import functools
import random

import pytest

from oracle import g711
from oracle.pcapgen import Call, Capture, network
from replay import replay
from sessions import key_file
from simulator import Simulator
from test_g711_equals_sox import encoded

TARGETS = {"camb": "/streaming-transcription/listen", "deepgram": "/v1/listen",
           "smallest": "/waves/v1/stt/live"}
LAWS = {"mulaw": ("PCMU", 0), "alaw": ("PCMA", 8)}
PACKET = 160
# packets in one law, then so many in the other, ...
PIECES = (61, 40, 3, 1, 55)
LOST = (7, 30, 31, 101, 130)


def make_call(path, law, seed):
    """-> [(law or None, bytes)] of each packet in order; None: it was lost."""
    rng = random.Random(seed)
    capture = Capture()
    call = Call(capture)
    call.start(0)
    sender = call.sender("caller", 200_000)
    packets, laws = [], ("PCMU", "PCMA") if law == "PCMU" else ("PCMA", "PCMU")
    for i, n in enumerate(PIECES):
        name = laws[i % 2]
        for _ in range(n):
            data = rng.randbytes(PACKET)  # all codes, both zeros
            sender.codes(data, pt=0 if name == "PCMU" else 8)
            packets.append((None if len(packets) in LOST else name, data))
    capture.add(network(sender.sent, drop=LOST))
    call.bye(sender.t_us + 100_000)
    capture.write(path)
    return packets


@pytest.mark.parametrize("encoding", LAWS)
@pytest.mark.parametrize("vendor", TARGETS)
def test_what_the_packets_held(vendor, encoding, tmp_path):
    law, _ = LAWS[encoding]
    packets = make_call(tmp_path / "x.pcap", law, seed=len(vendor))
    with Simulator(tmp_path, dialect=vendor) as sim:
        run = replay(tmp_path / "x.pcap", tmp_path, config=(
            f'asr "sim" {{ vendor = "{vendor}" url = "{sim.url()}{TARGETS[vendor]}" '
            f'api-key-file = "{key_file(tmp_path)}" encoding = "{encoding}" '
            'language = "en" }\nroute { asr = "sim" }\n'))
    leg, = (x for x in run.legs if x.samples["received"])
    got, = (p.read_bytes() for p in tmp_path.glob(f"*.{encoding}"))
    wav = run.wav(leg)
    assert len(wav) == len(packets) * PACKET <= len(got)
    encode = functools.lru_cache(maxsize=None)(functools.partial(encoded, law))
    ours = bytes(map(encode, wav))
    for i, (came_in, data) in enumerate(packets):
        at = slice(i * PACKET, (i + 1) * PACKET)
        assert got[at] == (data if came_in == law else ours[at]), f"packet {i}"
        if came_in:  # the WAV has what came
            assert wav[at] == g711.decode(came_in, data)
    assert set(got[len(wav):]) <= {0xff if law == "PCMU" else 0xd5}
    assert leg.samples["received"] == len(wav) - len(LOST) * PACKET
    assert leg.samples["sent"] == leg.samples["received"]
