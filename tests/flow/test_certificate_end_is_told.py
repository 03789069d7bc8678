"""A service's certificate that ends soon is told of, once for all calls: from 14 days before."""
import re
import subprocess

import pytest

import known_calls
from replay import replay
from sessions import asr_config, key_file
from simulator import TOP, Simulator


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


def certificate(pki, days):
    """One for asr.test that ends in so many days and an hour or so."""
    name = pki / f"ends{days}"
    (pki / "ends.ext").write_text("subjectAltName=DNS:asr.test\n")
    for command in (f"openssl ecparam -name prime256v1 -genkey -noout -out {name}.key",
                    f"openssl req -new -key {name}.key -subj /CN=asr.test -out {name}.csr",
                    f"openssl x509 -req -in {name}.csr -CA {pki}/root.pem -CAkey {pki}/root.key "
                    f"-CAcreateserial -extfile {pki}/ends.ext -days {days} -out {name}.pem"):
        subprocess.run(command, shell=True, check=True, capture_output=True)
    return name


@pytest.mark.parametrize("days, told", [(1, True), (3, True), (13, True), (15, False),
                                        (30, False)])
def test_days_before(days, told, pki, tmp_path):
    name = certificate(pki, days)
    recording = known_calls.Recording(2, seed=days)
    known_calls.write(tmp_path / "x.pcap", [recording.codes] * 6)
    with Simulator(tmp_path, "--tls-cert", f"{name}.pem", "--tls-key", f"{name}.key") as sim:
        run = replay(tmp_path / "x.pcap", tmp_path, "--log", "warn", config=asr_config(
            sim, key_file(tmp_path), sim.url("wss"),
            f'tls-ca-file = "{pki}/root.pem" tls-server-name = "asr.test"'))
    assert len(run.legs) == 6 and all(leg.finals for leg in run.legs)
    events = [e for e in run.events if e["type"] == "daemon.asr_certificate"]
    assert len(events) == (1 if told else 0)
    for e in events:
        assert e["asr"] == "sim" and e["reason"] == "tls"
        left = int(re.search(r"ends in (\d+) days", e["text"])[1])
        assert left in (days - 1, days)  # of the last one some hours may have gone
    assert ("ends in" in run.stderr) == told
