"""callgen's SIP against sipp, which nobody here wrote: what a caller must do, it does."""
import subprocess
import time

import pytest

from callgen import callgen
from peers import peer
from simulator import BUILD
from sip_client import free_port

HEAD = """[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Record-Route: <sip:[local_ip]:[local_port];lr;n=2>
Record-Route: <sip:[local_ip]:[local_port];lr;n=1>
Contact: <sip:uas@[local_ip]:[local_port];transport=[transport]>
"""
SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=uas 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""
NEW = ";tag=uas[call_number]"
# the route set backwards, the remote target as the request's URI
RIGHT = """<action>
<ereg regexp="n=1.*" search_in="hdr" header="Route:" check_it="true" assign_to="1"/>
<ereg regexp="^[A-Z]+ sip:uas@" search_in="msg" check_it="true" assign_to="2"/>
</action>"""


def send(first, rest="Content-Length: 0\n\n", tag="", more=""):
    return f"<send {more}><![CDATA[\n{first}\n{HEAD.format(tag=tag)}{rest}\n]]></send>\n"


def recv(what, inner="", more=""):
    return f'<recv request="{what}" {more}>{inner}</recv>\n'


def taken(lost="", ack_lost=""):
    return (recv("INVITE", more=f'rrs="true" {lost}') +
            send("SIP/2.0 180 Ringing", tag=NEW) +
            send("SIP/2.0 200 OK", SDP, NEW, 'retrans="500"') + recv("ACK", RIGHT, ack_lost))


SCENARIOS = {
    "taken": (taken() + recv("BYE", RIGHT) + send("SIP/2.0 200 OK"), 0),
    # sipp takes no BYE before the ACK: of four of them in 4 s one must get through
    "messages are lost": (taken('lost="30"', 'lost="15"') + recv("BYE", RIGHT, 'lost="30"') +
                          send("SIP/2.0 200 OK"), 0),
    "held and resumed": (taken() + (
        recv("INVITE", '<action><ereg regexp="a={}" search_in="body" check_it="true" '
             'assign_to="1"/></action>') + send("SIP/2.0 200 OK", SDP, more='retrans="500"') +
        recv("ACK")).replace("{}", "inactive") + (
        recv("INVITE", '<action><ereg regexp="a={}" search_in="body" check_it="true" '
             'assign_to="1"/></action>') + send("SIP/2.0 200 OK", SDP, more='retrans="500"') +
        recv("ACK")).replace("{}", "sendrecv") + recv("BYE", RIGHT) + send("SIP/2.0 200 OK"), 0),
    "refused": (recv("INVITE") + send("SIP/2.0 486 Busy Here", tag=NEW, more='retrans="500"') +
                recv("ACK"), 2),
    "hung up": (taken() + """<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:uas@[local_ip]>;tag=uas[call_number]
To: [$3]
Call-ID: [call_id]
CSeq: 9 BYE
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="200"/>""", 2),
}
# its 200 to our INVITE had our From: the To of its BYE
SCENARIOS["hung up"] = (SCENARIOS["hung up"][0].replace(
    '<recv request="INVITE" rrs="true" ></recv>',
    '<recv request="INVITE" rrs="true"><action><ereg regexp=".*" search_in="hdr" header="From:" '
    'check_it="true" assign_to="3"/></action></recv>'), 2)


def scenario(steps):
    used = sorted({n for n in "123" if f'assign_to="{n}"' in steps and f"[${n}]" not in steps})
    reference = f'<Reference variables="{",".join(used)}"/>' if used else ""
    return ('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
            f'<scenario name="uas">\n{steps}{reference}\n</scenario>\n')


@pytest.mark.parametrize("name, transport", [
    (name, transport) for name in SCENARIOS for transport in ("udp", "tcp")
    if transport == "udp" or "lost" not in name])   # TCP loses nothing
def test_sipp_is_content(name, transport, tmp_path):
    sipp = peer("sip-tester")
    steps, code = SCENARIOS[name]
    file, port, calls = tmp_path / "uas.xml", free_port(), 6
    file.write_text(scenario(steps))
    uas = subprocess.Popen(
        [sipp.path("usr/bin/sipp"), "-sf", file, "-i", "127.0.0.1", "-p", str(port), "-mp", "26000",
         "-t", "u1" if transport == "udp" else "t1", "-m", str(calls), "-nostdin", "-trace_err",
         "-error_file", tmp_path / "errors", "-timeout", "55s"],
        env=sipp.environment(TERM="dumb"), cwd=tmp_path, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until_bound(uas, port, transport)
        report = callgen("--sip", f"{transport}:127.0.0.1:{port}", "--calls", calls, "--length",
                         "2s", "--hold", "500ms:500ms", code=code) if "held" in name else \
            callgen("--sip", f"{transport}:127.0.0.1:{port}", "--calls", calls, "--length",
                    "4s" if "lost" in name else "1s", code=code)
        out = uas.communicate(timeout=60)[0].decode(errors="replace")
    finally:
        uas.kill()
        uas.wait()
    errors = tmp_path / "errors"
    assert uas.returncode == 0, (errors.read_text()[:2000] if errors.exists() else "") + out[-500:]
    assert report.total["failed"] == (calls if code else 0)
    assert {x["sip"]["status"] for x in report.lines} == {486 if name == "refused" else 200}
    assert {x["complete"] for x in report.lines} == {code == 0}


def wait_until_bound(uas, port, transport):
    """Its socket is in the kernel's table."""
    table = "/proc/net/udp" if transport == "udp" else "/proc/net/tcp"
    wanted = f"0100007F:{port:04X}"
    while uas.poll() is None:
        with open(table, encoding="ascii") as f:
            if any(line.split()[1] == wanted for line in f.readlines()[1:]):
                return
        time.sleep(0.01)
    raise AssertionError("sipp has ended")


def test_nobody_answers(tmp_path):
    done = subprocess.run([BUILD / "callgen", "--sip", f"tcp:127.0.0.1:{free_port()}", "--calls",
                           "2", "--length", "1s"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 2 and "connection" in done.stderr, done
