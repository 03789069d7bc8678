"""The journal's files, read by nothing of the daemon's: struct and zlib.

    events = read(directory)      # [(seq, key, line)], in order; raises ValueError
    damage: cut(path, n), flip(path, bit)
"""
import pathlib
import re
import struct
import zlib

MAGIC = b"TSJRNL1\n"
HEAD = struct.Struct(">8sQQQ16sQQII")
RECORD = struct.Struct(">IIQQBBH")
EVENTS, SEAL = 64, 66
NAME = re.compile(r"\d{20}\.log")


def segments(directory):
    return sorted(p for p in pathlib.Path(directory).iterdir() if NAME.fullmatch(p.name))


def head(path):
    data = path.read_bytes()
    magic, epoch, first, created, boot, booted, size, flags, crc = HEAD.unpack_from(data)
    if magic != MAGIC or crc != zlib.crc32(data[:HEAD.size - 4]):
        raise ValueError(f"{path.name}: bad head")
    return {"epoch": f"{epoch:016x}", "first": first, "created": created, "boot": boot,
            "booted": booted, "size": size, "flags": flags}


def records(path):
    """(offset, seq, kind, key, line) of one file; what is behind the last must be zeros."""
    data, at = path.read_bytes(), HEAD.size
    while at + RECORD.size <= len(data):
        length, crc, seq, _, kind, key_len, zero = RECORD.unpack_from(data, at)
        body = data[at + 8:at + 8 + length]
        if not length:
            break
        if len(body) < length or zlib.crc32(body) != crc or zero or body[20 + key_len]:
            raise ValueError(f"{path.name}: no record at {at}")
        yield at, seq, kind, body[20:20 + key_len].decode(), body[21 + key_len:]
        at += 8 + length
    if data[at:].strip(b"\0"):
        raise ValueError(f"{path.name}: something behind {at}")


def read(directory):
    events = []
    for path in segments(directory):
        for _, seq, kind, key, line in records(path):
            if kind < EVENTS:
                if events and seq <= events[-1][0]:
                    raise ValueError(f"{path.name}: {seq} after {events[-1][0]}")
                events.append((seq, key, line))
    return events


def cut(path, n):
    with open(path, "r+b") as f:
        f.truncate(n)


def flip(path, bit):
    with open(path, "r+b") as f:
        f.seek(bit // 8)
        byte = f.read(1)[0] ^ 1 << bit % 8
        f.seek(bit // 8)
        f.write(bytes([byte]))
