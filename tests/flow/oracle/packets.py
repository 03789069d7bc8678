"""What is in a capture, as tshark sees it: UDP datagrams with their arrival times."""
import collections
import functools
import os
import re
import struct
import subprocess

from oracle.srtp import Srtp

# t_us: arrival [us]; length: what the UDP header says, payload may have been cut
Datagram = collections.namedtuple("Datagram", "frame t_us src dst length payload")
Rtp = collections.namedtuple("Rtp", "frame t_us ssrc seq ts pt marker payload missing")

_FIELDS = ("frame.number", "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
           "udp.srcport", "udp.dstport", "udp.length", "udp.payload")


def tshark(path, *args):
    """Its stdout.  A damaged file is read as far as it goes (tshark exits with 2 then)."""
    done = subprocess.run(["tshark", "-n", "-r", str(path), *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    if done.returncode and "cut short" not in done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout


def _microseconds(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 1000000 + int(fraction[:6].ljust(6, "0"))


def _at(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@functools.lru_cache(maxsize=None)
def datagrams(path):
    """Every UDP datagram, reassembled; what ICMP quotes is none."""
    args = ["-Y", "udp && !icmp && !icmpv6", "-T", "fields"]
    for name in _FIELDS:
        args += ["-e", name]
    out = []
    for line in tshark(path, *args).splitlines():
        f = dict(zip(_FIELDS, line.split("\t"), strict=True))
        if "," in f["udp.srcport"] or not f["udp.length"]:
            continue  # a tunnel, or a fragment that stayed alone
        src, dst = f["ip.src"] or f["ipv6.src"], f["ip.dst"] or f["ipv6.dst"]
        out.append(Datagram(int(f["frame.number"]), _microseconds(f["frame.time_epoch"]),
                            _at(src, f["udp.srcport"]), _at(dst, f["udp.dstport"]),
                            int(f["udp.length"]) - 8, bytes.fromhex(f["udp.payload"])))
    return out


def rtp(d):
    """A datagram as RTP (RFC 3550 section 5.1), or None.

    `missing` counts payload bytes that were sent and are not in the capture.
    """
    p = d.payload
    if len(p) < 12 or p[0] >> 6 != 2 or 192 <= p[1] <= 223:  # RFC 5761: RTCP
        return None
    marker, pt = p[1] >> 7, p[1] & 0x7f
    seq, ts, ssrc = struct.unpack_from("!HII", p, 2)
    at, end = 12 + 4 * (p[0] & 15), d.length
    if p[0] & 0x10:
        if at + 4 > len(p):
            return None
        at += 4 + 4 * struct.unpack_from("!H", p, at + 2)[0]
    if p[0] & 0x20 and len(p) == d.length:
        end -= p[-1]
    if at > end or at > len(p):
        return None
    payload = p[at:min(end, len(p))]
    return Rtp(d.frame, d.t_us, ssrc, seq, ts, pt, marker, payload, end - at - len(payload))


@functools.lru_cache(maxsize=None)
def crypto_lines(path):
    """The a=crypto lines of the SDP in it."""
    found = tshark(path, "-Y", "sdp", "-T", "fields", "-e", "sdp.media_attr")
    return sorted(set(re.findall(r"crypto:\d+ \S+ inline:[^\s,]+", found)))


@functools.lru_cache(maxsize=None)
def _of_flow(path, src, dst):
    """Datagrams from src to dst, decrypted where a key in the capture fits the first of them."""
    out = [d for d in datagrams(path) if (d.src, d.dst) == (src, dst)]
    for line in crypto_lines(path) if out else ():
        if Srtp.of_line(line).unprotect(out[0].payload):
            context = Srtp.of_line(line)
            plain = [context.unprotect(d.payload) for d in out]
            return [d._replace(payload=p, length=len(p))
                    for d, p in zip(out, plain, strict=True) if p]
    return out


def flow(path, src, dst, first=0, last=1 << 60):
    """The RTP packets from src to dst, between two frame numbers."""
    found = (rtp(d) for d in _of_flow(path, src, dst) if first <= d.frame <= last)
    return [p for p in found if p]
