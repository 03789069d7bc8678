"""SIP calls with SRTP: what was encrypted is what the ASR heard, and nothing else is heard.

The sender's side of SRTP is oracle/srtp.py, checked against the RFCs' vectors first.
"""
import array
import base64
import os
import random
import struct

import pytest

from oracle import g711, srtp
from service import Control, Daemon, bound, packets, paced, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp

RTP = (25200, 25299)
CM = "AES_CM_128_HMAC_SHA1_80"


def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


class Keys:
    """Lines of a=crypto; what each encrypts."""

    def __init__(self, suite=CM, tag=1, mki=""):
        n = sum(srtp.SUITES[suite][:2])
        key = base64.b64encode(os.urandom(n)).decode()
        self.line = f"a=crypto:{tag} {suite} inline:{key}{mki}"
        self.secret = key
        self.srtp = srtp.Srtp.of_line(self.line)


def secure(text, profile="RTP/SAVP"):
    return text.replace("RTP/AVP", profile)


def crypto_of(answer):
    """The answer's one a=crypto line."""
    line, = (x for x in answer.body.splitlines() if x.startswith("a=crypto:"))
    return line


class Call:
    """A daemon with an ASR behind it, and one call; `with` until its end."""

    def __init__(self, tmp_path, *lines, profile="RTP/SAVP", codec="PCMU"):
        self.sim, self.lines, self.profile, self.codec = Simulator(tmp_path), lines, profile, codec
        self.port = free_port()
        self.tmp_path = tmp_path

    def offer(self, *lines, version=1):
        return secure(sdp((self.sender.getsockname()[1], self.codec, *lines), version=version),
                      self.profile)

    def __enter__(self):
        self.sim.__enter__()
        section = f'sip {{ listen = {{"udp:127.0.0.1:{self.port}"}} }}\n'
        self.daemon = Daemon(
            self.tmp_path, asr_config(self.sim, key_file(self.tmp_path)) + section, RTP)
        self.daemon.__enter__()
        self.client, self.sender = Client(("127.0.0.1", self.port)), bound()
        self.dialog = Dialog(self.client, self.offer(*self.lines))
        assert self.dialog.ok.status == 200, self.dialog.ok.raw
        (host, port, direction), = self.dialog.ok.media()
        assert direction == "recvonly"
        self.to = (host, port)
        self.dialog.ack()
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            self.dialog.bye()
            self.daemon.until("call.end")
        self.daemon.__exit__(kind, *rest)
        self.sim.__exit__(kind, *rest)
        self.client.close()
        if kind is None:
            self.daemon.valid()

    def send(self, *datagrams):
        paced((self.sender, self.to, datagrams))

    def said(self):
        """Everything that the daemon wrote."""
        return self.daemon.stderr + b"\n".join(self.daemon.lines).decode()


def test_the_oracle_keeps_to_the_rfcs():
    srtp.check()


@pytest.mark.parametrize("suite, mki", [(s, "") for s in srtp.SUITES] + [
    (CM, "|2^31|258:2"), ("AES_CM_128_HMAC_SHA1_32", "|7:4"), ("AEAD_AES_128_GCM", "|2^20|1:1")])
def test_a_call(tmp_path, suite, mki):
    """Plain packets and another's between the right ones change nothing."""
    keys, pcm = Keys(suite, 2, mki), speech(800)
    with Call(tmp_path, f"a=crypto:1 F8_128_HMAC_SHA1_80 inline:{keys.secret}", keys.line,
              Keys(tag=3).line) as call:
        answer = crypto_of(call.dialog.ok)
        assert "RTP/SAVP" in call.dialog.ok.body
        tag, name, ours = answer.split(":", 1)[1].split()
        assert (tag, name) == ("2", suite)
        assert len(base64.b64decode(ours[len("inline:"):])) == sum(srtp.SUITES[suite][:2])
        assert keys.secret not in call.dialog.ok.body
        other, all_of_them = Keys(suite).srtp, []
        for plain in packets(pcm, 77):
            noise = plain[:12] + bytes([plain[12] ^ 0x55] * 160)
            all_of_them += [noise, keys.srtp.protect(plain), other.protect(noise)]
        for three in zip(*[iter(all_of_them)] * 3):
            for one in three:
                call.sender.sendto(one, call.to)
    end, = call.daemon.of("leg.end")
    assert end["audio"]["samples"]["sent"] == len(pcm)
    assert call.sim.dump(1) == heard(pcm)
    text = call.said()
    assert keys.secret not in text and ours[len("inline:"):] not in text


@pytest.mark.parametrize("ssrc", [77, None], ids=["the call's SSRC", "any SSRC"])
def test_ten_thousand_packets_without_the_key(tmp_path, ssrc):
    """From the right address, before and between the right ones: counted, and no more."""
    keys, pcm, rng = Keys(), speech(400), random.Random(8)
    with Call(tmp_path, keys.line) as call:
        control = Control(call.daemon.control)
        right = list(map(keys.srtp.protect, packets(pcm, 77)))
        for n in range(100):
            for k in range(100):
                head = struct.pack(">BBHII", 0x80, 0, n, n * 160, ssrc or rng.getrandbits(32))
                call.sender.sendto(head + rng.randbytes(170), call.to)
            while control.ask("status")["status"]["rtp"]["refused"] < 100 * (n + 1):
                pass
            if n >= 50:
                call.send(*right[(n - 50):(n - 49)])
    assert call.sim.dump(1)[:2 * len(pcm)] == heard(pcm)
    end, = call.daemon.of("leg.end")
    assert (end["rtp"]["packets"], end["rtp"]["lost"]) == (20, 0)
    assert len(call.daemon.stderr.splitlines()) < 60
    assert not [e for e in call.daemon.of("leg.state") if "reason" in e]


def test_offered_with_the_profile_of_plain_rtp(tmp_path):
    keys, pcm = Keys(), speech(400)
    with Call(tmp_path, keys.line, profile="RTP/AVP") as call:
        assert "RTP/AVP 0" in call.dialog.ok.body and crypto_of(call.dialog.ok)
        call.send(*map(keys.srtp.protect, packets(pcm, 77)))
    assert call.sim.dump(1) == heard(pcm)


def test_lines_with_keys_of_their_own_and_one_without(tmp_path):
    """As a recording client offers them; what is encrypted for one is nothing on another."""
    port, keys = free_port(), [Keys(), Keys("AES_CM_128_HMAC_SHA1_32", 5), None]
    said = [speech(600, seed=n) for n in range(3)]
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path))
                   + f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        client, senders = Client(("127.0.0.1", port)), [bound() for _ in keys]
        text = sdp(*[(s.getsockname()[1], "PCMU", *([k.line] if k else []), f"a=label:{n}")
                     for n, (s, k) in enumerate(zip(senders, keys))])
        call = Dialog(client, text.replace("RTP/AVP", "RTP/SAVP", 2))
        assert call.ok.status == 200, call.ok.raw
        assert [x.split(":")[1].split()[0] for x in call.ok.body.splitlines()
                if x.startswith("a=crypto")] == ["1", "5"]
        call.ack()
        to = [x[:2] for x in call.ok.media()]
        streams = []
        for n, k in enumerate(keys):
            plain = list(packets(said[n], 70 + n))
            streams.append((senders[n], to[n], list(map(k.srtp.protect, plain)) if k else plain))
        senders[1].sendto(streams[0][2][0], to[1])
        senders[0].sendto(streams[1][2][0], to[0])
        paced(*streams)
        call.bye()
        daemon.until("call.end")
    daemon.valid()
    assert sorted(sim.dump(x["connection"]) for x in sim.report) == sorted(map(heard, said))
    assert {e["label"] for e in daemon.of("leg.start")} == {"0", "1", "2"}
    assert [e["rtp"]["packets"] for e in daemon.of("leg.end")] == [30, 30, 30]


def test_a_new_key_in_a_reinvite(tmp_path):
    """The old key is believed until the new one speaks; offered again both sides keep theirs."""
    first, second = Keys(), Keys("AES_256_CM_HMAC_SHA1_80", 9)
    pcm = speech(1200)
    plain = list(packets(pcm, 77))
    with Call(tmp_path, first.line) as call:
        began = crypto_of(call.dialog.ok)
        call.send(*map(first.srtp.protect, plain[:20]))
        again = call.dialog.reinvite(call.offer(first.line, version=2))
        assert again.status == 200 and crypto_of(again) == began
        changed = call.dialog.reinvite(call.offer(second.line, version=3))
        assert changed.status == 200
        assert crypto_of(changed).startswith("a=crypto:9 AES_256_CM_HMAC_SHA1_80 inline:")
        call.send(*map(first.srtp.protect, plain[20:30]))
        call.send(*map(second.srtp.protect, plain[30:50]))
        call.send(*[first.srtp.protect(bytes(p)) for p in plain[50:]])  # nobody's any more
        call.send(*map(second.srtp.protect, plain[50:]))
    assert call.sim.dump(1) == heard(pcm)
    end, = call.daemon.of("leg.end")
    assert end["audio"]["samples"]["lost"] == 0


def test_reports_are_encrypted_with_our_key(tmp_path):
    keys, pcm = Keys(), speech(5400)
    with Call(tmp_path, keys.line) as call:
        reports = bound()
        port = reports.getsockname()[1]
        again = call.dialog.reinvite(call.offer(keys.line, f"a=rtcp:{port}", version=2))
        ours = srtp.Srtp.of_line(crypto_of(again))
        reports.settimeout(20)
        sender_report = keys.srtp.protect_rtcp(
            struct.pack(">BBHIQIII", 0x80, 200, 6, 77, 1 << 40, 0, 0, 0))
        call.send(*map(keys.srtp.protect, packets(pcm, 77, seq=1)))
        call.sender.sendto(sender_report, (call.to[0], call.to[1] + 1))
        report = ours.unprotect_rtcp(reports.recv(2048))
        assert report and report[1] == 201 and struct.unpack_from(">I", report, 8) == (77,)
    assert call.sim.dump(1) == heard(pcm)


def test_no_line_that_can_be_used(tmp_path):
    """Refused; a profile of plain RTP is answered in plain."""
    port, keys = free_port(), Keys()
    unusable = [keys.line + " UNENCRYPTED_SRTP", keys.line.replace(CM, "F8_128_HMAC_SHA1_80"),
                keys.line[:-4], keys.line + f"|1:4;inline:{keys.secret}|2:4", "a=x:1"]
    with Daemon(tmp_path, f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n', RTP) as daemon:
        client, sender = Client(("127.0.0.1", port)), bound()
        for line in unusable:
            text = sdp((sender.getsockname()[1], "PCMU", line))
            for profile in ("RTP/SAVP", "UDP/TLS/RTP/SAVP"):
                call = Dialog(client, secure(text, profile))
                assert call.ok.status == 488, (line, call.ok.raw)
                call.ack()
            call = Dialog(client, text)
            assert call.ok.status == 200 and "crypto" not in call.ok.body, line
            call.ack().bye()
        status = Control(daemon.control).ask("status")["status"]["sip"]
        assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)
    assert keys.secret not in daemon.stderr


def test_early_media_before_the_answer_in_the_ack(tmp_path):
    """Our offer is in the 200, who sends is told by the ACK: nothing of before is lost."""
    port, pcm = free_port(), speech(1000)
    plain = list(packets(pcm, 77))
    section = f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n'
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + section, RTP) as daemon:
        client, sender, other = Client(("127.0.0.1", port)), bound(), bound("127.0.0.2")
        call = Dialog(client)
        assert call.ok.status == 200, call.ok.raw
        (host, to, _), = call.ok.media()
        paced((sender, (host, to), plain[:30]),
              (other, (host, to), [p[:12] + bytes(160) for p in plain[:30]]))
        call.ack(sdp((sender.getsockname()[1], "PCMU")))
        paced((sender, (host, to), plain[30:]))
        call.bye()
        daemon.until("call.end")
    assert sim.dump(1) == heard(pcm)
    end, = daemon.of("leg.end")
    assert end["audio"]["samples"]["lost"] == 0
