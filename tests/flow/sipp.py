"""sipp as a caller: scenarios, a run, and the audio it sends."""
import subprocess

from oracle import g711
from peers import peer

INVITE = """INVITE sip:srs@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]f[call_number]
To: <sip:srs@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[local_ip_type] [local_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP {pt}
a=rtpmap:{pt} {codec}/8000
"""

INSIDE = """{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]f[call_number]
To: <sip:srs@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
Content-Length: 0

"""


def send(text, *attributes):
    return f"<send {' '.join(attributes)}><![CDATA[\n{text}]]></send>\n"


def scenario(*steps):
    return ('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="call">\n'
            + "".join(steps) + "</scenario>\n")


def call(file, codec, audio_ms, retrans=True, lost=0):
    """INVITE, all of the file as RTP, BYE; each thing lost with a chance of `lost` per cent."""
    again = 'retrans="500"' if retrans else ""
    gone = f'lost="{lost}"' if lost else ""
    pt = {"PCMU": 0, "PCMA": 8}[codec]
    return scenario(
        send(INVITE.format(pt=pt, codec=codec), again, gone),
        '<recv response="100" optional="true"></recv>\n',
        f'<recv response="200" rrs="true" {gone}></recv>\n',
        send(INSIDE.format(method="ACK", cseq=1), gone),
        f'<nop><action><exec rtp_stream="{file},1,{pt},{codec}/8000"/></action></nop>\n',
        f'<pause milliseconds="{audio_ms + 400}"/>\n',
        send(INSIDE.format(method="BYE", cseq=2), again, gone),
        f'<recv response="200" {gone}></recv>\n')


def audio_file(path, pcm, codec):
    path.write_bytes(bytes(g711.encode(codec, pcm)))
    return path


def run(directory, text, to, *options, name="call", timeout=120):
    """-> (exit code, what it wrote)"""
    sipp = peer("sip-tester")
    file = directory / f"{name}.xml"
    file.write_text(text)
    done = subprocess.run(
        [sipp.path("usr/bin/sipp"), "-sf", file, "-i", "127.0.0.1", "-nostdin", "-timeout",
         str(timeout), "-timeout_error", "-trace_err", "-error_file", directory / f"{name}.err",
         *map(str, options), f"{to[0]}:{to[1]}"],
        env=sipp.environment(TERM="dumb"), cwd=directory, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout + 30, check=False)
    errors = directory / f"{name}.err"
    return done.returncode, done.stdout[-3000:] + (
        errors.read_text()[-3000:] if errors.exists() else "")
