"""Captures made to order: SIP calls and RTP over a network that does what the test says.

    c = Capture()
    call = Call(c, "10.0.0.1", "10.0.0.2")
    call.invite(0); call.answer(100_000)
    c.add(call.rtp("caller", talk, 200_000, drop={7, 8}))
    call.bye(9_000_000)
    c.write(path)

Times are microseconds from the capture's beginning; frames are written in the order of their
times (equal ones as they were added).
"""
import dataclasses
import ipaddress
import random
import struct

from oracle import g711

EPOCH_US = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z
LINK = {"ether": 1, "null": 0, "loop": 108, "raw": 101, "sll": 113, "sll2": 276}


# --- IP and below -----------------------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def split_at(at):
    """"10.0.0.1:5060" or "[::1]:5060" -> address object, port."""
    host, _, port = at.rpartition(":")
    return ipaddress.ip_address(host.strip("[]")), int(port)


def udp(src, dst, payload):
    (a, sport), (b, dport) = split_at(src), split_at(dst)
    length = 8 + len(payload)
    pseudo = (a.packed + b.packed + struct.pack("!BBH", 0, 17, length) if a.version == 4
              else a.packed + b.packed + struct.pack("!IHBB", length, 0, 0, 17))
    head = struct.pack("!HHHH", sport, dport, length, 0)
    return struct.pack("!HHHH", sport, dport, length,
                       checksum(pseudo + head + payload) or 0xffff) + payload


def tcp(src, dst, seq, ack, flags, payload):
    (a, sport), (b, dport) = split_at(src), split_at(dst)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff,
                       5 << 4, flags, 65535, 0, 0)
    pseudo = a.packed + b.packed + struct.pack("!BBH", 0, 6, len(head) + len(payload))
    return head[:16] + struct.pack("!HH", checksum(pseudo + head + payload), 0) + payload


def ipv4(a, b, protocol, data, ident=0, offset=0, more=False):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), ident,
                       (0x2000 if more else 0) | offset // 8, 64, protocol, 0, a.packed, b.packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def ipv6(a, b, protocol, data, ident=None, offset=0, more=False):
    if ident is not None:
        data = struct.pack("!BBHI", protocol, 0, offset | more, ident) + data
        protocol = 44
    return struct.pack("!IHBB", 6 << 28, len(data), protocol, 64) + a.packed + b.packed + data


def ip_packets(src, dst, protocol, data, mtu=None, ident=0):
    """One IP packet, or its fragments."""
    a, b = split_at(src)[0], split_at(dst)[0]
    make = ipv4 if a.version == 4 else ipv6
    room = None if mtu is None else (mtu - (20 if a.version == 4 else 48)) // 8 * 8
    if room is None or len(data) <= room:
        return [make(a, b, protocol, data)]
    return [make(a, b, protocol, data[at:at + room], ident, at, at + room < len(data))
            for at in range(0, len(data), room)]


def ethernet(packet, vlans=()):
    return dress(packet, "ether", vlans)


# Tunnels: what a mirror wraps a frame in.  Each takes an IP packet and its number and gives
# protocol and payload of the outer IP packet.
def _gre(kind, flags=0, number=0):
    fields = [(0x8000, struct.pack("!HH", 0, 0)), (0x2000, struct.pack("!I", 77)),
              (0x1000, struct.pack("!I", number))]
    return struct.pack("!HH", flags, kind) + b"".join(b for bit, b in fields if flags & bit)


def _vxlan(packet, port=4789, flags=8, following=0):
    inner = ethernet(packet) if following in (0, 3) else packet
    body = struct.pack("!BBBBI", flags, 0, 0, following, 100 << 8) + inner
    return 17, struct.pack("!HHHH", 50000, port, 8 + len(body), 0) + body


def _ethertype(packet):
    return 0x86dd if packet[0] >> 4 == 6 else 0x0800


TUNNELS = {
    "ipip": lambda p, n: (41 if p[0] >> 4 == 6 else 4, p),
    "gre": lambda p, n: (47, _gre(_ethertype(p)) + p),
    "gre_key": lambda p, n: (47, _gre(_ethertype(p), 0x2000) + p),
    "gre_all": lambda p, n: (47, _gre(_ethertype(p), 0xb000, n) + p),
    "gre_ethernet": lambda p, n: (47, _gre(0x6558, 0x2000) + ethernet(p)),
    "erspan1": lambda p, n: (47, _gre(0x88be) + ethernet(p)),
    "erspan2": lambda p, n: (47, _gre(0x88be, 0x1000, n) +
                             struct.pack("!HHI", 0x1064, 0x0064, 1) + ethernet(p)),
    "erspan2_vlan": lambda p, n: (47, _gre(0x88be, 0x1000, n) +
                                  struct.pack("!HHI", 0x1064, 0x1864, 1) +
                                  ethernet(p, [(0x8100, 100)])),
    "erspan3": lambda p, n: (47, _gre(0x22eb, 0x1000, n) +
                             struct.pack("!HHIHH", 0x2064, 0x0064, n * 1000, 0, 0) +
                             ethernet(p)),
    "erspan3_own": lambda p, n: (47, _gre(0x22eb, 0x1000, n) +
                                 struct.pack("!HHIHHQ", 0x2064, 0x0064, n * 1000, 0, 1, 5) +
                                 ethernet(p)),
    "vxlan": lambda p, n: _vxlan(p),
    "vxlan_gpe_ip": lambda p, n: _vxlan(p, 4790, 0x0c, 2 if p[0] >> 4 == 6 else 1),
    "vxlan_gpe_ethernet": lambda p, n: _vxlan(p, 4790, 0x0c, 3),
}


def dress(packet, link, vlans):
    v6 = packet[0] >> 4 == 6
    ethertype = 0x86dd if v6 else 0x0800
    if link == "ether":
        tags = b"".join(struct.pack("!HH", tpid, tag) for tpid, tag in vlans)
        return bytes.fromhex("020000000002020000000001") + tags + struct.pack("!H", ethertype) + \
            packet
    if link == "sll":
        return struct.pack("!HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1\0\0", ethertype) + packet
    if link == "sll2":
        return struct.pack("!HHIHBB8s", ethertype, 0, 1, 1, 0, 6, b"\2\0\0\0\0\1\0\0") + packet
    if link == "null":   # AF_ of the machine that captured, in its order
        return struct.pack("<I", 30 if v6 else 2) + packet
    if link == "loop":
        return struct.pack("!I", 30 if v6 else 2) + packet
    return packet


# --- files --------------------------------------------------------------------------------------

class Capture:
    """`tunnels`: names of TUNNELS, the innermost first; `outer`: addresses of their ends; `mtu`:
    of the outermost IP packets."""

    def __init__(self, link="ether", vlans=(), tunnels=(), outer=("198.51.100.1", "198.51.100.2"),
                 mtu=None):
        self.link, self.vlans, self.mtu = link, vlans, mtu
        self.tunnels, self.outer = tunnels, tuple(map(ipaddress.ip_address, outer))
        self.frames = []      # (t_us, bytes, link)
        self.ident = self.wrapped = 0

    def _wrap(self, packet):
        """In its tunnels: one IP packet, or its fragments."""
        packets = [packet]
        for depth, name in enumerate(self.tunnels, 1):
            self.wrapped += 1
            a, b = self.outer
            protocol, data = TUNNELS[name](packets[0], self.wrapped)
            if depth == len(self.tunnels) and self.mtu and len(data) > self.mtu - 48:
                step = (self.mtu - 48) // 8 * 8
                make = ipv4 if a.version == 4 else ipv6
                packets = [make(a, b, protocol, data[at:at + step], self.wrapped, at,
                                at + step < len(data)) for at in range(0, len(data), step)]
            elif a.version == 4:
                packets = [ipv4(a, b, protocol, data, self.wrapped)]
            else:
                packets = [ipv6(a, b, protocol, data)]
        return packets

    def ip(self, t_us, packet, link=None):
        link = link or self.link
        for p in self._wrap(packet):
            self.frames.append((int(t_us), dress(p, link, self.vlans), link))

    def udp(self, t_us, src, dst, payload, mtu=None, order=None):
        """`order`: in which order the fragments come (their numbers)."""
        self.ident += 1
        packets = ip_packets(src, dst, 17, udp(src, dst, payload), mtu, self.ident)
        for i in order or range(len(packets)):
            self.ip(t_us, packets[i])

    def add(self, packets):
        """[Out]: RTP or anything else in UDP."""
        for p in packets:
            self.udp(p.t_us, p.src, p.dst, p.data)

    def icmp_quotes(self, t_us, src, dst, payload):
        """dst says "port unreachable" to src and quotes its datagram."""
        a, b = split_at(src)[0], split_at(dst)[0]
        quoted = ipv4(a, b, 17, udp(src, dst, payload))
        body = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        self.ip(t_us, ipv4(b, a, 1, body))

    def tcp(self, t_us, src, dst, seq, ack, flags, payload=b""):
        self.ip(t_us, ip_packets(src, dst, 6, tcp(src, dst, seq, ack, flags, payload))[0])

    def write(self, path, form="pcap", big_endian=False, nano=False, snaplen=None):
        frames = sorted(self.frames, key=lambda f: f[0])
        order = ">" if big_endian else "<"
        data = (self._pcapng if form == "pcapng" else self._pcap)(frames, order, nano, snaplen)
        path.write_bytes(data)
        return path

    def _pcap(self, frames, order, nano, snaplen):
        if len({f[2] for f in frames}) > 1:
            raise ValueError("a pcap file has one link type")
        out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0,
                           snaplen or 262144, LINK[self.link])]
        for t_us, data, _ in frames:
            t_us += EPOCH_US
            fraction = t_us % 1000000 * (1000 if nano else 1)
            cut = data[:snaplen]
            out.append(struct.pack(order + "IIII", t_us // 1000000, fraction, len(cut),
                                   len(data)) + cut)
        return b"".join(out)

    @staticmethod
    def _pcapng(frames, order, nano, snaplen):
        def block(kind, body):
            body += b"\0" * (-len(body) % 4)
            n = 12 + len(body)
            return struct.pack(order + "II", kind, n) + body + struct.pack(order + "I", n)

        out = [block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))]
        links = []
        for t_us, data, link in frames:
            if link not in links:
                links.append(link)
                resolution = struct.pack(order + "HHBxxxHH", 9, 1, 9, 0, 0) if nano else b""
                out.append(block(1, struct.pack(order + "HHI", LINK[link], 0, snaplen or 0) +
                                 resolution))
            t = (t_us + EPOCH_US) * (1000 if nano else 1)
            cut = data[:snaplen]
            out.append(block(6, struct.pack(order + "IIIII", links.index(link), t >> 32,
                                            t & 0xffffffff, len(cut), len(data)) + cut))
        return b"".join(out)


# --- RTP --------------------------------------------------------------------------------------

@dataclasses.dataclass
class Out:
    """One datagram on its way; what is not RTP has only the first four."""

    t_us: int
    src: str
    dst: str
    data: bytes
    seq: int = 0
    ts: int = 0


def rtp_packet(pt, seq, ts, ssrc, payload, marker=False, csrc=(), extension=None, pad=0):
    first = 0x80 | (0x20 if pad else 0) | (0x10 if extension is not None else 0) | len(csrc)
    head = struct.pack("!BBHII", first, (0x80 if marker else 0) | pt, seq & 0xffff,
                       ts & 0xffffffff, ssrc)
    head += b"".join(struct.pack("!I", c) for c in csrc)
    if extension is not None:
        head += struct.pack("!HH", 0xbede, len(extension) // 4) + extension
    return head + payload + (b"\0" * (pad - 1) + bytes([pad]) if pad else b"")


class Sender:
    """One RTP source: keeps sequence number, timestamp and its clock.

    Everything it makes is on the wire when its last sample was spoken.
    """

    def __init__(self, src, dst, t_us, ssrc=0x1000, seq=1000, ts=5000, pt=0, codec="PCMU",
                 ptime=20):
        self.src, self.dst, self.t_us = src, dst, t_us
        self.ssrc, self.seq, self.ts = ssrc, seq, ts
        self.pt, self.codec, self.ptime = pt, codec, ptime
        self.sent = []

    def packet(self, payload, pt=None, ts=None, **header):
        ts = self.ts if ts is None else ts
        data = rtp_packet(self.pt if pt is None else pt, self.seq, ts, self.ssrc, payload,
                          **header)
        self.sent.append(Out(self.t_us, self.src, self.dst, data, self.seq & 0xffff, ts))
        self.seq += 1
        return self.sent[-1]

    def speak(self, pcm, **header):
        """int16 samples, in packets of ptime; they had better divide."""
        step = self.ptime * 8
        for at in range(0, len(pcm), step):
            part = pcm[at:at + step]
            self.t_us += len(part) * 125
            if self.codec == "L16":
                payload = struct.pack(f"!{len(part)}h", *part)
            else:
                payload = g711.encode(self.codec, part)
            self.packet(payload, **header)
            self.ts += len(part)
        return self

    def codes(self, data, **header):
        """G.711 bytes as they are."""
        step = self.ptime * 8
        for at in range(0, len(data), step):
            self.t_us += len(data[at:at + step]) * 125
            self.packet(data[at:at + step], **header)
            self.ts += len(data[at:at + step])
        return self

    def pause(self, ms):
        """Nothing is sent, time goes on (DTX)."""
        self.t_us += ms * 1000
        self.ts += ms * 8
        return self

    def stop(self, ms):
        """Nothing is sent and the RTP clock stands still: it continues where it was."""
        self.t_us += ms * 1000
        return self

    def noise(self, level=70, pt=13):
        """One comfort noise packet here (RFC 3389); time goes on 20 ms."""
        self.packet(bytes([level]), pt=pt)
        return self.pause(20)

    def event(self, code, ms=100, pt=101):
        """One digit of RFC 4733: updates every 20 ms, the end three times; time goes on."""
        start = self.ts
        for at in range(20, ms + 1, 20):
            self.t_us += 20000
            end = at + 20 > ms
            for _ in range(3 if end else 1):
                self.packet(struct.pack("!BBH", code, (0x80 if end else 0) | 10, at * 8), pt=pt,
                            ts=start, marker=at == 20)
        self.ts += ms * 8
        return self


def network(packets, drop=(), twice=(), late=None, jitter_us=0, seed=1):
    """What arrives: without those numbered in `drop`, `late` = {number: microseconds}."""
    rng = random.Random(seed)
    out = []
    for i, p in enumerate(packets):
        if i in drop:
            continue
        t_us = p.t_us + (late or {}).get(i, 0) + (rng.randrange(jitter_us) if jitter_us else 0)
        out.append(dataclasses.replace(p, t_us=t_us))
        if i in twice:
            out.append(dataclasses.replace(p, t_us=t_us + 300))
    return sorted(out, key=lambda p: p.t_us)


# --- SIP --------------------------------------------------------------------------------------

class Call:
    """One dialog seen at one place: who called whom, and what their SDP said."""

    def __init__(self, capture, a="10.0.0.1", b="10.0.0.2", name="call", media_a=4000,
                 media_b=5000, formats=(0, 8, 101), sip_a=5060, sip_b=5060, profile="RTP/AVP"):
        self.capture, self.name, self.formats, self.profile = capture, name, formats, profile
        self.sip = {"caller": f"{a}:{sip_a}", "agent": f"{b}:{sip_b}"}
        self.ip = {"caller": a.strip("[]"), "agent": b.strip("[]")}
        self.media = {"caller": f"{a}:{media_a}", "agent": f"{b}:{media_b}"}
        self.cseq = 1

    def sdp(self, who, direction="sendrecv", extra=""):
        v = 6 if ":" in self.ip[who] else 4
        names = {0: "PCMU/8000", 8: "PCMA/8000", 13: "CN/8000", 101: "telephone-event/8000",
                 96: "L16/8000", 9: "G722/8000", 18: "G729/8000"}
        formats = self.formats
        lines = ["v=0", f"o={who} 1 1 IN IP{v} {self.ip[who]}", "s=-",
                 f"c=IN IP{v} {self.ip[who]}", "t=0 0",
                 f"m=audio {self.media[who].rpartition(':')[2]} {self.profile} "
                 + " ".join(map(str, formats)),
                 *[f"a=rtpmap:{n} {names[n]}" for n in formats], f"a={direction}"]
        return "\r\n".join(lines) + "\r\n" + extra

    def message(self, first, method, cseq, to_tag, body="", asker="caller", more=()):
        tags = {"caller": "a", "agent": "b"}
        other = "agent" if asker == "caller" else "caller"
        to = f"<sip:{other}@example.com>" + (f";tag={tags[other]}{self.name}" if to_tag else "")
        lines = [first, f"Via: SIP/2.0/UDP {self.sip[asker]};branch=z9hG4bK{self.name}{cseq}",
                 f"From: <sip:{asker}@example.com>;tag={tags[asker]}{self.name}", f"To: {to}",
                 f"Call-ID: {self.name}@example.com", f"CSeq: {cseq} {method}",
                 "Max-Forwards: 70", f"Contact: <sip:{asker}@{self.sip[asker]}>", *more]
        if body:
            lines.append("Content-Type: application/sdp")
        lines += [f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines).encode()

    def send(self, t_us, who, data, **how):
        other = "agent" if who == "caller" else "caller"
        self.capture.udp(t_us, self.sip[who], self.sip[other], data, **how)

    def request(self, method, who="caller", to_tag=True, body="", more=()):
        """Its text; the number rises but for ACK."""
        if method != "ACK":
            self.cseq += 1
        other = "agent" if who == "caller" else "caller"
        return self.message(f"{method} sip:{other}@{self.sip[other]} SIP/2.0", method, self.cseq,
                            to_tag, body, who, more)

    def status(self, code, method="INVITE", asker="caller", body="", words="Words"):
        return self.message(f"SIP/2.0 {code} {words}", method, self.cseq, code > 100, body, asker)

    def invite(self, t_us, **how):
        self.send(t_us, "caller", self.request("INVITE", to_tag=False, body=self.sdp("caller")),
                  **how)

    def answer(self, t_us):
        self.send(t_us, "agent", self.status(200, body=self.sdp("agent"), words="OK"))
        self.send(t_us + 1000, "caller", self.request("ACK"))

    def start(self, t_us=0):
        """INVITE, 180, 200, ACK."""
        self.invite(t_us)
        self.send(t_us + 10_000, "agent", self.status(180, words="Ringing"))
        self.answer(t_us + 100_000)
        return self

    def bye(self, t_us, who="caller"):
        other = "agent" if who == "caller" else "caller"
        self.send(t_us, who, self.request("BYE", who))
        self.send(t_us + 1000, other, self.status(200, "BYE", who, words="OK"))

    def sender(self, who, t_us, **how):
        other = "agent" if who == "caller" else "caller"
        return Sender(self.media[who], self.media[other], t_us, **how)
