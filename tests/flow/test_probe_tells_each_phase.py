"""--probe: one line a phase, and, where it ends, in words what to do about it."""
import re
import subprocess

import pytest

from sessions import asr_config, key_file
from simulator import BUILD, KEY, TOP, Simulator

LINE = re.compile(r"(dns|tcp|tls|upgrade|ready|tone|answer) +(\d+) ms  (\S.*)")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


def probe(tmp_path, config, code=0):
    """[(phase, milliseconds, words)] and the lines that are none."""
    (tmp_path / "c").write_text(config)
    done = subprocess.run([BUILD / "trunkscribed", "--probe", "sim", "-c", tmp_path / "c"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code and done.stderr == "", (done.stdout, done.stderr)
    assert KEY["x-api-key"] not in done.stdout.split()
    phases, others = [], []
    for line in done.stdout.splitlines():
        match = LINE.fullmatch(line)
        if match:
            phases.append((match[1], int(match[2]), match[3]))
        else:
            others.append(line)
    return phases, others


def names(phases):
    return [p[0] for p in phases]


def test_all_is_well(tmp_path):
    with Simulator(tmp_path) as sim:
        phases, others = probe(tmp_path, asr_config(sim, key_file(tmp_path)))
    assert names(phases) == ["tcp", "upgrade", "tone", "answer"]
    assert phases[0][2] == sim.address and phases[2][1] == 1000
    assert others == ["sim: bodhi, 127.0.0.1"]
    line, = sim.report
    assert line["violations"] == [] and line["eof"] and line["samples"] == 8000
    pcm = memoryview(sim.dump()).cast("h")  # 440 Hz: it crosses zero upwards so often in 1 s
    assert sum(a < 0 <= b for a, b in zip(pcm, pcm[1:])) in (439, 440)


def over_tls(sim, directory, pki, more=""):
    return asr_config(sim, key_file(directory), sim.url("wss"),
                      f'tls-server-name = "asr.test" {more}')


@pytest.fixture
def tls(tmp_path, pki):
    with Simulator(tmp_path, "--tls-cert", str(pki / "good.pem"), "--tls-key",
                   str(pki / "good.key")) as sim:
        yield sim


def test_over_tls_with_resumption(tls, tmp_path, pki):
    phases, others = probe(tmp_path, over_tls(tls, tmp_path, pki,
                                              f'tls-ca-file = "{pki}/root.pem"'))
    assert names(phases) == ["tcp", "tls", "upgrade", "tone", "answer"]
    words = dict((p[0], p[2]) for p in phases)["tls"]
    end = subprocess.run(["openssl", "x509", "-in", pki / "good.pem", "-noout", "-enddate",
                          "-dateopt", "iso_8601"], capture_output=True, text=True, check=True)
    day = re.search(r"\d{4}-\d\d-\d\d", end.stdout)[0]
    assert re.fullmatch(rf"TLSv1\.[23], TLS\S+, certificate good until {day}", words), words
    assert others[1:] == ["resumption          the service takes TLS sessions up again"]


def test_a_certificate_nobody_trusts(tls, tmp_path, pki):
    phases, others = probe(tmp_path, over_tls(tls, tmp_path, pki), 2)
    assert names(phases) == ["tcp"]
    assert others[-1].startswith("FAILED   tls: ") and "tls-ca-file" in others[-1]


def test_a_name_that_does_not_resolve(tmp_path):
    phases, others = probe(tmp_path, asr_config(None, key_file(tmp_path),
                                                "wss://no-such-host.invalid"), 2)
    assert phases == []
    assert others[-1].startswith("FAILED   dns: no-such-host.invalid does not resolve: ")
    assert "resolv.conf" in others[-1]


def test_nobody_listens(tmp_path):
    phases, others = probe(tmp_path, asr_config(None, key_file(tmp_path), "ws://127.0.0.1:1"), 2)
    assert phases == []
    assert others[-1].startswith("FAILED   tcp: ") and "refused" in others[-1]
    assert "firewall" in others[-1]


# script: phases that are told, class, what to do
ENDS = {
    "http 401": (["tcp"], "auth", "api-key-file"),
    "http 402": (["tcp"], "payment", "top it up"),
    "http 404": (["tcp"], "config", "404"),
    "http 503": (["tcp"], "server", "503"),
    "wrong-accept": (["tcp"], "config", ""),
    "error 402": (["tcp", "upgrade"], "payment", ""),
    "fin": (["tcp", "upgrade"], "network", ""),
    "close 1011 after 4000 samples": (["tcp", "upgrade"], "server", "1011"),
    "mute": (["tcp", "upgrade", "tone"], "timeout", "last words"),
}


@pytest.mark.parametrize("script", ENDS)
def test_it_ends_where_the_service_ends_it(script, tmp_path):
    wanted, reason, words = ENDS[script]
    with Simulator(tmp_path, script=script) as sim:
        phases, others = probe(tmp_path, asr_config(sim, key_file(tmp_path)), 2)
    assert names(phases) == wanted
    assert len(others) == 2
    assert others[1].startswith(f"FAILED   {reason}: ") and words in others[1], others


def test_a_service_that_must_say_that_it_is_ready(tmp_path):
    with Simulator(tmp_path, dialect="camb") as sim:
        phases, _ = probe(tmp_path, f'asr "sim" {{ vendor = "camb" url = "{sim.url()}'
                          f'/streaming-transcription/listen" api-key-file = '
                          f'"{key_file(tmp_path)}" language = "en" }}\nroute {{ asr = "sim" }}\n')
    assert names(phases) == ["tcp", "upgrade", "ready", "tone", "answer"]
    assert sim.report[0]["violations"] == []
