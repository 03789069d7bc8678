"""Errors are clear and lose nothing: what is said, the exit code, and what is done all the same."""
import concurrent.futures
import gzip
import json
import os
import re
import struct
import subprocess
import time

import pytest

from oracle import packets, timeline
from oracle.pcapgen import Call, Capture
from ports import free_port
from replay import capture, differs, replay
from sessions import Simulator, asr_config, key_file
from simulator import BUILD, MODEL, TOP


def one_call(ms=1000, link="ether", name="call", start_us=0, a="10.0.0.1", ptime=20):
    c = Capture(link)
    call = Call(c, a=a, name=name).start(start_us)
    s = call.sender("caller", start_us + 200_000, ptime=ptime)
    s.codes(bytes(i * 7 % 256 for i in range(ms * 8)))
    c.add(s.sent)
    call.bye(s.t_us + 20_000)
    return c


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A whole call of one second; not to be changed."""
    return one_call().write(tmp_path_factory.mktemp("call") / "x.pcap")


def nothing_but(run, *words):
    """Nothing emitted, one line said, with these words in it."""
    assert run.text == b"" and run.wavs == []
    line, = run.stderr.splitlines()
    for word in words:
        assert word in line, run.stderr


# --- files --------------------------------------------------------------------------------------

def test_no_file(tmp_path):
    path = tmp_path / "nothere.pcap"
    nothing_but(replay(path, tmp_path, code=3), str(path), "No such file", "check the path")


@pytest.mark.parametrize("data, words", [
    (b"", ["empty"]),
    (b"Dear Sir or Madam,\n" * 100, ["not a capture", "editcap"]),
    (b"\xd4\xc3\xb2\xa1", ["not a capture"]),
    (bytes(4096), ["not a capture"]),
    (gzip.compress(b"\xd4\xc3\xb2\xa1" + bytes(100)), ["gzip", "gunzip"]),
], ids=["empty", "text", "four bytes", "zeros", "gzip"])
def test_not_a_capture(data, words, tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(data)
    nothing_but(replay(path, tmp_path, code=3), str(path), *words)


def test_a_directory(tmp_path):
    nothing_but(replay(tmp_path, tmp_path, code=3), str(tmp_path), "directory")


def test_gzip_s_cure_cures(tmp_path):
    path = one_call().write(tmp_path / "x.pcap")
    text = replay(path, tmp_path / "1", "--asr", "none").text
    subprocess.run(["gzip", path], check=True)
    zipped = tmp_path / "x.pcap.gz"
    nothing_but(replay(zipped, tmp_path / "2", code=3), "gunzip")
    subprocess.run(["gunzip", zipped], check=True)
    assert replay(path, tmp_path / "3", "--asr", "none").text == text


def test_a_link_type_nobody_reads(tmp_path):
    path = one_call().write(tmp_path / "x.pcap")
    data = bytearray(path.read_bytes())
    data[20:24] = struct.pack("<I", 147)  # LINKTYPE_USER0
    path.write_bytes(data)
    nothing_but(replay(path, tmp_path, code=3), "link type")


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
@pytest.mark.parametrize("missing", [1, 40, 100, 213])
def test_a_cut_off_tail_uses_every_whole_packet(form, missing, tmp_path):
    """The same as of a file that holds those packets only, but for the last reason."""
    c = one_call()
    path = c.write(tmp_path / "cut.pcap", form)
    data = path.read_bytes()
    for cut in (missing, missing + 7000):
        path.write_bytes(data[:-cut])
        run = replay(path, tmp_path / f"a{cut}", "--asr", "none", code=3)
        assert str(path) in run.stderr and "cut off" in run.stderr
        whole = Capture()
        n = len(packets.tshark(path, "-T", "fields", "-e", "frame.number").split())
        whole.frames = sorted(c.frames, key=lambda f: f[0])[:n]
        want = replay(whole.write(tmp_path / "whole.pcap"), tmp_path / f"b{cut}", "--asr", "none")
        assert run.text == want.text.replace(b'"capture_end"', b'"input_error"')
        assert f"{n} whole frames" in run.stderr
        for name in run.wavs:
            assert (run.directory / name).read_bytes() == (want.directory / name).read_bytes()
    assert len(run.legs) == 1 and run.legs[0].end["reason"] == "input_error"


def test_rubbish_in_the_middle_ends_it_there(tmp_path):
    c = one_call()
    path = c.write(tmp_path / "x.pcap")
    data = bytearray(path.read_bytes())
    at, n = 24, 0
    while n < 30:
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        n += 1
    struct.pack_into("<I", data, at + 8, 0x7fffffff)
    path.write_bytes(data)
    run = replay(path, tmp_path, "--asr", "none", code=3)
    assert "damaged after 30 frames" in run.stderr
    assert run.legs[0].samples["received"] == 26 * 160  # four of the 30 are SIP


def test_mixed_link_types_use_the_first_and_the_cure_cures(tmp_path):
    first = one_call()
    second = one_call(link="sll", name="two", start_us=3_000_000, a="10.0.0.3")
    alone = replay(first.write(tmp_path / "alone.pcap"), tmp_path / "1", "--asr", "none")
    both = Capture()
    both.frames = first.frames + second.frames
    path = both.write(tmp_path / "FILE", "pcapng")
    run = replay(path, tmp_path / "2", "--asr", "none", code=3)
    assert run.text == alone.text
    assert "mixed link types" in run.stderr
    cure = re.search(r"keep one: (tshark .*)", run.stderr).group(1)
    subprocess.run(cure, shell=True, cwd=tmp_path, check=True, capture_output=True)
    cured = replay(tmp_path / "ether.pcap", tmp_path / "3", "--asr", "none")
    assert cured.text == alone.text


def test_a_packet_cut_by_snaplen_has_the_length_its_header_says(tmp_path):
    """100 ms a packet, cut to 586 bytes: 532 samples are there, 268 are lost, told as such."""
    c = one_call(ptime=100)
    path = c.write(tmp_path / "cut.pcap", snaplen=586 + 54)
    run = replay(path, tmp_path, "--asr", "none", code=3)
    assert "snaplen" in run.stderr and "tcpdump -s 0" in run.stderr
    leg, = run.legs
    assert leg.role == "caller"
    want = timeline.decode(packets.flow(path, leg.src, leg.dst))
    assert (len(want.pcm), want.received) == (8000, 10 * 586)
    assert differs(run.wav(leg), want.pcm, want.concealed) is None
    assert leg.samples["received"] == 10 * 586
    spans = [s for e in leg.all("gap", cause="rtp_loss") for s in e["spans"]]
    assert spans == [[i * 100 + 73, i * 100 + 100] for i in range(10)]
    assert leg.end["rtp"]["lost"] == 0  # every packet came


# --- options and configuration ------------------------------------------------------------------

@pytest.mark.parametrize("options", [
    ["--speed", "0"], ["--speed", "-1"], ["--speed", "fast"], ["--speed", "nan"], ["--speed"],
    ["--frobnicate"], ["--asr"], ["another.pcap"]])
def test_usage(options, path, tmp_path):
    done = subprocess.run([BUILD / "trunkscribed", "--replay", path, *options],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 64 and done.stdout == b"" and b"--help" in done.stderr


GOOD = f'vendor = "bodhi"\n url = "ws://127.0.0.1:9"\n model = "{MODEL}"\n'
CONFIGS = {  # name: text, line, words
    "unknown key": (f'asr "sim" {{\n {GOOD} colour = "red"\n}}\n', 5, ["colour", "known are"]),
    "unknown section": ('\n\nweather { sun = 1 }\n', 3, ["weather", "known are"]),
    "not closed": (f'asr "sim" {{\n {GOOD}', None, ["}"]),
    "no such key file": (f'asr "sim" {{\n {GOOD} api-key-file = "none.key"\n}}\n'
                         'route { asr = "sim" }\n', 1, ["none.key", "No such file"]),
    "a key for all": (f'asr "sim" {{\n {GOOD} api-key-file = "all.key"\n}}\n'
                      'route { asr = "sim" }\n', 1, ["all.key", "chmod 600"]),
    "a key for the group": (f'asr "sim" {{\n {GOOD} api-key-file = "group.key"\n}}\n'
                            'route { asr = "sim" }\n', 1, ["group.key", "chmod 600"]),
    "an empty key": (f'asr "sim" {{\n {GOOD} api-key-file = "empty.key"\n}}\n'
                     'route { asr = "sim" }\n', 1, ["empty.key", "empty"]),
    "a route to nowhere": ('route {\n asr = "main"\n}\n', None, ["main"]),
    "a vendor nobody is": (f'asr "sim" {{\n vendor = "nobody"\n model = "{MODEL}"\n}}\n', 2,
                           ["nobody", "bodhi"]),
    "unencrypted abroad": ('asr "sim" {\n vendor = "bodhi"\n url = "ws://192.0.2.1"\n'
                           f' model = "{MODEL}"\n}}\n', 1, ["ws://192.0.2.1", "insecure"]),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("mode", ["--replay", "-t"])
def test_configuration(name, mode, path, tmp_path):
    text, line, words = CONFIGS[name]
    for file, rights, content in (("all.key", 0o644, "k"), ("group.key", 0o640, "k"),
                                  ("empty.key", 0o600, "")):
        (tmp_path / file).write_text(content)
        (tmp_path / file).chmod(rights)
    (tmp_path / "x.conf").write_text(text)
    command = [BUILD / "trunkscribed", *(["-t"] if mode == "-t" else ["--replay", path]),
               "-c", "x.conf"]
    done = subprocess.run([*command, *([] if mode == "-t" else ["--events", "-"])],
                          cwd=tmp_path, capture_output=True, timeout=60, check=False, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    first = done.stderr.splitlines()[0]
    assert re.match(rf"x\.conf:{line if line else '[0-9]+'}: ", first), done.stderr
    for word in words:
        assert word in first


def test_an_asr_nobody_configured(path, tmp_path):
    nothing_but(replay(path, tmp_path, "--asr", "main", code=1), "--asr main", "-c")


def test_a_folder_for_wavs_that_is_not_there(path, tmp_path):
    """The events come all the same; the exit code says that the WAVs did not."""
    run = replay(path, tmp_path, "--asr", "none", "--wav", tmp_path / "no/where", code=2)
    assert "no/where" in run.stderr
    assert [leg.samples["received"] for leg in run.legs] == [8000]


# --- the service refuses ------------------------------------------------------------------------

def failed(leg, reason, cause, code=None, words=()):
    """Told, accounted for to the sample, and over."""
    last = leg.all("leg.state")[-1]
    assert (last["asr_state"], last["reason"], last.get("code")) == ("failed", reason, code)
    for word in words:
        assert word in last["text"], last["text"]
    assert leg.finals == []
    gap, = leg.all("gap")
    assert (gap["start_ms"], gap["end_ms"], gap["cause"]) == (0, leg.end["duration_ms"], cause)
    samples = leg.samples
    assert samples["received"] == 8000 and samples["sent"] + samples["lost"] == 8000
    assert leg.end["asr"]["finals"] == 0
    return samples


REFUSALS = {  # script: reason, cause of the gap, code, words
    "http 401": ("auth", "auth", 401, ["api-key-file"]),
    "http 402": ("payment", "payment", 402, ["balance"]),
    "http 403": ("auth", "auth", 403, ["account"]),
    "http 400": ("config", "asr_connect", 400, []),
    "http 404": ("config", "asr_connect", 404, ["url"]),
    "http 302": ("config", "asr_connect", 302, ["url"]),
    "http 200": ("config", "asr_connect", 200, []),
    "wrong-accept": ("config", "asr_connect", 101, ["accept key", "url"]),
    "error 401": ("auth", "auth", 401, []),
    "error 402": ("payment", "payment", 402, []),
    "error 403 other": ("auth", "auth", 403, []),
}


@pytest.mark.parametrize("script", REFUSALS)
def test_a_service_that_refuses_is_told_in_words(script, path, tmp_path):
    reason, cause, code, words = REFUSALS[script]
    with Simulator(tmp_path, script=script) as sim:
        run = replay(path, tmp_path, config=asr_config(sim, key_file(tmp_path)))
    leg, = run.legs
    samples = failed(leg, reason, cause, code, words)
    if script[0] != "e":
        assert samples["sent"] == 0
        assert leg.end["asr"]["connections"] == 0
    # what was heard is kept all the same
    want = timeline.decode(packets.flow(path, leg.src, leg.dst))
    assert differs(run.wav(leg), want.pcm) is None
    assert len(sim.report) == 1, "a refusal for good is not asked again"
    assert run.events[-1]["type"] == "call.end"


def test_the_wrong_key(path, tmp_path):
    right = tmp_path / "right"
    right.write_text("s3cret-right\n")
    with Simulator(tmp_path, "--expect-key", str(right)) as sim:
        run = replay(path, tmp_path, "--log", "debug",
                     config=asr_config(sim, key_file(tmp_path, "s3cret-wrong")))
        again = tmp_path / "again"
        again.mkdir()
        good = replay(path, again, config=asr_config(sim, key_file(again, "s3cret-right")))
    failed(run.legs[0], "auth", "auth", 401, ["key"])
    assert "s3cret" not in run.stderr and b"s3cret" not in run.text
    assert good.legs[0].finals and good.legs[0].samples["lost"] == 0


def test_a_service_that_is_not_there_ends_the_replay(path, tmp_path):
    """Passing troubles are waited for, not for ever: side by side, for they take a while."""
    kinds = {"nobody listens": (None, "tcp", "asr_connect"),
             "no such name": (None, "dns", "dns"),
             "http 503": ("http 503", "server", "asr_connect"),
             "http 429 retry-after 1": ("http 429 retry-after 1", "quota", "quota"),
             "never gets on": ("close 1011 after 800 samples", "server", "asr_disconnect")}

    def run(name):
        script, _, _ = kinds[name]
        where = tmp_path / name
        where.mkdir()
        key = key_file(where)
        if script:
            with Simulator(where, script=script) as sim:
                return replay(path, where, config=asr_config(sim, key))
        url = ("wss://no-such-host.invalid" if name == "no such name"
               else f"ws://127.0.0.1:{free_port()}")
        return replay(path, where, config=asr_config(None, key, url=url))

    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        runs = dict(zip(kinds, pool.map(run, kinds)))
    for name, (_, reason, cause) in kinds.items():
        leg, = runs[name].legs
        last = leg.all("leg.state")[-1]
        assert (last["asr_state"], last["reason"]) == ("failed", reason), (name, last)
        assert {e["cause"] for e in leg.all("gap")} == {cause}, name
        assert (leg.all("gap")[0]["start_ms"], leg.all("gap")[-1]["end_ms"]) == (0, 1000)
        assert leg.finals == []
        samples = leg.samples
        assert samples["received"] == 8000 and samples["sent"] + samples["lost"] == 8000
        if name != "never gets on":
            assert samples["lost"] == 8000
        # the tries of one trouble are one piece of news
        told = [(e["asr_state"], e.get("reason")) for e in leg.all("leg.state")]
        assert all(a != b for a, b in zip(told, told[1:])), told


def test_a_service_that_is_not_there_is_waited_for_once(tmp_path):
    """Three calls one after the other: the first shows that nobody comes, the others wait less."""
    c = Capture()
    for i in range(3):
        call = Call(c, a=f"10.0.1.{i + 1}", name=f"call{i}").start(i * 20_000_000)
        s = call.sender("caller", i * 20_000_000 + 200_000)
        c.add(s.codes(bytes(8000)).sent)
        call.bye(s.t_us + 20_000)
    began = time.monotonic()
    run = replay(c.write(tmp_path / "x.pcap"), tmp_path, config=asr_config(
        None, key_file(tmp_path), url=f"ws://127.0.0.1:{free_port()}"))
    assert time.monotonic() - began < 30 + 2 * 5 + 5
    assert len(run.legs) == 3
    for leg in run.legs:
        gap, = leg.all("gap")
        assert (gap["start_ms"], gap["end_ms"], gap["cause"]) == (0, 1000, "asr_connect")
        assert leg.samples["lost"] == 8000


# --- TLS ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


def over_tls(path, tmp_path, pki, cert, ca="root", more='tls-server-name = "asr.test"',
             script=None):
    chain = pki / f"{cert}.pem"
    with Simulator(tmp_path, "--tls-cert", str(chain), "--tls-key", str(pki / f"{cert}.key"),
                   script=script) as sim:
        trust = f'tls-ca-file = "{pki / ca}.pem"' if ca else ""
        run = replay(path, tmp_path, config=asr_config(
            sim, key_file(tmp_path), url=sim.url("wss"), more=f"{trust} {more}"))
    return run, sim


def test_a_certificate_we_trust(path, tmp_path, pki):
    run, sim = over_tls(path, tmp_path, pki, "good")
    leg, = run.legs
    assert leg.samples == {"received": 8000, "sent": 8000, "lost": 0, "paused": 0}
    assert leg.finals and leg.all("gap") == []
    assert sim.dump(1)[:16000] == run.wav(leg).tobytes()


@pytest.mark.parametrize("cert, ca, more", [
    ("good", None, 'tls-server-name = "asr.test"'),        # the system's bundle does not know it
    ("good", "stranger", 'tls-server-name = "asr.test"'),
    ("good", "root", 'tls-server-name = "other.test"'),
    ("good", "root", ""),                                   # 127.0.0.1 is not in it
    ("expired", "root", 'tls-server-name = "asr.test"'),
])
def test_a_certificate_we_do_not_trust(cert, ca, more, path, tmp_path, pki):
    if not (pki / f"{cert}.pem").exists():
        pytest.fail(f"pki.sh makes no {cert}: {sorted(p.name for p in pki.glob('*.pem'))}")
    run, sim = over_tls(path, tmp_path, pki, cert, ca, more)
    leg, = run.legs
    samples = failed(leg, "tls", "tls")
    assert samples["lost"] == 8000
    assert "certificate" in leg.all("leg.state")[-1]["text"]
    assert all(r["samples"] == 0 for r in sim.report or ()), "audio went to a stranger"


def test_tls_to_a_service_without_it(path, tmp_path):
    with Simulator(tmp_path) as sim:
        run = replay(path, tmp_path, config=asr_config(
            sim, key_file(tmp_path), url=sim.url("wss")))
    assert failed(run.legs[0], "tls", "tls")["lost"] == 8000


# --- the place it runs in -----------------------------------------------------------------------

def test_a_full_disk_is_told(path, tmp_path):
    """/dev/full takes nothing: exit 2, and the WAVs are whole."""
    wavs = tmp_path / "wav"
    wavs.mkdir()
    done = subprocess.run([BUILD / "trunkscribed", "--replay", path, "--speed", "max",
                           "--events", "/dev/full", "--wav", wavs],
                          capture_output=True, timeout=60, check=False, text=True)
    assert done.returncode == 2 and "No space left" in done.stderr
    assert len(list(wavs.iterdir())) == 1


def test_needs_no_configuration_no_home_no_terminal(path, tmp_path):
    """Without -c: no file, no socket, no port, nothing written but what was asked for."""
    empty = tmp_path / "empty"
    empty.mkdir()
    trace = tmp_path / "trace"
    command = [BUILD / "trunkscribed", "--replay", path, "--speed", "max", "--events", "-"]
    done = subprocess.run(command, cwd=empty, env={}, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["type"] == "call.end"
    assert list(empty.iterdir()) == [] and done.stderr == b""
    if not os.path.exists("/usr/bin/strace"):
        return
    done = subprocess.run(["strace", "-f", "-e", "trace=bind,listen,connect,openat", "-o", trace,
                           *command], cwd=empty, env={}, capture_output=True, check=False)
    if done.returncode == 0:
        calls = trace.read_text()
        assert "bind(" not in calls and "listen(" not in calls and "connect(" not in calls
        assert "O_WRONLY" not in calls and "O_CREAT" not in calls


def test_the_committed_capture_is_there():
    assert capture("local_baresip_call.pcap")


def test_events_never_overwrite_the_capture(tmp_path):
    own = tmp_path / "own.pcap"
    before = capture("local_baresip_udp_sll1.pcap").read_bytes()
    own.write_bytes(before)
    done = subprocess.run([BUILD / "trunkscribed", "--replay", own, "--asr", "none", "--speed",
                           "max", "--events", own], capture_output=True, text=True, check=False)
    assert done.returncode == 64 and "is the capture itself" in done.stderr
    assert own.read_bytes() == before


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_harm_nothing(closed, tmp_path):
    call = capture("local_baresip_udp_sll1.pcap")
    events = tmp_path / "events"
    done = subprocess.run(["sh", "-c", f'"$0" --replay "$1" --asr none --speed max '
                           f'--events "$2" {closed}', BUILD / "trunkscribed", call, events],
                          check=False)
    assert done.returncode == 0
    assert b'"call.end"' in events.read_bytes()


def test_the_check_lists_everything_that_is_wrong(tmp_path):
    file = tmp_path / "bad.conf"
    file.write_text('asr "main" { vendor = "bodhi" chunk = "3s" api-key-file = "/nonexistent" '
                    'tls-ca-file = "/nope" }\nroute { asr = "mian" }\n')
    done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    for line, words in ((2, "mian"), (1, "/nonexistent"), (1, "/nope"), (1, "3000ms"),
                        (1, "model")):
        assert any(x.startswith(f"{file}:{line}: ") and words in x
                   for x in done.stderr.splitlines()), (words, done.stderr)
