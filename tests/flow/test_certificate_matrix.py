"""Which servers our TLS takes: every case of the matrix measured with mbedTLS's defaults
(SECURITY.md) and of badssl.com's classes as a row with the verdict of our layer, with
mbedTLS 2.28 and with 3.6 where they differ.  The servers are OpenSSL's.

Two cases cannot be put to our layer: a session without a host name (tls_session_new() refuses it:
tests/unit/net/test_tls.c), and RC4 or 512-bit DH (OpenSSL has neither any more; the list of ciphers
in net/tls_context.c is closed).  A revoked certificate is taken: nobody is asked (SECURITY.md).
"""
import ssl
import subprocess

import pytest

from simulator import BUILD, TOP
from test_websocket_interop import closed, echo_one, tls_server, with_openssl, with_server

V = ssl.TLSVersion
ONLY_12 = {"maximum_version": V.TLSv1_2}
ONLY_13 = {"minimum_version": V.TLSv1_3}
OLD = {"minimum_version": V.TLSv1, "maximum_version": V.TLSv1_1}


def cipher(name):
    return {"ciphers": f"{name}:@SECLEVEL=0", **ONLY_12}


NAME, TRUST = "another name", "no trusted CA"
# libmbedtls.so.14 is 2.28: it compares no addresses and has no TLS 1.3
IS_2_28 = b"libmbedtls.so.14" in subprocess.run(
    ["ldd", BUILD / "trunkscribed"], capture_output=True, check=False).stdout


def of_version(on_2_28, on_3_6):
    return on_2_28 if IS_2_28 else on_3_6


# case, certificate, name wanted, the server's settings, words of the refusal (None: taken)
MATRIX = [
    ("good chain", "good", "asr.test", {}, None),
    ("good chain with intermediate", "chained", "asr.test", {}, None),
    ("RSA 2048", "rsa2048", "asr.test", {}, None),
    ("RSA 4096", "rsa4096", "asr.test", {}, None),
    ("P-384", "p384", "asr.test", {}, None),
    ("for servers only", "server_only", "asr.test", {}, None),
    ("no common name", "no_cn", "asr.test", {}, None),
    ("no subject", "no_subject", "asr.test", {}, None),
    ("100 names", "sans_100", "asr.test", {}, None),
    ("1000 names", "sans_1000", "asr.test", {}, None),
    ("TLS 1.2 and 1.3", "good", "asr.test", {"minimum_version": V.TLSv1_2}, None),
    ("wrong host", "other", "asr.test", {}, NAME),
    ("untrusted root", "untrusted", "asr.test", {}, TRUST),
    ("self-signed", "selfsigned", "asr.test", {}, TRUST),
    ("missing intermediate", "missing", "asr.test", {}, TRUST),
    ("expired", "expired", "asr.test", {}, "expired"),
    ("not yet valid", "future", "asr.test", {}, "not yet valid"),
    ("SHA-1 signature", "sha1", "asr.test", {}, "SHA-1"),
    ("SHA-1 intermediate", "under_sha1", "asr.test", {}, "SHA-1"),
    ("RSA 1024", "rsa1024", "asr.test", {}, "too short"),
    ("for clients only", "client_only", "asr.test", {}, "not for servers"),
    ("issuer without CA flag", "under_notca", "asr.test", {}, TRUST),
    ("wildcard, one label", "wildcard", "a.asr.test", {}, None),
    ("wildcard, two labels", "wildcard", "a.b.asr.test", {}, NAME),
    ("wildcard, no label", "wildcard", "asr.test", {}, NAME),
    ("CN fits, SAN does not", "cn_differs", "asr.test", {}, NAME),
    ("CN without SAN", "cn_only", "asr.test", {}, "subjectAltName"),
    ("IP in the SAN", "ip", "127.0.0.1", {}, of_version("tls-server-name", None)),
    ("a name beside an IP in the SAN", "ip_and_name", "asr.test", {}, None),
    ("another IP in the SAN", "ip", "127.0.0.2", {}, of_version("tls-server-name", NAME)),
    ("IP as dNSName", "ip_as_dns", "127.0.0.1", {}, of_version("tls-server-name", NAME)),
    ("IP in the CN", "ip_in_cn", "127.0.0.1", {}, "subjectAltName"),
    ("name constraint kept", "nc_kept", "asr.test", {}, None),
    # known gap: not applied (SECURITY.md)
    ("name constraint violated", "nc_violated", "asr.test", {}, None),
    # refused either way: the library does not understand it
    ("critical name constraint kept", "nc_critical_kept", "asr.test", {}, "marked critical"),
    ("critical name constraint violated", "nc_critical_violated", "asr.test", {},
     "marked critical"),
    ("TLS 1.0 and 1.1 only", "good", "asr.test", OLD, "TLS"),
    ("TLS 1.3 only", "good", "asr.test", ONLY_13, of_version("TLS", None)),
    ("TLS 1.3 only, wrong host", "other", "asr.test", ONLY_13, of_version("TLS", NAME)),
    ("TLS 1.3 only, untrusted root", "untrusted", "asr.test", ONLY_13,
     of_version("TLS", TRUST)),
    ("TLS 1.3 only, CN without SAN", "cn_only", "asr.test", ONLY_13,
     of_version("TLS", "subjectAltName")),
    ("TLS 1.3 only, expired", "expired", "asr.test", ONLY_13, of_version("TLS", "expired")),
    ("ECDHE with AES-GCM", "good", "asr.test", cipher("ECDHE-ECDSA-AES128-GCM-SHA256"), None),
    ("ECDHE with ChaCha20", "good", "asr.test", cipher("ECDHE-ECDSA-CHACHA20-POLY1305"), None),
    ("RSA key exchange, CBC-SHA1", "rsa2048", "asr.test", cipher("AES128-SHA"), "TLS"),
    ("RSA key exchange, GCM", "rsa2048", "asr.test", cipher("AES128-GCM-SHA256"), "TLS"),
    ("ECDHE, CBC-SHA1", "good", "asr.test", cipher("ECDHE-ECDSA-AES128-SHA"), "TLS"),
    ("ECDHE, CBC-SHA256", "good", "asr.test", cipher("ECDHE-ECDSA-AES128-SHA256"), "TLS"),
    ("finite-field DHE", "rsa2048", "asr.test", cipher("DHE-RSA-AES128-GCM-SHA256"), "TLS"),
    ("ECDHE without encryption", "good", "asr.test", cipher("ECDHE-ECDSA-NULL-SHA"), "TLS"),
]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run([TOP / "tests/unit/net/pki.sh", directory, "all"], check=True)
    return directory


@pytest.mark.parametrize("name, host, settings, words", [row[1:] for row in MATRIX],
                         ids=[row[0] for row in MATRIX])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_case(pki, name, host, settings, words):
    context = tls_server(pki, name, **(settings or ONLY_12))
    options = ("--ca", pki / "root.pem", "--name", host)
    if words is None:
        lines, returned = with_server(echo_one, *options, scheme="wss", context=context)
        assert returned == ["hello"], lines
        newer = settings and settings.get("maximum_version") != V.TLSv1_2 and not IS_2_28
        suite = "tls TLSv1.3 TLS1-3-" if newer else "tls TLSv1.2 TLS-ECDHE-"
        assert any(x.startswith(suite) for x in lines), lines
    else:
        lines = with_openssl(context, *options)
        assert closed(lines)[0] == "tls" and words in lines[-1], lines
        assert "open" not in lines
