"""SIP calls, message by message: what was sent as RTP is what the ASR heard."""
import array
import contextlib
import socket
import ssl
import subprocess
import time

import pytest

from oracle import g711
from service import Control, Daemon, bound, packets, paced, speech
from sessions import asr_config, key_file
from simulator import BUILD, Simulator
from sip_client import Client, Dialog, free_port, sdp

def heard(pcm, codec="PCMU"):
    return array.array("h", g711.decode(codec, bytes(g711.encode(codec, pcm)))).tobytes()


RTP = (24800, 24999)


def certificate(directory):
    """Of localhost.  -> (lines of the section sip, what a client trusts)"""
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                    "-out", cert], check=True, capture_output=True)
    trust = ssl.create_default_context(cafile=cert)
    trust.set_alpn_protocols(["sip/2"])
    return (f'tls-cert-file = "{cert}" tls-key-file = "{key}"',
            trust)


def sip(transport="udp", more="", host="127.0.0.1"):
    port = free_port(host=host)
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (host, port), f'sip {{ listen = {{"{transport}:{at}"}} {more} }}\n'


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_a_call(tmp_path, transport, codec):
    more, trust = certificate(tmp_path) if transport == "tls" else ("", None)
    to, section = sip(transport, more)
    with Simulator(tmp_path) as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)) + section, RTP) as daemon:
        client, sender, pcm = Client(to, transport, context=trust), bound(), speech(1500)
        call = Dialog(client, sdp((sender.getsockname()[1], codec)))
        assert call.ok.status == 200, call.ok.raw
        (host, port, direction), = call.ok.media()
        assert direction == "recvonly" and RTP[0] <= port <= RTP[1]
        call.ack()
        paced((sender, (host, port), list(packets(pcm, 77, codec))))
        call.bye()
        daemon.until("call.end")
        status = Control(daemon.control).ask("status")["status"]["sip"]
        assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)
    daemon.valid()
    start, = daemon.of("call.start")
    assert (start["source"], start["from"], start["to"], start["sip_call_id"]) == (
        "sip", "alice@127.0.0.1", "bob@127.0.0.1", call.call_id)
    end, = daemon.of("leg.end")
    assert end["reason"] == "bye" and end["audio"]["samples"]["sent"] == 12000
    assert sim.dump(1) == heard(pcm, codec)


def test_a_name_for_an_address_is_where_they_call_from(tmp_path):
    to, section = sip()
    with Daemon(tmp_path, 'route { asr = "none" }\n' + section, RTP) as daemon:
        sender, stranger = bound(), bound("127.0.0.2")
        call = Dialog(Client(to), sdp((sender.getsockname()[1], "PCMU"), host="pbx.example")).ack()
        at = call.ok.media()[0][:2]
        for packet in packets(speech(200), 5):
            stranger.sendto(packet, at)
            sender.sendto(packet, at)
        call.bye()
        daemon.until("call.end")
    end, = daemon.of("leg.end")
    assert end["rtp"]["packets"] == 10 and end["audio"]["samples"]["received"] == 1600


def test_who_speaks_no_tls_is_gone_at_once(tmp_path):
    more, trust = certificate(tmp_path)
    to, section = sip("tls", more)
    with Daemon(tmp_path, 'route { asr = "none" }\n' + section, RTP) as daemon:
        for junk in (b"\0" * 100_000, b"INVITE sip:a SIP/2.0\r\n\r\n" * 500, b"\x16\x03\x01" * 9000,
                     b"\x16\x03\x03\x40\x00" + b"\1" * 16384):
            for _ in range(20):
                with socket.create_connection(to, timeout=30) as s:
                    with contextlib.suppress(ConnectionError):
                        s.sendall(junk)
                        while s.recv(4096):
                            pass
        for _ in range(3):            # half a handshake, and away
            with socket.create_connection(to) as s:
                s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        client = Client(to, "tls", context=trust)
        assert client.ask("OPTIONS").status == 200
        control, began = Control(daemon.control), time.monotonic()
        while control.ask("status")["status"]["sip"]["connections"] != 1:
            assert time.monotonic() - began < 60
            time.sleep(0.05)
        assert control.ask("status")["status"]["sip"]["requests"] == 1


def test_tls_wants_its_files(tmp_path):
    for section, word in ((sip("tls")[1], "tls-cert-file"),
                          (sip("tls", 'tls-cert-file = "/none" tls-key-file = "/none"')[1],
                           "certificate /none")):
        file = tmp_path / "c.conf"
        file.write_text(f'events {{ socket = "{tmp_path}/e" group = "" }}\n'
                        f'control {{ socket = "{tmp_path}/c" drain-timeout = "0s" }}\n'
                        f'journal {{ directory = "" }}\n{section}')
        done = subprocess.run([BUILD / "trunkscribed", "-c", file], capture_output=True, text=True,
                              check=False, timeout=30)
        assert done.returncode and word in done.stderr, done.stderr


def test_an_address_in_use_is_said(tmp_path):
    to, section = sip("tcp")
    with socket.socket() as other:
        other.bind(to)
        other.listen()
        file = tmp_path / "c.conf"
        file.write_text(f'events {{ socket = "{tmp_path}/e" group = "" }}\n'
                        f'control {{ socket = "{tmp_path}/c" drain-timeout = "0s" }}\n'
                        f'journal {{ directory = "" }}\n{section}')
        done = subprocess.run([BUILD / "trunkscribed", "-c", file], capture_output=True, text=True,
                              check=False, timeout=30)
    assert done.returncode == 2 and "another program has that port" in done.stderr


@pytest.mark.parametrize("listen, address, warned", [
    ("udp:127.0.0.1:5060", "127.0.0.1", False), ("udp:0.0.0.0:5060", "127.0.0.1", True),
    ("tcp:[::]:5060", None, True), ("udp:0.0.0.0:5060", "127.0.0.2", True)])
def test_audio_that_could_not_arrive_is_told(tmp_path, listen, address, warned):
    file = tmp_path / "c.conf"
    rtp = f'rtp {{ address = "{address}" }}' if address else ""
    file.write_text(f'sip {{ listen = {{"udp:127.0.0.1:5060", "{listen}"}} }}\n{rtp}\n')
    done = subprocess.run([BUILD / "trunkscribed", "-t", "-c", file], capture_output=True,
                          text=True, check=False, timeout=30)
    assert done.returncode == 0
    assert (f"sip: {listen} takes calls from elsewhere" in done.stderr) == warned, done.stderr
