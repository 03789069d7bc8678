"""SRTP and SRTCP (RFC 3711, 6188, 7714), written from the RFCs: no library behind it.

Slow, and meant to be: some thousand packets a second.  `python3 srtp.py` checks it against the
RFCs' own vectors and prints those of tests/unit/media/test_srtp.c.
"""
import base64
import hashlib
import hmac
import struct


def _sbox():
    p = q = 1
    box = [0] * 256
    while True:
        p = (p ^ (p << 1) ^ (0x1B if p & 0x80 else 0)) & 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        x = q
        for n in range(1, 5):
            x ^= (q << n | q >> (8 - n)) & 0xFF
        box[p] = x ^ 0x63
        if p == 1:
            box[0] = 0x63
            return box


SBOX = _sbox()


def _times(a):
    return (a << 1 ^ (0x1B if a & 0x80 else 0)) & 0xFF


# a column of MixColumns behind SubBytes
TABLES = [[], [], [], []]
for _x in SBOX:
    _w = [_times(_x), _x, _x, _times(_x) ^ _x]
    for _t in range(4):
        TABLES[_t].append(int.from_bytes(bytes(_w[-_t:] + _w[:-_t] if _t else _w), "big"))


class Aes:
    """FIPS 197, one block forwards."""

    def __init__(self, key):
        n = len(key) // 4
        self.rounds = n + 6
        w = list(struct.unpack(">%dI" % n, key))
        rcon = 1
        for i in range(n, 4 * (self.rounds + 1)):
            t = w[i - 1]
            if i % n == 0:
                t = (t << 8 | t >> 24) & 0xFFFFFFFF
                t = self._sub(t) ^ rcon << 24
                rcon = _times(rcon)
            elif n > 6 and i % n == 4:
                t = self._sub(t)
            w.append(w[i - n] ^ t)
        self.w = w

    @staticmethod
    def _sub(t):
        return int.from_bytes(bytes(SBOX[b] for b in t.to_bytes(4, "big")), "big")

    def block(self, data):
        w = self.w
        s = [a ^ b for a, b in zip(struct.unpack(">4I", data), w)]
        a, b, c, d = TABLES
        for r in range(1, self.rounds):
            s = [a[s[i] >> 24] ^ b[s[(i + 1) % 4] >> 16 & 255] ^ c[s[(i + 2) % 4] >> 8 & 255]
                 ^ d[s[(i + 3) % 4] & 255] ^ w[4 * r + i] for i in range(4)]
        box, k = SBOX, w[4 * self.rounds:]
        return struct.pack(">4I", *[
            (box[s[i] >> 24] << 24 | box[s[(i + 1) % 4] >> 16 & 255] << 16
             | box[s[(i + 2) % 4] >> 8 & 255] << 8 | box[s[(i + 3) % 4] & 255]) ^ k[i]
            for i in range(4)])


def xor(a, b):
    n = min(len(a), len(b))
    return (int.from_bytes(a[:n], "big") ^ int.from_bytes(b[:n], "big")).to_bytes(n, "big")


def counter_mode(aes, iv, data):
    """RFC 3711 section 4.1.1: iv is the first counter, 16 bytes."""
    at = int.from_bytes(iv, "big")
    stream = b"".join(aes.block((at + i).to_bytes(16, "big"))
                      for i in range((len(data) + 15) // 16))
    return xor(stream, data) if data else b""


class Gcm:
    """NIST SP 800-38D with a nonce of 12 bytes and a tag of 16."""

    def __init__(self, key):
        self.aes = Aes(key)
        self.h = int.from_bytes(self.aes.block(bytes(16)), "big")

    def _times_h(self, x):
        z, v = 0, self.h
        for i in range(127, -1, -1):
            if x >> i & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        return z

    def _tag(self, nonce, aad, cipher):
        y = 0
        for part in (aad, cipher):
            for i in range(0, len(part), 16):
                y = self._times_h(y ^ int.from_bytes(part[i:i + 16].ljust(16, b"\0"), "big"))
        y = self._times_h(y ^ (len(aad) * 8 << 64 | len(cipher) * 8))
        return xor(y.to_bytes(16, "big"), self.aes.block(nonce + b"\0\0\0\1"))

    def seal(self, nonce, aad, plain):
        cipher = counter_mode(self.aes, nonce + b"\0\0\0\2", plain)
        return cipher + self._tag(nonce, aad, cipher)

    def open(self, nonce, aad, data):
        cipher, tag = data[:-16], data[-16:]
        if len(data) < 16 or self._tag(nonce, aad, cipher) != tag:
            return None
        return counter_mode(self.aes, nonce + b"\0\0\0\2", cipher)


# name: master key, salt, tag of SRTP, tag of SRTCP [bytes]; tag 0: GCM
SUITES = {
    "AES_CM_128_HMAC_SHA1_80": (16, 14, 10, 10),
    "AES_CM_128_HMAC_SHA1_32": (16, 14, 4, 10),
    "AES_256_CM_HMAC_SHA1_80": (32, 14, 10, 10),
    "AES_256_CM_HMAC_SHA1_32": (32, 14, 4, 10),
    "AEAD_AES_128_GCM": (16, 12, 0, 0),
    "AEAD_AES_256_GCM": (32, 12, 0, 0),
}


def derive(aes, salt, label, n):
    """RFC 3711 section 4.3, key derivation rate 0; a salt of 12 bytes: RFC 7714 section 11."""
    x = int.from_bytes(salt.ljust(14, b"\0"), "big") ^ label << 48
    return counter_mode(aes, (x << 16).to_bytes(16, "big"), bytes(n))


def header_len(packet):
    n = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        n += 4 + 4 * struct.unpack_from(">H", packet, n + 2)[0]
    return n


class Srtp:
    """One master key; `roc` and the highest sequence number for each SSRC."""

    def __init__(self, suite, master, mki=b""):
        n, s, self.tag, self.rtcp_tag = SUITES[suite]
        assert len(master) == n + s, "a key of another suite"
        aes, salt = Aes(master[:n]), master[n:]
        self.mki, self.gcm = mki, not self.tag
        keys = [derive(aes, salt, label, m) for label, m in enumerate((n, 20, s, n, 20, s))]
        cipher = Gcm if self.gcm else Aes
        self.cipher, self.rtcp_cipher = cipher(keys[0]), cipher(keys[3])
        self.auth, self.rtcp_auth = keys[1], keys[4]
        self.salt, self.rtcp_salt = keys[2], keys[5]
        self.known, self.index = {}, 0

    @classmethod
    def of_line(cls, line):
        """From an SDP's "a=crypto:..."."""
        words = line.split(":", 1)[1].split()
        key, *rest = words[2][len("inline:"):].split("|")
        n = sum(SUITES[words[1]][:2])
        mki = b""
        for part in rest:
            if ":" in part:
                number, size = part.split(":")
                mki = int(number).to_bytes(int(size), "big")
        return cls(words[1], base64.b64decode(key + "=" * (-len(key) % 4))[:n], mki)

    def _roc(self, ssrc, seq):
        """RFC 3711 appendix A."""
        if ssrc not in self.known:
            return 0
        roc, top = self.known[ssrc]
        if top < 0x8000:
            return roc - 1 if seq - top > 0x8000 and roc else roc
        return roc + 1 if top - 0x8000 > seq else roc

    def _heard(self, ssrc, roc, seq):
        if ssrc not in self.known or (roc, seq) > self.known[ssrc]:
            self.known[ssrc] = (roc, seq)

    def _iv(self, salt, ssrc, index):
        if self.gcm:
            x = ssrc << 48 | index
            return xor(x.to_bytes(12, "big"), salt)
        x = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        return x.to_bytes(16, "big")

    def _mac(self, key, data, n):
        return hmac.new(key, data, hashlib.sha1).digest()[:n]

    def protect(self, packet):
        seq, ssrc = struct.unpack_from(">2xH4xI", packet)
        roc = self._roc(ssrc, seq)
        self._heard(ssrc, roc, seq)
        n = header_len(packet)
        head, body = packet[:n], packet[n:]
        iv = self._iv(self.salt, ssrc, roc << 16 | seq)
        if self.gcm:
            return head + self.cipher.seal(iv, head, body) + self.mki
        out = head + counter_mode(self.cipher, iv, body)
        return out + self.mki + self._mac(self.auth, out + struct.pack(">I", roc), self.tag)

    def unprotect(self, packet):
        """The RTP packet, or None: not authentic."""
        if len(packet) < 12 + len(self.mki) + (self.tag or 16):
            return None
        seq, ssrc = struct.unpack_from(">2xH4xI", packet)
        roc = self._roc(ssrc, seq)
        n = header_len(packet)
        iv = self._iv(self.salt, ssrc, roc << 16 | seq)
        if self.gcm:
            end = len(packet) - len(self.mki)
            body = self.cipher.open(iv, packet[:n], packet[n:end])
            if body is None:
                return None
        else:
            out, tag = packet[:-self.tag], packet[-self.tag:]
            out = out[:len(out) - len(self.mki)]
            if self._mac(self.auth, out + struct.pack(">I", roc), self.tag) != tag:
                return None
            body = counter_mode(self.cipher, iv, out[n:])
        self._heard(ssrc, roc, seq)
        return packet[:n] + body

    def protect_rtcp(self, packet):
        ssrc = struct.unpack_from(">4xI", packet)[0]
        self.index += 1
        word = struct.pack(">I", 0x80000000 | self.index)
        iv = self._iv(self.rtcp_salt, ssrc, self.index)
        head, body = packet[:8], packet[8:]
        if self.gcm:
            return head + self.rtcp_cipher.seal(iv, head + word, body) + word + self.mki
        out = head + counter_mode(self.rtcp_cipher, iv, body) + word
        return out + self.mki + self._mac(self.rtcp_auth, out, self.rtcp_tag)

    def unprotect_rtcp(self, packet):
        ssrc = struct.unpack_from(">4xI", packet)[0]
        if self.gcm:
            packet = packet[:len(packet) - len(self.mki)]
            word, sealed = packet[-4:], packet[8:-4]
            index = struct.unpack(">I", word)[0] & 0x7FFFFFFF
            body = self.rtcp_cipher.open(self._iv(self.rtcp_salt, ssrc, index),
                                         packet[:8] + word, sealed)
            return None if body is None else packet[:8] + body
        out, tag = packet[:-self.rtcp_tag], packet[-self.rtcp_tag:]
        out = out[:len(out) - len(self.mki)]
        if self._mac(self.rtcp_auth, out, self.rtcp_tag) != tag:
            return None
        index = struct.unpack(">I", out[-4:])[0] & 0x7FFFFFFF
        return out[:8] + counter_mode(self.rtcp_cipher,
                                      self._iv(self.rtcp_salt, ssrc, index), out[8:-4])


def check():
    """The RFCs' own vectors."""
    x = bytes.fromhex
    assert Aes(x("000102030405060708090a0b0c0d0e0f")).block(
        x("00112233445566778899aabbccddeeff")) == x("69c4e0d86a7b0430d8cdb78070b4c55a")
    assert Aes(bytes(range(32))).block(
        x("00112233445566778899aabbccddeeff")) == x("8ea2b7ca516745bfeafc49904b496089")
    # RFC 3711 appendix B.2
    assert counter_mode(Aes(x("2B7E151628AED2A6ABF7158809CF4F3C")),
                        x("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"), bytes(48)) == x(
        "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"
        "41E95B3BB0A2E8DD477901E4FCA894C0")
    # appendix B.3
    aes, salt = Aes(x("E1F97A0D3E018BE0D64FA32C06DE4139")), x("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(aes, salt, 0, 16) == x("C61E7A93744F39EE10734AFE3FF7A087")
    assert derive(aes, salt, 2, 14) == x("30CBBC08863D8C85D49DB34A9AE1")
    assert derive(aes, salt, 1, 94) == x(
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE"
        "E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25"
        "6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2")
    # RFC 7714 section 16.1.1
    gcm = Gcm(bytes(range(16)))
    head = x("8040f17b8041f8d35501a0b2")
    text = x("47616c6c696120657374206f6d6e69732064697669736120696e20706172746573207472657"
             "3")
    nonce = xor(x("00005501a0b2" "00000000" "f17b"), x("517569642070726f2071756f"))
    assert nonce == x("51753c6580c2726f20718414")
    assert gcm.seal(nonce, head, text) == x(
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
        "899d7f27beb16a9152cf765ee4390cce")


if __name__ == "__main__":
    check()
    rtp = bytes.fromhex("800fffffdecafbadcafebabe") + b"\xab" * 16
    rtcp = bytes.fromhex("81c8000bcafebabe") + b"\xab" * 16
    for name, (m, s, *_) in SUITES.items():
        for tail in (b"", b"\0\0\1\2"):
            c = Srtp(name, bytes(range(m + s)), tail)
            nxt = bytes.fromhex("800f0000decafbadcafebabe") + b"\xab" * 16
            for one in (c.protect(rtp), c.protect(nxt), c.protect_rtcp(rtcp)):
                print(name, tail.hex(), one.hex())
