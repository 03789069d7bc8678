#!/usr/bin/python3
"""How much audio a replay decodes per second of CPU, and how much memory it takes.

Usage: bench_replay.py BUILD.  One hour of one leg (G.711, 20 ms), `--asr none --speed max`.
Must hold: at least 20,000 seconds of audio per second of CPU; below 24 MiB, and no more than
for ten minutes.
"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

RATE_MIN, MEMORY_MAX_KIB = 20000, 24 * 1024
PACKETS = 3600 * 50


def write_capture(path, packets):
    """Ethernet, IPv4, UDP, RTP; PCMU that is not silence."""
    payload = bytes((i * 7) & 0xFF for i in range(160))
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(packets):
            rtp = struct.pack("!BBHII", 0x80, 0, i & 0xFFFF, i * 160 & 0xFFFFFFFF, 0x1234) + payload
            udp = struct.pack("!HHHH", 4000, 5000, 8 + len(rtp), 0) + rtp
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                             b"\x0a\0\0\1", b"\x0a\0\0\2") + udp
            frame = b"\0" * 12 + b"\x08\0" + ip
            at = 1700000000 * 1000000 + i * 20000
            f.write(struct.pack("<IIII", at // 1000000, at % 1000000, len(frame), len(frame)))
            f.write(frame)


def run(build, capture):
    """CPU seconds and peak KiB of one replay."""
    pid = os.fork()
    if pid == 0:
        os.execv(f"{build}/trunkscribed", ["trunkscribed", "--replay", capture, "--asr", "none",
                                           "--speed", "max", "--events", "/dev/null"])
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"trunkscribed ended with status {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    with tempfile.TemporaryDirectory() as directory:
        hour, part = pathlib.Path(directory, "hour.pcap"), pathlib.Path(directory, "part.pcap")
        write_capture(hour, PACKETS)
        write_capture(part, PACKETS // 6)
        subprocess.run(["cat", str(hour)], stdout=subprocess.DEVNULL, check=True)  # into the cache
        cpu, memory = min(run(build, str(hour)) for _ in range(5))
        small = run(build, str(part))[1]
    rate = 3600 / cpu
    print(f"replay of one hour, one leg, asr none: {rate:,.0f} s of audio per second of CPU "
          f"(at least {RATE_MIN:,}), {memory / 1024:.1f} MiB at most (below 24), "
          f"{memory / small:.2f} times that of ten minutes")
    good = rate >= RATE_MIN and memory < MEMORY_MAX_KIB and memory < small * 1.2
    print("PASS" if good else "FAIL")
    sys.exit(not good)


if __name__ == "__main__":
    main()
