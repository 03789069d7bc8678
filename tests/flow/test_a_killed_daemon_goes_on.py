"""kill -9 of the whole service at any time, calls running: what was published stands, goes on.

KILLS (20; make soak: 200) times, at moments that KILL_SEED (random, printed) decides.
"""
import itertools
import os
import random
import signal
import time

from oracle import journal
from oracle.event_server import Client
from service import Control, Daemon, bound, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from witness import Witness, check

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILL_SEED", random.randrange(1, 2**31)))
LEGS, PORTS = 6, (24800, 24899)


class Life:
    """Calls that come and go, their audio in real time, until the daemon is killed."""

    def __init__(self, daemon, rng, name, said):
        self.control, self.rng, self.said = Control(daemon.control), rng, said
        self.names = (f"{name}x{n}" for n in itertools.count())
        self.sock, self.legs = bound(), {}

    def begin(self):
        leg, to = self.control.add(next(self.names), role="caller", codec="PCMU",
                                   remote="127.0.0.1:%d" % self.sock.getsockname()[1])
        self.legs[leg] = (to, iter(self.said))

    def step(self):
        if len(self.legs) < LEGS:
            self.begin()
        for leg, (to, audio) in list(self.legs.items()):
            packet = next(audio, None)
            if packet is None or self.rng.random() < 0.005:
                self.control.ask("leg.end", leg=leg)
                del self.legs[leg]
            else:
                self.sock.sendto(packet, to)

    def run(self, seconds):
        began = time.monotonic()
        for n in itertools.count():
            if time.monotonic() - began > seconds:
                break
            self.step()
            time.sleep(max(0, began + n * 0.02 - time.monotonic()))
        self.sock.close()


def test_nothing_that_was_told_is_lost_and_every_call_is_closed_once(tmp_path, capsys):
    rng, told = random.Random(SEED), []
    with capsys.disabled():
        print(f"\n  {KILLS} kills of the daemon, KILL_SEED={SEED}")
    said = list(packets(speech(6000), 77))
    with Simulator(tmp_path) as sim:
        config = asr_config(sim, key_file(tmp_path))
        for n in range(KILLS):
            daemon = Daemon(tmp_path, config, ports=PORTS, journal=tmp_path / "journal")
            try:
                with daemon:
                    witness = Witness(daemon.events, rng)
                    Life(daemon, rng, f"k{n}", said).run(rng.uniform(0.05, 1.2))
                    daemon.process.send_signal(signal.SIGKILL)
                    daemon.process.wait()
            except AssertionError:
                if daemon.process.returncode != -signal.SIGKILL:
                    raise  # it did not end as we ended it
            finally:
                daemon.process.kill()
            witness.join(60)
            told.append(witness.raw)
        with Daemon(tmp_path, config, ports=PORTS, journal=tmp_path / "journal") as daemon:
            last = Client(str(daemon.events), {"hello": 1, "from": "oldest"})
            number = last_number(told)
            last.until(lambda e: e["type"] == "daemon.started" and e["seq"] >= number)
            daemon.stop()
            last.rest()
    events = check(told, last.raw, tmp_path / "journal")
    ends = [e["reason"] for e in events if e["type"] == "call.end"]
    assert ends.count("restart") >= KILLS and "command" in ends
    assert len({e["epoch"] for e in events if e["type"] == "hello"}) == 1
    if KILLS >= 20:
        assert any(e["type"] == "segment" for e in events), "no final came"


def test_stopped_in_order_nothing_is_left_for_the_next(tmp_path):
    where = tmp_path / "journal"
    with Daemon(tmp_path, ports=PORTS, journal=where) as daemon:
        control = Control(daemon.control)
        for n in range(3):
            control.add(f"c{n}")
        daemon.until("leg.start")
        daemon.stop()
    # synced and sealed: nothing of it was only allocated
    *_, last = journal.records(journal.segments(where)[-1])
    assert last[2] == journal.SEAL
    with Daemon(tmp_path, ports=PORTS, journal=where) as again:
        again.until("daemon.started")
        again.stop()
        again.until("bye")
    again.valid()
    assert len({e["epoch"] for e in again.of("hello")}) == 1
    ends = again.of("call.end")
    assert sorted(e["call"] for e in ends) == ["c0", "c1", "c2"]
    assert {e["reason"] for e in ends} == {"drain"}


def last_number(told):
    return max(int(x.split(b'"seq":')[1].split(b",")[0]) for raw in told for x in raw
               if b'"seq":' in x)
