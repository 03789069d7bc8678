#!/usr/bin/python3
"""How much of a core callgen needs for 1,000 legs: PCMU, 20 ms, into sockets that are there.

Usage: bench_callgen.py BUILD.  Must hold: at most half a core, with and without a bad network.
"""
import json
import os
import resource
import socket
import sys
import tempfile

LEGS, SECONDS, CORES_MAX = 1000, 5, 0.5
ADDRESS = "127.0.0.4"      # nobody else's ports


def sinks():
    """One socket a leg, that nobody reads: what arrives stays in its buffer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, LEGS + 100)), hard))
    out = []
    for i in range(LEGS):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((ADDRESS, 20000 + 2 * i))
        out.append(s)
    return out


def run(build, report, *options):
    """Of a core, and what it says of itself."""
    pid = os.fork()
    if pid == 0:
        os.execv(f"{build}/callgen", ["callgen", "--to", f"{ADDRESS}:20000", "--calls", str(LEGS),
                                      "--rate", "10000", "--length", f"{SECONDS}s", "--report",
                                      report, *options])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"callgen ended with status {status}")
    with open(report, encoding="ascii") as f:
        total = json.loads(f.readlines()[-1])["total"]
    return (usage.ru_utime + usage.ru_stime) / SECONDS, total


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    held, good = sinks(), True
    with tempfile.TemporaryDirectory() as directory:
        for name, options in (("clean", ()), ("bad network", (
                "--loss", "5", "--burst", "3", "--reorder", "5", "--duplicate", "5",
                "--jitter", "10ms"))):
            cores, total = min((run(build, f"{directory}/report", *options) for _ in range(2)),
                               key=lambda x: x[0])
            good = good and cores <= CORES_MAX and total["refused"] == 0
            print(f"callgen, {LEGS:,} legs, {name}: {cores:.2f} of a core (at most {CORES_MAX}), "
                  f"{total['packets'] / total['wall_s']:,.0f} packets a second")
    for s in held:
        s.close()
    print("PASS" if good else "FAIL")
    sys.exit(not good)


if __name__ == "__main__":
    main()
