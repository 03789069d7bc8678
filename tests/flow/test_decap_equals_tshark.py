"""Every UDP datagram and TCP segment of the shared captures: tshark must see the same."""
import itertools

import pytest

import captures

# What tshark looks into and decap does not: quoted packets, tunnels.
FILTER = "(udp or tcp) and not icmp and not icmpv6 and not gre and not (ip.proto == 4)"
FIELDS = ["frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
          "udp.srcport", "udp.dstport", "udp.length", "udp.payload",
          "tcp.srcport", "tcp.dstport", "tcp.len", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags",
          "tcp.payload"]


@pytest.fixture(scope="module")
def decap_dump():
    captures.need("tshark")
    return captures.program("decap_dump")


def end(ip, ip6, port):
    return f"{ip}:{port}" if ip else f"[{ip6}]:{port}"


def line_of(f):
    kind = "udp" if f["udp.srcport"] else "tcp"
    seconds, nanos = f["frame.time_epoch"].split(".")
    payload = f[kind + ".payload"].replace(":", "")
    words = [kind, seconds + nanos[:6], end(f["ip.src"], f["ipv6.src"], f[kind + ".srcport"]),
             end(f["ip.dst"], f["ipv6.dst"], f[kind + ".dstport"]), len(payload) // 2]
    if kind == "udp":
        words += [int(f["udp.length"]) - 8]
    else:
        words += [f["tcp.len"], f["tcp.seq_raw"], f["tcp.ack_raw"], int(f["tcp.flags"], 16) & 255]
    return " ".join(map(str, words)) + " " + payload


def test_every_capture(decap_dump):
    compared = 0
    for capture in captures.shared("captures", "*.pcap*"):
        cut = "truncated_tail" in capture.name
        ours = captures.run(decap_dump, str(capture), codes=(3,) if cut else (0,))
        got = ours.stdout.decode().splitlines()
        want = [line_of(f) for f in captures.tshark(capture, FILTER, FIELDS)]
        for n, (g, w) in enumerate(itertools.zip_longest(got, want)):
            assert g == w, f"{capture.name}, packet {n + 1}"
        compared += len(want)
    assert compared > 20000


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
