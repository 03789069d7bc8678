"""callgen --audio: the samples of a WAV, or of a capture's longest stream, are what it sends."""
import array
import subprocess
import wave

import pytest

from callgen import callgen
from oracle import g711, packets
from simulator import BUILD, talk

TO = ("--to", "10.0.0.1:4000", "--from", "10.0.0.2")


def write_wav(path, pcm, rate=8000, channels=1):
    with wave.open(str(path), "wb") as w:
        w.setparams((channels, 2, rate, 0, "NONE", ""))
        w.writeframes(pcm)


def sent(tmp_path, *options, name="out.pcap"):
    """[payload bytes of each leg], and the report."""
    report = callgen(*TO, "--write", tmp_path / name, *options)
    return [b"".join(p.payload for p in packets.flow(tmp_path / name, x["from"], x["to"]))
            for x in report.lines], report


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_wav_again_and_again(codec, tmp_path):
    # values that the law has: no rounding in between
    pcm = array.array("h", g711.decode(codec, g711.encode(codec, array.array("h", talk(
        (900, True), (333, False))))))
    write_wav(tmp_path / "a.wav", pcm.tobytes())
    (got,), report = sent(tmp_path, "--audio", tmp_path / "a.wav", "--codec", codec, "--ptime", 30,
                          "--length", "3s")
    assert array.array("h", g711.decode(codec, got)) == (pcm * 3)[:24000]
    assert report.lines[0]["samples"]["heard"] == 24000


def test_a_capture_s_longest_stream(tmp_path):
    first, report = sent(tmp_path, "--length", "4s", "--codec", "PCMA")
    (tmp_path / "two.pcap").write_bytes((tmp_path / "out.pcap").read_bytes())
    callgen(*TO, "--write", tmp_path / "short.pcap", "--length", "1s", "--first-seq", 7)
    (again,), _ = sent(tmp_path, "--audio", tmp_path / "two.pcap", "--codec", "PCMA", "--length",
                       "4s", "--first-seq", 65500, name="again.pcap")
    assert again == first[0] and len(again) == report.lines[0]["samples"]["all"] == 32000


@pytest.mark.parametrize("name, word", [
    ("none.wav", "No such file"), ("empty.wav", "empty"), ("text.wav", ""),
    ("stereo.wav", "sox"), ("wide.wav", "sox"), ("short.wav", "60 ms"), ("cut.wav", "sox")])
def test_what_is_wrong_with_a_file_is_said(name, word, tmp_path):
    write_wav(tmp_path / "stereo.wav", bytes(64000), channels=2)
    write_wav(tmp_path / "wide.wav", bytes(64000), rate=16000)
    write_wav(tmp_path / "short.wav", bytes(200))
    (tmp_path / "cut.wav").write_bytes((tmp_path / "short.wav").read_bytes()[:30])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no audio at all, but words enough for a header\n" * 3)
    done = subprocess.run([BUILD / "callgen", *TO, "--write", tmp_path / "x", "--audio",
                           tmp_path / name], capture_output=True, text=True, check=False)
    assert done.returncode == 3 and word in done.stderr and name in done.stderr, done
