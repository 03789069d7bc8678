"""A certificate that ends while calls are running: they go on, a new connection is refused, also
one that would resume the session of before."""
import datetime
import subprocess

import known_calls
import settled
from replay import replay
from sessions import asr_config, key_file
from simulator import TOP, Simulator

GOOD_S, LOST_S, CALL_S = 5, 8, 11


def certificate(pki, seconds):
    """For asr.test, good for so many seconds from now."""
    def at(delta):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (now + datetime.timedelta(seconds=delta)).strftime("%Y%m%d%H%M%SZ")

    (pki / "short.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=short.index\n"
                                   "new_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
                                   "rand_serial=yes\n[p]\ncommonName=supplied\n")
    (pki / "short.index").write_text("")
    (pki / "short.ext").write_text("subjectAltName=DNS:asr.test\n")
    for command in ("openssl ecparam -name prime256v1 -genkey -noout -out short.key",
                    "openssl req -new -key short.key -subj /CN=asr.test -out short.csr",
                    "openssl ca -batch -config short.cnf -in short.csr -cert root.pem -keyfile "
                    f"root.key -startdate {at(-60)} -enddate {at(seconds)} -extfile short.ext "
                    "-notext -out short.pem"):
        subprocess.run(command, shell=True, check=True, capture_output=True, cwd=pki)


def test_calls_go_on_and_new_connections_fail(tmp_path):
    pki = tmp_path / "pki"
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", pki], check=True)
    recording = known_calls.Recording(CALL_S, seed=14)
    known_calls.write(tmp_path / "x.pcap", [recording.codes], one_way=True)
    certificate(pki, GOOD_S)
    with Simulator(tmp_path, "--tls-cert", str(pki / "short.pem"), "--tls-key",
                   str(pki / "short.key"),
                   script=f"reset after {LOST_S * 8000} samples\nok") as sim:
        run = replay(tmp_path / "x.pcap", tmp_path, speed="1", config=asr_config(
            sim, key_file(tmp_path), sim.url("wss"),
            f'tls-ca-file = "{pki}/root.pem" tls-server-name = "asr.test"'))
    leg, = run.legs
    settled.check(leg, recording.pcm, lost=None)
    # it heard 3 s more than its certificate was good for, on the connection it had
    assert sim.report[0]["samples"] >= LOST_S * 8000 and leg.samples["sent"] >= LOST_S * 8000
    assert leg.end["asr"]["connections"] == 1
    last = leg.all("leg.state")[-1]
    assert (last["asr_state"], last["reason"]) == ("failed", "tls") and "expired" in last["text"]
    gaps = leg.all("gap")
    assert {e["cause"] for e in gaps} == {"tls"} and gaps[-1]["end_ms"] == CALL_S * 1000
    assert sum(r["samples"] for r in sim.report[1:]) == 0
