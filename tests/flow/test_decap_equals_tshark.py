"""Every UDP datagram and TCP segment of the shared captures: tshark must see the same."""
import itertools

import pytest

import captures
from oracle.pcapgen import TUNNELS, Capture, ethernet

# What tshark looks into and decap does not: quoted packets.
FILTER = "(udp or tcp) and not icmp and not icmpv6"
FIELDS = ["frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
          "udp.srcport", "udp.dstport", "udp.length", "udp.payload",
          "tcp.srcport", "tcp.dstport", "tcp.len", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags",
          "tcp.payload"]


@pytest.fixture(scope="module")
def decap_dump():
    captures.need("tshark")
    return captures.program("decap_dump")


def kind_of(f):
    """"ip:udp" ...: the innermost IP header and what is in it; None: neither UDP nor TCP."""
    names = f["frame.protocols"].split(":")
    last = max(i for i, x in enumerate(names) if x in ("ip", "ipv6"))
    behind = names[last:]
    if "vxlan" in behind:   # something else than IP inside
        return None
    return next((f"{names[last]}:{x}" for x in behind if x in ("udp", "tcp")), None)


def line_of(f):
    ip, kind = kind_of(f).split(":")
    seconds, nanos = f["frame.time_epoch"].split(".")
    payload = f[kind + ".payload"].replace(":", "")
    ends = [(f"{f[ip + '.' + x]}:{f[kind + '.' + x + 'port']}" if ip == "ip" else
             f"[{f[ip + '.' + x]}]:{f[kind + '.' + x + 'port']}") for x in ("src", "dst")]
    words = [kind, seconds + nanos[:6], *ends, len(payload) // 2]
    if kind == "udp":
        words += [int(f["udp.length"]) - 8]
    else:
        words += [f["tcp.len"], f["tcp.seq_raw"], f["tcp.ack_raw"], int(f["tcp.flags"], 16) & 255]
    return " ".join(map(str, words)) + " " + payload


def tshark_sees(capture):
    """The innermost of every frame."""
    fields = captures.tshark(capture, FILTER, FIELDS, occurrence="l", tunnels=True)
    for f in fields:   # all names of the stack, whatever the occurrence
        f["frame.protocols"] = f["frame.protocols"].split(";")[-1]
    return [line_of(f) for f in fields if kind_of(f)]


def test_every_capture(decap_dump):
    compared = 0
    for capture in captures.shared("captures", "*.pcap*"):
        cut = "truncated_tail" in capture.name
        ours = captures.run(decap_dump, str(capture), codes=(3,) if cut else (0,))
        got = ours.stdout.decode().splitlines()
        want = tshark_sees(capture)
        for n, (g, w) in enumerate(itertools.zip_longest(got, want)):
            assert g == w, f"{capture.name}, packet {n + 1}"
        compared += len(want)
    assert compared > 20000


def every_tunnel():
    """One capture: each tunnel, outside and inside both versions of IP, with fragments, and two
    of them in one another."""
    whole = Capture()
    stacks = [(x,) for x in TUNNELS]
    stacks += [(a, b) for a in TUNNELS for b in ("ipip", "gre", "erspan2", "vxlan")]
    for n, stack in enumerate(stacks):
        for k, outer in enumerate((("198.51.100.1", "198.51.100.2"),
                                   ("2001:db8::a", "2001:db8::b"))):
            c = Capture(tunnels=stack, outer=outer, mtu=600)
            c.wrapped = 100 * (2 * n + k)
            c.ident = 100 * (2 * n + k)
            for host in "10.0.0.{}:{}", "[2001:db8::{}]:{}":
                src, dst = host.format(1, 4000 + n), host.format(2, 5000 + k)
                c.udp(n * 1000, src, dst, b"small %d" % n)
                c.udp(n * 1000 + 1, src, dst, bytes(range(256)) * 4 + b"%d" % n)
                c.udp(n * 1000 + 2, src, dst, bytes(range(256)) * 4 + b"pieces %d" % n, mtu=700)
                c.tcp(n * 1000 + 3, src, dst, n, 1, 0x18, b"of tcp %d" % n)
            whole.frames += c.frames
    return whole


# What stands between Ethernet and IP, with the ethertype before it
TAGS = {
    "MPLS": "8847 00064140", "two labels": "8847 00064040 00065140", "VN-Tag": "8926 80010002 0800",
    "VN-Tag and VLAN": "8926 80010002 8100 0064 0800", "QinQ": "88a8 000a 8100 0064 0800",
    "old QinQ": "9100 000a 8100 0064 0800",
}


def test_every_tag(decap_dump, tmp_path):
    whole, raw = Capture(), Capture("raw")
    for n, tags in enumerate(TAGS.values()):
        raw.udp(n, "10.0.0.1:4000", f"10.0.0.2:{5000 + n}", b"tag %d" % n)
        packet = raw.frames[-1][1]
        whole.frames.append((n, ethernet(packet)[:12] + bytes.fromhex(tags) + packet, "ether"))
    capture = whole.write(tmp_path / "tags.pcap")
    got = captures.run(decap_dump, str(capture)).stdout.decode().splitlines()
    assert got == tshark_sees(capture) and len(got) == len(TAGS)


def test_every_tunnel(decap_dump, tmp_path):
    capture = every_tunnel().write(tmp_path / "tunnels.pcap")
    got = captures.run(decap_dump, str(capture)).stdout.decode().splitlines()
    want = tshark_sees(capture)
    for n, (g, w) in enumerate(itertools.zip_longest(got, want)):
        assert g == w, f"packet {n + 1}"
    assert len(want) == len(TUNNELS) * 5 * 2 * 2 * 4


def test_the_cure_for_mixed_link_types_works(decap_dump, tmp_path):
    captures.need("mergecap", "editcap", "tshark")
    ether, sll = (captures.shared("captures", name)[0] for name in
                  ("local_baresip_call.pcap", "local_baresip_udp_sll1.pcap"))
    for first, other in ((ether, sll), (sll, ether)):
        mixed = tmp_path / "mixed.pcapng"
        # -a: one after the other, so the first file's link type is the first one
        captures.run("mergecap", "-a", "-w", str(mixed), str(first), str(other))
        ours = captures.run(decap_dump, str(mixed), codes=(3,))
        said = ours.stderr.decode().splitlines()[0]
        intro, cure = said.split(": ", 1)
        assert intro == "mixed link types; keep one"
        captures.run("sh", "-c", cure.replace("FILE", "mixed.pcapng"), cwd=tmp_path)
        cured = tmp_path / cure.split()[-1]
        assert captures.run(decap_dump, str(cured)).stdout == \
            captures.run(decap_dump, str(first)).stdout
