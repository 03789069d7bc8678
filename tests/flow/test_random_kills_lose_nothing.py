"""Connections die at random; every sample is settled by one final, or in a published gap.

KILLS (20; make soak: 200) of them over LEGS legs, at a place and in a way that KILL_SEED (random,
printed) decides.
"""
import os
import random

import known_calls
import settled
from replay import replay
from sessions import asr_config, key_file
from simulator import Simulator

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILL_SEED", random.randrange(1, 2**31)))
LEGS = 50
SECONDS = 40          # a leg; more than a leg's kills can use up
WAYS = ("reset", "fin", "close 1000", "close 1001", "close 1011", "close 1012", "close 1013",
        "error 503", "bad-json 5", "raw ffff", "stall 100ms; reset")


def script(rng):
    """A plan for each connection: the first LEGS are one for each leg."""
    plans = ["ok"] * (LEGS + KILLS)
    for i in rng.sample(range(len(plans) - LEGS // 2), KILLS):
        way = rng.choice(WAYS)
        # the first connections anywhere, the later ones early enough to be reached
        at = rng.randrange(1, SECONDS * 8000 if i < LEGS else 24000)
        plans[i] = "; ".join(f"{part} after {at} samples" for part in way.split("; "))
        if i < LEGS and rng.randrange(10) == 0:
            plans[i] = "reset after eof"
    return "\n".join(plans + ["ok"]), plans


def test_every_sample_is_settled_once_whatever_dies(tmp_path, capsys):
    rng = random.Random(SEED)
    with capsys.disabled():
        print(f"\n  {KILLS} kills, KILL_SEED={SEED}")
    recording = known_calls.Recording(300, seed=SEED)
    n = SECONDS * known_calls.RATE
    legs = [recording.part(rng.randrange(250 * 8000), n) for _ in range(LEGS)]
    path = tmp_path / "calls.pcap"
    sources = known_calls.write(path, [codes for codes, _ in legs])
    text, plans = script(rng)
    with Simulator(tmp_path, script=text) as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)))
    path.unlink()

    assert len(run.legs) == LEGS
    for leg in run.legs:
        settled.check(leg, legs[sources.index(leg.src)][1], lost=0)
        assert [e["reason"] for e in leg.all("leg.state") if e["asr_state"] == "failed"] == []
    killed = [line for line in sim.report if plans[min(line["connection"], len(plans)) - 1] != "ok"
              and not (line["eof"] and line["ended"]["by"] == "client")]
    assert len(killed) >= 0.9 * KILLS, "the kills did not take place"
    assert sum(leg.end["asr"]["connections"] for leg in run.legs) >= LEGS + 0.9 * KILLS
    # while one leg waits to connect again the replay's clock stands, and keep-alives with it
    assert {v["kind"] for line in sim.report for v in line["violations"]} <= {"idle"}
    for file in tmp_path.glob("*.pcm"):
        file.unlink()
