"""baresip calls: what its WAV holds is what the ASR heard, sample for sample.

The WAV has only samples that G.711 maps to themselves, and never silence: what was sent is known
without asking anybody's encoder, and each packet heard can be found in it.
"""
import array
import subprocess
import time

import pytest

from baresip import SILENCE, Baresip, exact
from service import Control, Daemon
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import free_port

RTP = (25600, 25699)
FRAME = 160


def found(heard, pcm):
    """[(first, last)] frames of the WAV that were heard, in order; what is between is silence."""
    where = {bytes(pcm[at:at + FRAME]): at // FRAME for at in range(0, len(pcm), FRAME)}
    out, at = [], 0
    while at < len(heard):
        frame = where.get(bytes(heard[at:at + FRAME]))
        if frame is None:
            assert abs(heard[at]) <= SILENCE, f"sample {at} was never said"
            at += 1
            continue
        if out and out[-1][1] == frame - 1 and at == end:
            out[-1][1] = frame
        else:
            assert not out or frame > out[-1][1], "heard twice, or out of order"
            out.append([frame, frame])
        at = end = at + FRAME
    return [tuple(x) for x in out]


class Run:
    """The daemon, its ASR and one call of baresip."""

    def __init__(self, tmp_path, ms=2000, codec="PCMU", transport="udp", host="127.0.0.1",
                 more="", **how):
        self.tmp_path, self.pcm = tmp_path, array.array("h", exact(ms, codec))
        self.sim = Simulator(tmp_path)
        self.port = free_port(host=host)
        at = f"[{host}]" if ":" in host else host
        self.section = f'sip {{ listen = {{"{transport}:{at}:{self.port}"}} {more} }}\n'
        self.how = {"codec": codec, "transport": transport, "host": host, **how}

    def __enter__(self):
        self.sim.__enter__()
        self.daemon = Daemon(
            self.tmp_path, asr_config(self.sim, key_file(self.tmp_path)) + self.section, RTP,
            events="dtmf = yes")
        self.daemon.__enter__()
        self.baresip = Baresip(self.tmp_path, self.pcm, (self.how["host"], self.port), **self.how)
        self.baresip.__enter__()
        return self

    def __exit__(self, kind, *rest):
        if kind is None:  # its BYE comes where the WAV ends
            self.daemon.until("call.end")
            status = Control(self.daemon.control).ask("status")["status"]["sip"]
            assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)
        self.baresip.__exit__(kind, *rest)
        self.daemon.__exit__(kind, *rest)
        self.sim.__exit__(kind, *rest)
        if kind is None:
            self.daemon.valid()
            self.end, = self.daemon.of("leg.end")
            assert self.end["reason"] == "bye", self.baresip.said()
            self.rtp = self.end["rtp"]
            assert (self.rtp["lost"], self.rtp["late"], self.rtp["duplicate"]) == (0, 0, 0)
            self.heard = array.array("h", self.sim.dump(1))
            self.found = found(self.heard, self.pcm)

    def until(self, kind, n):
        """The n-th event of this type, or the call has ended without it."""
        for line in self.daemon.reader:
            self.daemon.lines.append(line.rstrip(b"\n"))
            if len(self.daemon.of(kind)) == n or self.daemon.of("call.end"):
                break
        assert len(self.daemon.of(kind)) == n

    def whole(self):
        """From its first sample to its last; baresip may add a frame of silence."""
        frames = len(self.pcm) // FRAME
        assert self.found == [(0, frames - 1)] and self.heard[:len(self.pcm)] == self.pcm
        assert frames <= self.rtp["packets"] <= frames + 1


@pytest.mark.parametrize("transport, codec, host", [
    ("udp", "PCMU", "127.0.0.1"), ("udp", "PCMA", "127.0.0.1"), ("tcp", "PCMA", "127.0.0.1"),
    ("udp", "PCMU", "::1"), ("tcp", "PCMU", "::1")])
def test_a_call(tmp_path, transport, codec, host):
    with Run(tmp_path, 1000, codec, transport, host) as run:
        pass
    run.whole()
    media, = run.daemon.of("leg.media")
    assert media["rtp"]["src"].startswith(f"[{host}]" if ":" in host else host)


def test_a_call_over_tls(tmp_path):
    """baresip knows the certificate; its media is encrypted, since its keys went by TLS."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    (tmp_path / "key.pem").chmod(0o600)
    more = f'tls-cert-file = "{tmp_path}/cert.pem" tls-key-file = "{tmp_path}/key.pem"'
    with Run(tmp_path, 1000, transport="tls", more=more, ca=tmp_path / "cert.pem",
             account=";mediaenc=srtp-mand") as run:
        pass
    run.whole()
    assert "SRTP is Enabled" in run.baresip.said(), run.baresip.said()


@pytest.mark.parametrize("codec, mux, account", [
    ("PCMU", "no", ";mediaenc=srtp-mand"), ("PCMA", "yes", ";mediaenc=srtp-mand"),
    ("PCMU", "no", ";mediaenc=srtp")])
def test_srtp_with_keys_in_the_sdp(tmp_path, codec, mux, account):
    with Run(tmp_path, 1000, codec, mux=mux, account=account) as run:
        pass
    run.whole()
    assert "SRTP is Enabled" in run.baresip.said(), run.baresip.said()


def test_digits(tmp_path):
    """Each is told once; what was said before and after them is heard."""
    with Run(tmp_path, 5000) as run:
        run.daemon.until("leg.media")
        for n, digit in enumerate("5*#"):
            assert run.baresip.tell("sndcode", digit)["ok"]
            run.until("dtmf", n + 1)
    assert [e["digit"] for e in run.daemon.of("dtmf")] == list("5*#")
    assert run.found[0][0] == 0 and run.found[-1][1] == len(run.pcm) // FRAME - 1


@pytest.mark.parametrize("account", ["", ";mediaenc=srtp-mand"], ids=["plain", "srtp"])
def test_hold(tmp_path, account):
    """Its RTP stops and comes again; the timeline goes on, the ASR hears silence meanwhile."""
    with Run(tmp_path, 6000, account=account) as run:
        control = Control(run.daemon.control)

        def packets():
            time.sleep(0.2)
            rtp = control.ask("status")["status"]["rtp"]
            assert rtp["packets"] < 300, "it was never on hold"
            return rtp["packets"]

        run.daemon.until("leg.media")
        for _ in range(2):
            assert run.baresip.tell("hold")["ok"]
            at = packets()
            while at != (at := packets()):
                pass
            assert run.baresip.tell("resume")["ok"]
            while packets() < at + 10:
                pass
    assert len(run.found) == 3, run.found
    assert run.found[0][0] == 0 and run.found[-1][1] == len(run.pcm) // FRAME - 1
    for (_, last), (first, _) in zip(run.found, run.found[1:]):
        assert first - last > 5
    assert len(run.daemon.of("leg.start")) == 1
    assert not run.daemon.of("gap") and not run.daemon.of("discontinuity")
