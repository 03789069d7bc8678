"""The WAV of every G.711 leg is what a decoder nobody here wrote in C makes of its packets.

tshark says which packets there are, oracle/ what they mean on RTP time.  CALLS was worked out
by hand with tshark: who called whom, which streams belong to which call, what SDP named them.
"""
import datetime
import subprocess
from collections import namedtuple

import pytest

from oracle import g711, packets, timeline
from replay import capture, differs, replay

# role, src, dst, codec as told; frames: of the flow, those that are this leg's
LegRow = namedtuple("LegRow", "role src dst codec frames", defaults=((0, 1 << 60),))
# reason: why it ended; call_id None: nobody announced it
CallRow = namedtuple("CallRow", "call_id from_ to reason legs")
FileRow = namedtuple("FileRow", "calls code", defaults=(0,))

BARESIP = (
    LegRow("caller", "127.0.0.1:20032", "127.0.0.1:30000", "PCMU"),
    LegRow("agent", "127.0.0.1:30000", "127.0.0.1:20032", "PCMU"),
)
BARESIP_CALL = CallRow("387e7097b6c9f484", "alice@127.0.0.1", "service@127.0.0.1", "bye", BARESIP)


def orphan(*legs):
    return CallRow(None, None, None, "capture_end",
                   [LegRow("unknown", *leg) for leg in legs])


CALLS = {
    # one call in seven dresses
    "local_baresip_call.pcap": FileRow([BARESIP_CALL]),
    "local_call.pcapng": FileRow([BARESIP_CALL]),
    "local_vlan100_call.pcap": FileRow([BARESIP_CALL]),
    "local_qinq_call.pcap": FileRow([BARESIP_CALL]),
    "local_dltraw_call.pcap": FileRow([BARESIP_CALL]),
    "local_dltnull_call.pcap": FileRow([BARESIP_CALL]),
    "local_truncated_tail.pcap": FileRow(  # 939 whole packets, no BYE
        [BARESIP_CALL._replace(reason="input_error")], 3),
    # the SDP was cut off with everything else: nobody announced it
    "local_snaplen96_call.pcap": FileRow(
        [orphan(*(leg[1:4] for leg in BARESIP))], 3),

    "local_baresip_ipv6_pcmu.pcap": FileRow([CallRow(
        "0682d95f9e9d8b98", "alice@[::1]", "bob@[::1]", "bye", [
            LegRow("caller", "[::1]:20088", "[::1]:21028", "PCMU"),
            LegRow("agent", "[::1]:21028", "[::1]:20088", "PCMU")])]),
    "local_baresip_tcp_sll2.pcap": FileRow([CallRow(  # SIP over TCP
        "c0c915c37d83a252", "alice@127.0.0.1", "bob@127.0.0.1", "bye", [
            LegRow("caller", "127.0.0.1:20092", "127.0.0.1:21062", "PCMA"),
            LegRow("agent", "127.0.0.1:21062", "127.0.0.1:20092", "PCMA")])]),
    "local_baresip_udp_sll1.pcap": FileRow([CallRow(
        "5e431ea950fd271b", "alice@127.0.0.1", "bob@127.0.0.1", "bye", [
            LegRow("caller", "127.0.0.1:20044", "127.0.0.1:21086", "PCMA"),
            LegRow("agent", "127.0.0.1:21086", "127.0.0.1:20044", "PCMA")])]),
    # SRTP, its keys in both SDPs
    "local_baresip_srtp_sdes.pcap": FileRow([CallRow(
        "87180e635673567e", "alice@127.0.0.1", "bob@127.0.0.1", "bye", [
            LegRow("caller", "127.0.0.1:20016", "127.0.0.1:21014", "PCMA"),
            LegRow("agent", "127.0.0.1:21014", "127.0.0.1:20016", "PCMA")])]),
    # digits (24 packets of PT 101) and two holds of 6.2 and 4.1 s
    "local_baresip_twoparty_pcma_hold_dtmf.pcap": FileRow([CallRow(
        "90d949912a0b0a78", "alice@127.0.0.1", "bob@127.0.0.1", "bye", [
            LegRow("caller", "127.0.0.1:20052", "127.0.0.1:21008", "PCMA"),
            LegRow("agent", "127.0.0.1:21008", "127.0.0.1:20052", "PCMA")])]),
    "local_imp_loss5_pcmu.pcap": FileRow([CallRow(
        "6a2a1a4ae640b067", "alice@10.99.1.1", "bob@10.99.1.2", "bye", [
            LegRow("caller", "10.99.1.1:20006", "10.99.1.2:21048", "PCMU"),
            LegRow("agent", "10.99.1.2:21048", "10.99.1.1:20006", "PCMU")])]),
    # the digit comes with an SSRC of its own on the same addresses
    "local_sipp_pcapplay_pcma_dtmf.pcap": FileRow([CallRow(
        "1-411@127.0.0.1", "sipp@127.0.0.1", "service@127.0.0.1", "bye", [
            LegRow("caller", "127.0.0.1:6000", "127.0.0.1:30000", "PCMA"),
            LegRow("agent", "127.0.0.1:30000", "127.0.0.1:6000", "PCMA")])]),

    # recorders: who of them is the caller, only the metadata could tell
    "local_siprec_avaya_sbce.pcap": FileRow([CallRow(
        "1-28862@10.99.1.1", "13035381001@10.99.1.1", "10.99.1.2", "bye", [
            LegRow("caller", "10.99.1.1:30000", "10.99.1.2:40000", "PCMA")])]),
    # its BYE says "CSeq: 604674516 INVITE" (RFC 3261 8.1.1.5 forbids it): the RTP goes on
    "local_siprec_broadworks_pause_resume.pcap": FileRow([CallRow(
        "1-26966@10.99.1.1", "+12134174466@masergy.com", "10.99.1.2", "capture_end", [
            LegRow("mixed", "10.99.1.1:30000", "10.99.1.2:40000", "PCMA")])]),
    "local_siprec_cisco_cube_tcp.pcap": FileRow([CallRow(  # offers PCMU, plays PCMA
        "1-28996@10.99.1.1", "10.99.1.1", "8000@10.99.1.2", "bye", [
            LegRow("caller", "10.99.1.1:30000", "10.99.1.2:40000", "PCMA")])]),
    "local_siprec_dual_pcma_pause.pcap": FileRow([CallRow(
        "dual-29590@10.99.1.1", "src@10.99.1.1", "srs@10.99.1.2", "bye", [
            LegRow("caller", "10.99.1.1:31000", "10.99.1.2:40000", "PCMA"),
            LegRow("agent", "10.99.1.1:31004", "10.99.1.2:40002", "PCMA")])]),
    "local_siprec_dual_pcmu_cn_dtmf.pcap": FileRow([CallRow(
        "dual-29424@10.99.1.1", "src@10.99.1.1", "srs@10.99.1.2", "bye", [
            LegRow("caller", "10.99.1.1:31000", "10.99.1.2:40000", "PCMU"),
            LegRow("agent", "10.99.1.1:31004", "10.99.1.2:40002", "PCMU")])]),

    # bare RTP
    "SIPp_sipp__g711a.pcap": FileRow([orphan(("10.1.3.143:5000", "10.1.6.18:2006", "PCMA"))]),
    "asterisk_testsuite__crash-27382.pcap": FileRow(
        [orphan(("127.0.0.1:10194", "127.0.0.1:15394", "PCMU"))]),
    "asterisk_testsuite__ulaw-2013785496.pcap": FileRow(
        [orphan(("10.0.0.51:4000", "10.0.0.45:10866", "PCMU"))]),

    # the SIP in the file names the first pair only; the relay's other side is orphan RTP, and
    # so are six packets of a second call to a port its SDP (40360) does not name
    "odedshimon_BruteShark__SIP_CALL_RTP_G711.pcap": FileRow([
        CallRow("12013223@200.57.7.195", "200.57.7.195", "francisco@bestel.com", "capture_end", [
            LegRow("caller", "200.57.7.196:40376", "200.57.7.204:8000", "pcma"),
            LegRow("agent", "200.57.7.204:8000", "200.57.7.196:40376", "PCMA")]),
        orphan(("200.57.7.196:40378", "200.57.7.199:4800", "PCMA"),
               ("200.57.7.199:4800", "200.57.7.196:40378", "PCMA")),
        orphan(("200.57.7.202:30000", "200.57.7.196:40362", "PCMA"))]),
    # two calls to the same port; only the called party sends
    "odedshimon_BruteShark__sip-rtp-g711.pcap": FileRow([
        CallRow("1-1966@10.0.2.20", "sipp@10.0.2.20", "test@10.0.2.15", "bye", [
            LegRow("agent", "10.0.2.15:27942", "10.0.2.20:6000", "PCMU")]),
        CallRow("1-1968@10.0.2.20", "sipp@10.0.2.20", "test@10.0.2.15", "capture_end", [
            LegRow("agent", "10.0.2.15:28102", "10.0.2.20:6000", "PCMA")])]),
    # the 401 and its repetition are one call; from the ZRTP Commit on (frame COMMIT) it is noise
    "odedshimon_BruteShark__Asterisk_ZFONE_XLITE.pcap": FileRow([CallRow(
        "ZDYzOWVlNjEwM2NjZTBjNzliNmM1ZTNiOGZjNWFhN2E.", "10009@192.168.10.2",
        "10008@192.168.10.2", "bye", [
            LegRow("caller", "192.168.10.41:64508", "192.168.10.40:49848", "PCMU", (0, 0)),
            LegRow("agent", "192.168.10.40:49848", "192.168.10.41:64508", "PCMU", (0, 0))])]),
}

# Nothing of these can be decoded, and the leg says why.
UNUSABLE = {
    # the INVITE is missing but for its last fragment; the 200 names both lines
    "miarecdev_sipp-siprec__siprec_dual_channel_udp.pcap": ("codec", [
        ("caller", "192.168.86.48:58594", "18.220.121.163:23832", "G722"),
        ("caller", "192.168.86.48:58596", "18.220.121.163:22716", "G722")]),
}

# No call of ours: a call without RTP may be told (answered), a leg may not.
SILENT = {
    "OISF_suricata-verify__sip-body-large.pcap": 0,
    "OISF_suricata-verify__sip_compact_form.pcap": 0,
    "SIPp_sipp__dtmf_2833_1.pcap": 0,         # telephone-event alone opens nothing
    "asterisk_testsuite__broken_dtmf.pcap": 0,
    "irontec_sngrep__ipip.pcap": None,        # inside a tunnel; unwrapping it is not promised
    "irontec_sngrep__ipv6frag.pcap": 1,       # answered with AMR-WB, no RTP in the file
    "zeek_zeek__sip-junk-before-request.pcap": 0,
    "the-tcpdump-group_tcpdump__802.1ad_QinQ.pcap": 0,
    "zeek_zeek__gre-erspan3-dot1q.pcap": 0,
    "zeek_zeek__vlan-qinqinq.pcap": 0,
    "zeek_zeek__vxlan.pcap": 0,
}


def need(name):
    return capture(name) or pytest.skip(f"{name} is not on this machine (shared/captures)")


def zrtp_commit(path):
    """Frame of the first Commit (RFC 6189 5.4), by tshark's dissector."""
    frames = packets.tshark(path, "-Y", 'zrtp.type == "Commit  "', "-T", "fields",
                            "-e", "frame.number").split()
    return int(frames[0])


def frames_of(row, path):
    return (0, zrtp_commit(path)) if row.frames == (0, 0) else row.frames


def of_row(row, path):
    return timeline.decode(packets.flow(path, row.src, row.dst, *frames_of(row, path)))


def microseconds(text):
    """RFC 3339, UTC -> microseconds since 1970."""
    when = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return (when - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def check_leg(run, leg, row, path):
    """Samples, and every figure the oracle knows."""
    want = of_row(row, path)
    assert len(want.pcm) > 0
    assert differs(run.wav(leg), want.pcm, want.concealed) is None, leg.src

    media, = leg.all("leg.media")
    assert microseconds(media["at"]) == want.first_us
    call, = (c for c in run.calls if c["call"] == leg.call)
    assert media["offset_ms"] == (want.first_us - microseconds(call["ts"])) // 1000

    end, ssrc = leg.end, packets.flow(path, row.src, row.dst)[0].ssrc
    assert leg.start["rtp"]["ssrc"] == ssrc
    assert end["duration_ms"] == len(want.pcm) // 8
    assert leg.samples == {"received": want.received, "sent": want.received,
                           "lost": 0, "paused": 0}
    assert end["audio"]["concealed_ms"] == sum(s.end - s.start for s in want.concealed) // 8
    rtp = end["rtp"]
    assert (rtp["lost"], rtp["late"], rtp["duplicate"]) == \
        (want.lost, want.late, want.duplicate)
    # to 1 %: the RFC's own code rounds to whole timestamp units as it goes
    audio = [p for p in packets.flow(path, row.src, row.dst, *frames_of(row, path))
             if p.pt in (0, 8)]
    assert rtp["jitter_ms"] == pytest.approx(timeline.jitter_ms(audio), rel=.01, abs=.01)
    told = [tuple(s) for e in leg.all("gap", cause="rtp_loss")
            for s in e.get("spans", [[e["start_ms"], e["end_ms"]]])]
    assert told == [(s.start // 8, -(-s.end // 8)) for s in want.loss]
    assert [(e["at_ms"], e["kind"]) for e in leg.all("discontinuity")] == \
        [(b.at // 8, b.kind) for b in want.breaks]


@pytest.mark.parametrize("name", CALLS)
def test_the_wav_is_what_an_independent_decoder_hears(name, tmp_path):
    path, row = need(name), CALLS[name]
    run = replay(path, tmp_path, "--asr", "none", code=row.code)

    told = {}
    for start, end in zip(run.calls, [e for e in run.events if e["type"] == "call.end"],
                          strict=True):
        told[start["call"]] = (start, end)
    assert len(told) == len(row.calls)
    legs = {(leg.src, leg.dst): leg for leg in run.legs}
    assert sorted((leg.src, leg.dst) for leg in run.legs) == \
        sorted((r.src, r.dst) for c in row.calls for r in c.legs)
    assert run.wavs == sorted(f"{leg.name}.wav" for leg in run.legs)

    for call in row.calls:
        ids = {legs[r.src, r.dst].call for r in call.legs}
        assert len(ids) == 1, "its legs are of several calls"
        start = next(s for s, _ in told.values() if s["call"] in ids)
        end = next(e for e in run.events if e["type"] == "call.end" and e["call"] in ids)
        assert (start.get("sip_call_id"), start.get("from"), start.get("to")) == \
            (call.call_id, call.from_, call.to)
        assert (start["source"], end["reason"], end["legs"]) == \
            ("replay", call.reason, len(call.legs))
        for r in call.legs:
            leg = legs[r.src, r.dst]
            assert (leg.role, leg.start["codec"]) == (r.role, r.codec)
            check_leg(run, leg, r, path)


def test_what_zrtp_encrypts_is_said_and_not_heard(tmp_path):
    path = need("odedshimon_BruteShark__Asterisk_ZFONE_XLITE.pcap")
    run = replay(path, tmp_path, "--asr", "none")
    commit = zrtp_commit(path)
    all_packets = len(packets.flow(path, "192.168.10.40:49848", "192.168.10.41:64508"))
    for leg in run.legs:
        assert [e["reason"] for e in leg.all("leg.state")] == ["encrypted"]
        heard = len(packets.flow(path, leg.src, leg.dst, 0, commit))
        assert leg.end["rtp"]["packets"] == heard < all_packets // 10


@pytest.mark.parametrize("name", UNUSABLE)
def test_media_we_cannot_use_is_told_and_makes_no_wav(name, tmp_path):
    path, (why, rows) = need(name), UNUSABLE[name]
    run = replay(path, tmp_path, "--asr", "none")
    assert len(run.calls) == 1 and run.wavs == []
    legs = {(leg.src, leg.dst): leg for leg in run.legs}
    assert len(run.legs) == len(rows)
    for role, src, dst, codec in rows:
        leg = legs[src, dst]
        assert (leg.role, leg.start["codec"]) == (role, codec)
        assert [e["reason"] for e in leg.all("leg.state")] == [why]
        assert leg.samples["received"] == 0
        assert leg.all("leg.media") == leg.all("segment") == leg.all("gap") == []
    assert run.events[-1]["reason"] == "bye"


@pytest.mark.parametrize("name", SILENT)
def test_nothing_is_invented(name, tmp_path):
    run = replay(need(name), tmp_path, "--asr", "none")
    assert run.legs == [] and run.wavs == []
    if SILENT[name] is not None:
        assert len(run.calls) == SILENT[name]


def test_every_capture_there_is_has_its_row():
    directory = need("SIPp_sipp__g711a.pcap").parent
    names = {p.name for p in directory.iterdir() if p.suffix in (".pcap", ".pcapng")}
    assert names == set(CALLS) | set(UNUSABLE) | set(SILENT)


@pytest.mark.parametrize("codec, encoding", [("PCMU", "mu-law"), ("PCMA", "a-law")])
def test_the_tables_of_the_oracle_are_sox_s(codec, encoding):
    got = subprocess.run(
        ["sox", "-D", "-t", "raw", "-r", "8000", "-c", "1", "-e", encoding, "-b", "8", "-",
         "-t", "raw", "-e", "signed", "-b", "16", "-L", "-"],
        input=bytes(range(256)), stdout=subprocess.PIPE, check=True).stdout
    assert got == g711.TABLES[codec].tobytes()
