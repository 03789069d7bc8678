"""The service itself, hearing calls on the loopback interface, for as long as they last.

    with Call-audio known (known_calls.Recording) and things done to the ASR at given seconds.
"""
import datetime
import json
import os
import select
import signal
import socket
import subprocess
import time

import known_calls
from oracle import events as oracle_events
from oracle.pcapgen import Call, Capture, rtp_packet
from ports import free_port
from replay import Leg
from simulator import BUILD, Simulator

CAP_NET_RAW = 13
WAIT_S = 120


def may_capture():
    with open("/proc/self/status", encoding="ascii") as f:
        mask = next(int(x.split()[1], 16) for x in f if x.startswith("CapEff"))
    return bool(mask >> CAP_NET_RAW & 1)


class Asr:
    """An asr-sim that comes and goes on one port."""

    def __init__(self, directory):
        self.directory, self.running, self.all = directory, None, []
        self.address = f"127.0.0.1:{free_port()}"

    def start(self, script="ok", *options):
        directory = self.directory / f"asr{len(self.all)}"
        directory.mkdir()
        self.running = Simulator(directory, *options, script=script, listen=self.address)
        self.running.__enter__()
        self.all.append(self.running)

    def kill(self):
        self.running.process.kill()
        self.running.process.communicate()
        self.running = None

    def stop(self):
        if self.running:
            self.running.__exit__(None)
        self.running = None


class Run:
    """Events of a run, as of a replay."""

    def __init__(self, lines, stderr):
        self.events = oracle_events.validate_lines(lines, complete=False, conflated=True)
        self.legs = [Leg(e["leg"], self.events) for e in self.events if e["type"] == "leg.start"]
        self.stderr = stderr


class Wire(Capture):
    """A capture that keeps datagrams, not frames."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def udp(self, t_us, src, dst, payload, mtu=None, order=None):
        self.sent.append((t_us / 1e6, src, dst, payload))


def datagrams(network, legs):
    """[(s, src, dst, payload)] of calls between loopback addresses 127.NETWORK.x, in order."""
    wire, sources = Wire(), []
    for i in range(0, len(legs), 2):
        a, b = f"127.{network}.{i + 1}", f"127.{network}.{i + 2}"
        call = Call(wire, a, b, name=f"live{i}", media_a=24100, media_b=25100, sip_a=25061,
                    sip_b=25062)
        call.start(0)
        for k, who in enumerate(("caller", "agent")[:len(legs) - i]):
            other = ("agent", "caller")[k]
            sources.append(call.media[who])
            codes = legs[i + k]
            for n in range(len(codes) // 160):
                wire.udp(200_000 + (n + 1) * 20_000, call.media[who], call.media[other],
                         rtp_packet(0, n + 1, n * 160, 7 + i + k, codes[n * 160:n * 160 + 160]))
        call.bye(200_000 + len(legs[i]) * 125 + 100_000)
    return sorted(wire.sent, key=lambda x: x[0]), sources


def play(packets, steps):
    """Send them when it is time, and do the steps: [(s, callable)]."""
    todo = sorted([(t, None, p) for t, *p in packets] + [(t, do, None) for t, do in steps],
                  key=lambda x: x[0])
    sockets = {}

    def at(address):
        if address not in sockets:
            host, _, port = address.rpartition(":")
            sockets[address] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sockets[address].bind((host, int(port)))
        return sockets[address]

    began = time.monotonic()
    for t, do, packet in todo:
        delay = began + t - time.monotonic()
        if delay > 0:
            select.select([], [], [], delay)
        if do:
            do()
            continue
        src, dst, payload = packet
        at(dst)  # somebody receives: no ICMP in between
        host, _, port = dst.rpartition(":")
        at(src).sendto(payload, (host, int(port)))
    for s in sockets.values():
        s.close()


def run_live(directory, network, legs, config, steps, env=None):
    """Legs' codes through trunkscribed watching 127.NETWORK.0/24.  -> (Run, media sources)"""
    events = directory / "events.sock"
    file = directory / "trunkscribe.conf"
    file.write_text(f'events {{ socket = "{events}" group = "" }}\n'
                    f'journal {{ directory = "" }}\n'
                    f'control {{ socket = "{directory}/control.sock" drain-timeout = "0s" }}\n'
                    f'capture {{ interface = "lo" filter = "net 127.{network}.0/24" }}\n{config}')
    process = subprocess.Popen([BUILD / "trunkscribed", "-c", file, "--log", "info"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=open(directory / "stderr", "w", encoding="utf-8"), text=True,
                               env={**os.environ, **(env or {})})
    lines = []
    try:
        while "ready" not in (directory / "stderr").read_text():
            assert process.poll() is None, (directory / "stderr").read_text()
            time.sleep(0.02)
        subscriber = socket.socket(socket.AF_UNIX)
        subscriber.settimeout(WAIT_S)
        subscriber.connect(str(events))
        subscriber.sendall(b'{"hello":1,"from":"oldest"}\n')
        packets, sources = datagrams(network, legs)
        play(packets, steps)
        calls = (len(legs) + 1) // 2
        with subscriber.makefile("rb") as reader:
            for line in reader:
                lines.append(line.rstrip(b"\n"))
                calls -= json.loads(line)["type"] == "call.end"
                if calls == 0:
                    break
        subscriber.close()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, (directory / "stderr").read_text()
    return Run(lines, (directory / "stderr").read_text()), sources


RECORDING_S = 100


def recording(seed):
    return known_calls.Recording(RECORDING_S, seed=seed)


def when(event):
    return datetime.datetime.fromisoformat(event["ts"].replace("Z", "+00:00")).timestamp()
