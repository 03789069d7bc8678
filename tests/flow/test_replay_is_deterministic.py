"""The same capture gives the same events.

Without an ASR byte for byte, whatever the speed; with one, for each leg the same segments in
the same order.
"""
import json

import pytest

from oracle.pcapgen import Capture
from replay import capture, replay
from sessions import Simulator, asr_config, key_file
from test_wav_equals_independent_decoder import CALLS, SILENT, UNUSABLE, need
from test_wav_of_made_captures import MADE

ALL = [*CALLS, *UNUSABLE, *SILENT]
CODES = {n: row.code for n, row in CALLS.items()}


def made(name, tmp_path):
    c = Capture()
    MADE[name](c)
    return c.write(tmp_path / "made.pcap")


@pytest.mark.parametrize("name", ALL)
def test_without_an_asr_byte_for_byte(name, tmp_path):
    path, code = need(name), CODES.get(name, 0)
    first = replay(path, tmp_path / "1", "--asr", "none", code=code)
    second = replay(path, tmp_path / "2", "--asr", "none", code=code)
    assert first.text == second.text
    assert first.wavs == second.wavs
    for wav in first.wavs:
        assert (first.directory / wav).read_bytes() == (second.directory / wav).read_bytes()


@pytest.mark.parametrize("name", ["shaken", "twenty calls", "new ssrc", "two hops", "hold",
                                  "too late", "early media"])
def test_no_speed_changes_a_byte(name, tmp_path):
    """Timers are the media clock's: at real speed's multiples they fire between packets."""
    path = made(name, tmp_path)
    texts = {speed: replay(path, tmp_path / speed, "--asr", "none", speed=speed).text
             for speed in ("max", "100", "37.5")}
    assert len(set(texts.values())) == 1, texts


def test_real_speed_changes_no_byte(tmp_path):
    path = made("swapped", tmp_path)
    assert replay(path, tmp_path / "1", "--asr", "none", speed="1").text == \
        replay(path, tmp_path / "2", "--asr", "none", speed="max").text


def test_the_name_and_place_of_the_file_change_nothing(tmp_path):
    path = made("both ways", tmp_path)
    other = tmp_path / "a longer name, with a blank"
    other.write_bytes(path.read_bytes())
    assert replay(path, tmp_path / "1", "--asr", "none").text == \
        replay(other, tmp_path / "2", "--asr", "none").text


def segments(run):
    """For each leg its segments in order, partials too, less what may differ; its last word."""
    out = {}
    for leg in run.legs:
        kept = []
        for e in leg.all("segment"):
            e = json.loads(json.dumps(e))
            for name in ("seq", "ts", "latency_ms"):
                e.pop(name, None)
            del e["asr"]["session"]
            kept.append(e)
        end = json.loads(json.dumps(leg.end))
        for name in ("seq", "ts"):
            del end[name]
        for name in ("first_partial_ms", "final_latency_p95_ms"):
            end.get("asr", {}).pop(name, None)   # none: another call has its audio
        others = [{k: v for k, v in e.items() if k not in ("seq", "ts")} for e in leg.events
                  if e["type"] in ("leg.start", "leg.media", "leg.state", "gap",
                                   "discontinuity", "dtmf")]
        out[leg.name] = (kept, end, others)
    return out


@pytest.mark.parametrize("name", [
    "local_baresip_twoparty_pcma_hold_dtmf.pcap", "local_imp_loss5_pcmu.pcap",
    "local_siprec_dual_pcmu_cn_dtmf.pcap", "odedshimon_BruteShark__SIP_CALL_RTP_G711.pcap",
    "twenty calls", "shaken", "dtx"])
def test_with_an_asr_segment_for_segment(name, tmp_path):
    path = capture(name) if name in CALLS else made(name, tmp_path)
    if path is None:
        pytest.skip(f"{name} is not on this machine (shared/captures)")
    runs = []
    for i, speed in enumerate(("max", "max", "60")):
        where = tmp_path / str(i)
        where.mkdir()
        with Simulator(where) as sim:
            runs.append(replay(path, where, config=asr_config(sim, key_file(where)),
                               speed=speed))
    first, second, slower = map(segments, runs)
    assert any(kept for kept, _, _ in first.values())
    assert first == second
    # the speed may change when a chunk was cut short, not what was heard of the leg
    for leg, (kept, end, _) in first.items():
        assert slower[leg][1]["audio"] == end["audio"]
        assert [e["text"] for e in slower[leg][0]] == [e["text"] for e in kept]
