"""Loss to 30 %, bursts, reordering, copies, wraps, jumps, pauses: the timeline to the sample.

callgen writes what it would have sent into a capture; the daemon replays it.  What is on the
daemon's timeline is held against callgen's report and against the packets in the capture, read by
tshark and decoded by an oracle written from the RFCs alone: so callgen is not its own judge.
"""
import subprocess

import pytest

from callgen import callgen, crc, tiles
from oracle import packets, timeline
from replay import differs, replay
from simulator import BUILD

LEGS, SECONDS = 3, 20
WRAP = ("--first-seq", 65300, "--first-ts", 2**32 - 40000)
ROWS = {
    "clean": (),
    "loss 0.5 %": ("--loss", 0.5),
    "loss 5 %": ("--loss", 5),
    "loss 15 %": ("--loss", 15, *WRAP),
    "loss 30 %": ("--loss", 30),
    "bursts of 3, 10 %": ("--loss", 10, "--burst", 3),
    "bursts of 10, 30 %": ("--loss", 30, "--burst", 10, *WRAP),
    "bursts of 60, 30 %": ("--loss", 30, "--burst", 60),
    "reordered": ("--reorder", 10),
    "reordered by 2": ("--reorder", 5, "--reorder-by-2"),
    "copies": ("--duplicate", 30),
    "late, in order": ("--jitter", "90ms"),
    "wraps": WRAP,
    "all of it": ("--loss", 12, "--burst", 2, "--reorder", 5, "--duplicate", 10, "--jitter",
                  "10ms", *WRAP),
    "10 ms": ("--ptime", 10, "--loss", 8, "--reorder", 5),
    "60 ms": ("--ptime", 60, "--loss", 8, "--duplicate", 5),
    "A-law and mu-law": ("--codec", "PCMA,PCMU", "--ptime", "30,20,40", "--loss", 5),
    "pauses": ("--dtx", "1500ms:900ms"),
    "comfort noise and loss": ("--dtx", "1500ms:900ms", "--cn", "--loss", 10),
    "digits and loss": ("--dtmf", "159*#D@3s", "--loss", 10),
    "held": ("--hold", "5s:4s", "--loss", 5),
    "a jump ahead": ("--jump", "7s:800000", "--loss", 10),
    "a jump back": ("--jump", "7s:-800000", "--loss", 10, "--reorder", 5),
    "a new source": ("--ssrc-change", "9s", "--loss", 10, "--duplicate", 5),
    "both": ("--ssrc-change", "5s", "--jump", "12s:-16000", "--loss", 20, "--burst", 4),
}
KINDS = {13: "CN", 101: "EVENT"}


def options(row):
    given = list(ROWS[row])
    if "--reorder-by-2" in given:
        at = given.index("--reorder-by-2")
        given[at - 1:at + 1] = [f"{given[at - 1]}:2"]
    return given


def check(line, leg, run, path):
    wav, spans = run.wav(leg), tiles(line)
    pcm = wav.tobytes()
    frame = line["ptime"] * 8
    assert len(wav) == line["samples"]["all"] == SECONDS * 8000 // frame * frame
    wrong = [(s, e) for s, e, kind, want in spans if kind == "heard" and crc(pcm, s, e) != want]
    assert not wrong, f"{len(wrong)} of {len(spans)} spans differ, the first: {wrong[0]}"

    want = timeline.decode(packets.flow(path, line["from"], line["to"]), KINDS)
    assert differs(wav, want.pcm, want.concealed) is None
    holes = sorted([list(x) for x in want.loss + want.silence])
    told = sorted([s, e] for s, e, kind, _ in spans if kind != "heard")
    assert joined(holes) == joined(told), "callgen's report is not what the packets say"
    assert want.received == line["samples"]["heard"] == leg.samples["received"]

    assert [(e["at_ms"], e["kind"]) for e in leg.all("discontinuity") if "skipped_ms" not in e] == \
        [(at // 8, kind) for at, kind in line.get("breaks", [])]
    rtp, sent = leg.end["rtp"], line["packets"]
    # copies are told apart; what came late or out of order is not lost
    assert (rtp["lost"], rtp["duplicate"], rtp["late"]) == (sent["lost"], sent["duplicate"], 0)
    if sent["audio"] * frame + line["samples"]["lost"] == line["samples"]["all"]:
        gaps = [span for e in leg.all("gap", cause="rtp_loss")
                for span in e.get("spans", [[e["start_ms"], e["end_ms"]]])]
        assert joined(gaps) == joined([[s // 8, e // 8] for s, e in line["lost"]])


def joined(spans):
    """Those that touch are one."""
    out = []
    for start, end in sorted(spans):
        if out and out[-1][1] == start:
            out[-1][1] = end
        else:
            out.append([start, end])
    return out


@pytest.mark.parametrize("row", ROWS)
def test_every_sample_has_its_place(row, tmp_path):
    path = tmp_path / "made.pcap"
    report = callgen("--to", "10.0.0.1:4000", "--from", "10.0.0.2", "--write", path, "--length",
                     f"{SECONDS}s", "--legs", LEGS, "--seed", sum(row.encode()), *options(row))
    run = replay(path, tmp_path, "--asr", "none")
    legs = {(leg.src, leg.dst): leg for leg in run.legs}
    assert len(report.lines) == len(legs) == len(run.legs) == LEGS
    for line in report.lines:
        check(line, legs[line["from"], line["to"]], run, path)


def test_the_same_seed_is_the_same_capture(tmp_path):
    def made(name, seed):
        callgen("--to", "10.0.0.1:4000", "--from", "10.0.0.2", "--write", tmp_path / name,
                "--calls", 3, "--length", "3s", "--loss", 20, "--jitter", "15ms", "--seed", seed)
        return (tmp_path / name).read_bytes()

    assert made("a", 7) == made("b", 7) != made("c", 8)


@pytest.mark.parametrize("bad, word", [
    (("--to", "10.0.0.1"), "ADDRESS:PORT"), ((), "one of --to"), (("--sip", "h:1"), "sip"),
    (("--to", "10.0.0.1:2", "--loss", "101"), "0 to 100"),
    (("--to", "10.0.0.1:2", "--loss", "1.2.3"), "0 to 100"),
    (("--to", "10.0.0.1:2", "--rate", "0"), "calls a second"),
    (("--to", "10.0.0.1:2", "--jump", "1s:100"), "16000"),
    (("--to", "10.0.0.1:2", "--hold", "9s:2s"), "--hold"),
    (("--to", "10.0.0.1:2", "--dtmf", "1x"), "dtmf"),
    (("--to", "[::1]:2", "--from", "127.0.0.1"), "family"),
    (("--to", "10.0.0.1:65000", "--calls", "1000"), "ports"),
    (("--to", "10.0.0.1:2", "extra"), "extra"),
    (("--to", "10.0.0.1:2", "--cn"), "--dtx")])
def test_a_wrong_word_is_said(bad, word, tmp_path):
    done = subprocess.run([BUILD / "callgen", *bad, "--write", tmp_path / "x"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 64 and word in done.stderr, done.stderr
    assert not (tmp_path / "x").exists()
