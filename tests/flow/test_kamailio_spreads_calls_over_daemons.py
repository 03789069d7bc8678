"""Kamailio's dispatcher in front of two daemons: probing, failover, drain seen as 503."""
import os
import signal
import subprocess
import time

import pytest

import sipp
from peers import LIB, peer
from service import WAIT_S, Control, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import free_port, free_ports
from test_sip_server_answers_by_the_rules import Server
from test_sipp_is_heard_to_the_sample import heard

MS = 1000
CONFIG = """#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
listen=udp:127.0.0.1:{port}
mpath="{modules}"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "ctl.so"
loadmodule "dispatcher.so"
modparam("ctl", "binrpc", "unix:{directory}/ctl.sock")
modparam("tm", "fr_timer", 2000)
modparam("dispatcher", "list_file", "{directory}/dispatcher.list")
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "ds_ping_interval", 1)
modparam("dispatcher", "ds_ping_from", "sip:proxy@127.0.0.1")
modparam("dispatcher", "ds_probing_mode", 1)
modparam("dispatcher", "ds_probing_threshold", 1)
modparam("dispatcher", "ds_inactive_threshold", 1)
modparam("dispatcher", "ds_ping_reply_codes", "class=2")
request_route {{
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
    sl_send_reply("404", "Not here"); exit;
  }}
  t_check_trans();
  record_route();
  if (!ds_select_dst("1", "4")) {{ sl_send_reply("503", "No backend"); exit; }}
  t_on_failure("NEXT");
  t_relay();
}}
failure_route[NEXT] {{
  if (t_check_status("503|408") || t_branch_timeout()) {{
    ds_mark_dst("ip");
    if (ds_next_dst()) {{ t_on_failure("NEXT"); t_relay(); exit; }}
  }}
}}
"""


class Kamailio:
    def __init__(self, directory, backends):
        self.peer, self.directory = peer("kamailio"), directory
        self.port = free_port()
        self.at = ("127.0.0.1", self.port)
        (directory / "dispatcher.list").write_text(
            "".join(f"1 sip:127.0.0.1:{b.at[1]} 0 0\n" for b in backends))
        self.config = directory / "kamailio.cfg"
        self.config.write_text(CONFIG.format(
            port=self.port, directory=directory,
            modules=self.peer.path(f"{LIB}/kamailio/modules/")))

    def __enter__(self):
        self.log = open(self.directory / "kamailio.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [self.peer.path("usr/sbin/kamailio"), "-DD", "-E", "-f", self.config, "-m", "32",
             "-M", "4", "-Y", self.directory, "-P", self.directory / "pid"],
            env=self.peer.environment(), stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def flags(self, backend):
        """"AP": answers, "IP": does not."""
        done = subprocess.run(
            [self.peer.path("usr/sbin/kamcmd"), "-s", f"unix:{self.directory}/ctl.sock",
             "dispatcher.list"], env=self.peer.environment(), text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        _, _, rest = done.stdout.partition(f"URI: sip:127.0.0.1:{backend.at[1]}\n")
        return rest.split("FLAGS: ")[1].split()[0] if "FLAGS: " in rest else done.stdout

    def until(self, backend, flags):
        began = time.monotonic()
        while self.flags(backend) != flags:
            assert self.process.poll() is None, (self.directory / "kamailio.log").read_text()
            assert time.monotonic() - began < 60, self.flags(backend)
            time.sleep(0.2)


@pytest.fixture(name="place")
def a_place(tmp_path):
    for name in ("a", "b", "asr"):
        (tmp_path / name).mkdir()
    return tmp_path


def calls(directory, proxy, name, n, codec="PCMU"):
    text = sipp.call(sipp.audio_file(directory / "audio.raw", speech(MS), codec), codec, MS)
    code, said = sipp.run(directory, text, proxy.at, "-m", n, "-l", n, "-r", n,
                          "-mp", free_ports(40)[0], name=name)
    assert code == 0, said


def test_probing_drain_and_failover(place):
    with Simulator(place / "asr") as sim:
        asr = asr_config(sim, key_file(place))
        with Server(place / "a", rest=asr, ports=(25300, 25399)) as a, \
                Server(place / "b", rest=asr, ports=(25400, 25499)) as b, \
                Kamailio(place, [a, b]) as proxy:
            for backend in (a, b):
                proxy.until(backend, "AP")
            calls(place, proxy, "both", 4)
            for backend in (a, a, b, b):
                backend.until("call.end")
            assert len(a.of("call.start")) == len(b.of("call.start")) == 2

            Control(a.control).ask("drain")
            proxy.until(a, "IP")
            calls(place, proxy, "drained", 2)
            Control(a.control).ask("drain", cancel=True)
            proxy.until(a, "AP")

            # not yet known to be gone: the INVITE itself finds out, and goes to the other
            Control(b.control).ask("drain")
            calls(place, proxy, "failover", 2)
            os.kill(b.process.pid, signal.SIGSTOP)
            calls(place, proxy, "silent", 2)
            proxy.until(b, "IP")
            os.kill(b.process.pid, signal.SIGCONT)
            for backend in (a, b):
                backend.stop()
                backend.until("bye")
        total = [len(x.of("call.start")) for x in (a, b)]
        assert total[0] >= 2 + 2 and sum(total) == 10 and total[1] >= 4
        for x in (a, b):
            x.valid()
            assert {e["reason"] for e in x.of("call.end")} == {"bye"}
    assert len(sim.report) == 10
    for line in sim.report:
        assert sim.dump(line["connection"]) == heard(speech(MS), "PCMU")
