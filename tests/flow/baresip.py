"""baresip as a caller, without sound devices: it plays a WAV and does what it is told.

Its traps: on the loopback `net_interface` has to be an address; the session ends where the WAV
does; hold stops its RTP, and resume goes on with the same SSRC.
"""
import json
import random
import socket
import subprocess
import wave

from oracle import g711
from peers import peer
from service import WAIT_S
from sip_client import free_port

SILENCE = 8  # A-law has no zero

CONFIG = """poll_method epoll
sip_listen {at}
{ca}
audio_source aufile,{wav}
audio_player aufile,{directory}/heard.wav
audio_alert aufile,{directory}/alert.wav
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
call_local_timeout 120
rtp_ports {rtp}
rtcp_mux {mux}
jitter_buffer_type fixed
jitter_buffer_delay 5-10
net_interface {host}
module_path {modules}
module stdio.so
module g711.so
module aufile.so
module srtp.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {control}
"""


def exact(ms, codec, seed=1):
    """Noise of samples that every encoder of this law maps to one code, and back to themselves;
    never what silence becomes."""
    rng = random.Random(seed)
    levels = [x for x in g711.TABLES[codec] if abs(x) > SILENCE]
    return [rng.choice(levels) for _ in range(ms * 8)]


def write_wav(path, pcm):
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(b"".join(x.to_bytes(2, "little", signed=True) for x in pcm))
    return path


class Baresip:
    """A call of one; `with` until it has ended."""

    def __init__(self, directory, pcm, to, codec="PCMU", host="127.0.0.1", transport="udp",
                 account="", ca=None, mux="no"):
        self.peer = peer("baresip-core")
        self.directory = directory / "baresip"
        self.directory.mkdir()
        v6 = ":" in host
        at = (f"[{host}]:" if v6 else f"{host}:") + str(free_port(host=host))
        self.control = ("127.0.0.1", free_port(socket.SOCK_STREAM))
        base = random.SystemRandom().randrange(12000, 22000, 2)
        wav = write_wav(self.directory / "said.wav", pcm)
        for name in ("heard", "alert"):
            write_wav(self.directory / f"{name}.wav", [0] * 160)
        (self.directory / "config").write_text(CONFIG.format(
            at=at, wav=wav, directory=self.directory, rtp=f"{base}-{base + 400}", host=host,
            modules=self.peer.path("usr/lib/baresip/modules"), mux=mux,
            control="%s:%d" % self.control, ca=f"sip_cafile {ca}" if ca else ""))
        (self.directory / "accounts").write_text(
            f"<sip:alice@{at}>;regint=0;audio_codecs={codec}/8000/1;ptime=20{account}\n")
        (self.directory / "contacts").write_text("")
        uri = f"sip:srs@{to[0] if not v6 else f'[{to[0]}]'}:{to[1]};transport={transport}"
        self.log = open(self.directory / "log", "w+b")
        self.process = subprocess.Popen(
            [self.peer.path("usr/bin/baresip"), "-6" if v6 else "-4", "-f", self.directory,
             "-t", "55", "-e", f"/dial {uri}"], env=self.peer.environment(HOME=str(directory)),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def said(self):
        return (self.directory / "log").read_text(errors="replace")

    def tell(self, command, parameters=None):
        """By ctrl_tcp: a netstring of JSON, and one in answer."""
        message = {"command": command, "token": "t"}
        if parameters is not None:
            message["params"] = parameters
        data = json.dumps(message).encode()
        with socket.create_connection(self.control, WAIT_S) as s:
            s.sendall(b"%d:%s," % (len(data), data))
            got = b""
            while True:  # its events come, too
                size, colon, rest = got.partition(b":")
                if colon and len(rest) > int(size):
                    answer, got = json.loads(rest[:int(size)]), rest[int(size) + 1:]
                    if answer.get("response"):
                        return answer
                    continue
                more = s.recv(65536)
                assert more, "baresip has closed its control connection"
                got += more
