"""SRTP in a capture, its keys in the SDP beside it: the same as if it had been plain.

Every capture is made twice from the same packets, plain and encrypted by oracle/srtp.py; events
and samples have to be equal.
"""
import base64
import random

import pytest

from oracle import srtp
from oracle.pcapgen import Call, Capture, network
from replay import replay

CM, CM32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"


def line(tag, suite=CM, seed=0, tail=""):
    key = random.Random(f"{tag}{suite}{seed}").randbytes(sum(srtp.SUITES[suite][:2]))
    return f"a=crypto:{tag} {suite} inline:{base64.b64encode(key).decode()}{tail}"


def codes(ms, seed=1):
    return random.Random(seed).randbytes(ms * 8)


class Sides:
    """A call that is plain or encrypted, as the test wants it this time."""

    def __init__(self, capture, secret, profile="RTP/SAVP"):
        self.secret = secret
        self.call = Call(capture, profile=profile if secret else "RTP/AVP")
        self.lines, self.contexts = {"caller": [], "agent": []}, {}
        plain = self.call.sdp
        self.call.sdp = lambda who: plain(
            who, extra="".join(x + "\r\n" for x in self.lines[who]) if secret else "")

    def say(self, who, *lines, chosen=0):
        """The lines of the next SDP of `who`; the key of one of them is in force then."""
        self.lines[who] = lines
        self.contexts[who] = srtp.Srtp.of_line(lines[chosen])

    def protect(self, who, packets):
        """In the order in which they are sent."""
        if self.secret:
            for p in packets:
                p.data = self.contexts[who].protect(p.data)
        return packets


def usual(c, secret):
    """Both ways; the answer chooses the second of three lines; numbers wrap."""
    s = Sides(c, secret)
    s.say("caller", line(1, CM32), line(2), line(3, seed=3), chosen=1)
    s.say("agent", line(2, seed=5))
    s.call.start()
    for who in ("caller", "agent"):
        sender = s.call.sender(who, 200_000, ssrc=0x1000 + len(who), seq=65500).codes(codes(2000))
        c.add(s.protect(who, sender.sent))
    s.call.bye(2_300_000)


def bad_network(c, secret):
    s = Sides(c, secret)
    s.say("caller", line(1, "AEAD_AES_256_GCM"))
    s.say("agent", line(1, "AEAD_AES_256_GCM", 2))
    s.call.start()
    sent = s.call.sender("caller", 200_000).codes(codes(2000)).sent
    c.add(network(s.protect("caller", sent), drop={3, 20, 21, 22}, late={30: 45_000, 60: 25_000}))
    s.call.bye(2_300_000)


def new_keys(c, secret):
    """Of both in a re-INVITE; the old one is used for 100 ms more, the SSRC stays."""
    s = Sides(c, secret)
    s.say("caller", line(1))
    s.say("agent", line(1, seed=2))
    s.call.start()
    sender = s.call.sender("caller", 200_000).codes(codes(2000))
    c.add(s.protect("caller", sender.sent[:50]))
    s.say("caller", line(1, seed=7, tail="|2^31|1:4"), line(2, CM32, 8))
    s.say("agent", line(1, seed=9))
    s.call.send(1_080_000, "caller", s.call.request("INVITE", body=s.call.sdp("caller")))
    s.call.send(1_100_000, "agent", s.call.status(200, body=s.call.sdp("agent")))
    s.call.send(1_101_000, "caller", s.call.request("ACK"))
    c.add(s.protect("caller", sender.sent[50:]))
    s.call.bye(2_300_000)


def early(c, secret):
    """The called party speaks 400 ms before anybody saw its key; the caller does, too."""
    s = Sides(c, secret)
    s.say("caller", line(1))
    s.say("agent", line(1, seed=2))
    s.call.invite(0)
    s.call.answer(600_000)
    for who in ("caller", "agent"):
        sender = s.call.sender(who, 200_000, ssrc=0x1000 + len(who)).codes(codes(1000))
        c.add(s.protect(who, sender.sent))
    s.call.bye(1_300_000)


def if_both_like(c, secret):
    """RTP/AVP with a=crypto in both descriptions."""
    s = Sides(c, secret, profile="RTP/AVP")
    s.say("caller", line(1), line(2, CM32))
    s.say("agent", line(2, CM32, 4))
    s.contexts["caller"] = srtp.Srtp.of_line(line(2, CM32))
    s.call.start()
    c.add(s.protect("caller", s.call.sender("caller", 200_000).codes(codes(500)).sent))
    s.call.bye(900_000)


@pytest.mark.parametrize("made", [usual, bad_network, new_keys, early, if_both_like])
def test_the_same_as_in_plain(made, tmp_path):
    runs = []
    for secret in (False, True):
        c, directory = Capture(), tmp_path / str(secret)
        directory.mkdir()
        made(c, secret)
        runs.append(replay(c.write(directory / "made.pcap"), directory, "--asr", "none"))
    plain, encrypted = runs
    assert plain.legs and all(leg.samples["received"] for leg in plain.legs)
    if made is early:  # what was kept is told when the key has come
        untimed = [[{**e, "ts": None} for e in run.events] for run in runs]
        assert untimed[0] == untimed[1]
    else:
        assert encrypted.lines == plain.lines
    for leg in plain.legs:
        assert encrypted.wav(leg) == plain.wav(leg)


def test_what_is_not_authentic_is_nothing(tmp_path):
    """Noise with the right addresses and SSRC, more of it than of the call."""
    heard = []
    for noise in (False, True):
        c, directory = Capture(), tmp_path / str(noise)
        directory.mkdir()
        s = Sides(c, True)
        s.say("caller", line(1))
        s.say("agent", line(1, seed=2))
        s.call.start()
        sent = s.call.sender("caller", 200_000).codes(codes(1000)).sent
        if noise:
            for n, p in enumerate(sent):
                for k in range(2):
                    c.udp(p.t_us - 10_000 + k, p.src, p.dst,
                          p.data[:12] + random.Random(n + k).randbytes(170))
        c.add(s.protect("caller", sent))
        s.call.bye(1_300_000)
        run = replay(c.write(directory / "made.pcap"), directory, "--asr", "none")
        leg, = run.legs
        heard.append(run.wav(leg))
    assert heard[0] == heard[1] and len(heard[0]) == 8000


def test_plain_where_only_one_would_have_liked_to(tmp_path):
    """RTP/AVP with a=crypto in the offer, none in the answer: nothing is encrypted."""
    c = Capture()
    s = Sides(c, True, profile="RTP/AVP")
    s.say("caller", line(1))
    s.call.start()
    for who in ("caller", "agent"):
        c.add(s.call.sender(who, 200_000, ssrc=len(who)).codes(codes(500)).sent)
    s.call.bye(900_000)
    run = replay(c.write(tmp_path / "made.pcap"), tmp_path, "--asr", "none")
    assert [leg.samples["received"] for leg in run.legs] == [4000, 4000]
    assert not [x for leg in run.legs for x in leg.all("leg.state")]


@pytest.mark.parametrize("why", ["another key", "no key", "DTLS", "a suite not known"])
def test_keys_that_do_not_fit_are_told(why, tmp_path):
    c = Capture()
    s = Sides(c, True, profile="UDP/TLS/RTP/SAVP" if why == "DTLS" else "RTP/SAVP")
    said = {"another key": [line(1, seed=11), line(2, seed=12)], "no key": [],
            "DTLS": [line(1)], "a suite not known": [line(1).replace(CM, "F8_128_HMAC_SHA1_80")]}
    s.say("caller", line(1))
    s.say("agent", line(1, seed=2))
    s.lines["caller"] = said[why]
    s.call.start()
    c.add(s.protect("caller", s.call.sender("caller", 200_000).codes(codes(3000)).sent))
    s.call.bye(3_300_000)
    run = replay(c.write(tmp_path / "made.pcap"), tmp_path, "--asr", "none")
    leg, = run.legs
    assert [e["reason"] for e in leg.all("leg.state")] == ["encrypted"]
    assert leg.samples["received"] == 0 and run.wavs == []
