"""What live capture cannot see is said plainly: no right, no interface, a kernel without room."""
import re
import shutil
import signal
import subprocess

import pytest

from network import Network, ip
from oracle.pcapgen import Call, Capture, ethernet, ip_packets, udp
from service import Control, Daemon
from simulator import BUILD, TOP, talk

MS = 1000
WAIT_S = 30


def conf(directory, interface, text=""):
    file = directory / "trunkscribe.conf"
    file.write_text(f'events {{ socket = "{directory}/events.sock" group = "" }}\n'
                    f'control {{ socket = "{directory}/control.sock" drain-timeout = "0s" }}\n'
                    f'journal {{ directory = "" }}\n'
                    f'capture {{ interface = "{interface}" filter = "{text}" }}\n')
    return file


def call(name="call"):
    """A call in which 500 ms are said."""
    frames = Capture()
    c = Call(frames, name=name).start(0)
    pcm = memoryview(talk((500, True))).cast("h")
    sender = c.sender("caller", 200 * MS, ssrc=7, seq=65530)
    frames.add(sender.speak(pcm).sent)
    return frames, c, sender, pcm


def without(*capabilities):
    """Run as we are, but with these capabilities only."""
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed")
    keep = "".join(f",+{c}" for c in capabilities)
    return ["setpriv", "--bounding-set=-all" + keep, "--inh-caps=-all", "--ambient-caps=-all"]


def test_no_capability(tmp_path):
    with Network() as net:
        done = subprocess.run([*without(), BUILD / "trunkscribed", "-c", conf(tmp_path, net.near)],
                              capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 2
    assert net.near in done.stderr and "CAP_NET_RAW" in done.stderr and "drop-in" in done.stderr


@pytest.mark.parametrize("what", ["missing", "down", "filter"])
def test_it_does_not_start(tmp_path, what):
    with Network() as net:
        name, text, cure = net.near, "", "ip link"
        if what == "missing":
            name = "nosuch0"
        elif what == "down":
            ip("link", "set", net.near, "down")
            cure = f"ip link set {net.near} up"
        else:
            name, text, cure = net.near, "udp prt 5060", "man pcap-filter"
        done = subprocess.run([BUILD / "trunkscribed", "-c", conf(tmp_path, name, text)],
                              capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 2
    assert cure in done.stderr and (text or name) in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_can_be_known_before_is_told_by_t(tmp_path):
    rows = [("lo", "udp", 0, ""), ("nosuch0", "udp", 0, "warning: capture: interface nosuch0"),
            ("lo", "udp prt 5060", 1, 'capture: filter "udp prt 5060"')]
    with Network():
        for interface, text, code, said in rows:
            done = subprocess.run(
                [BUILD / "trunkscribed", "-t", "-c", conf(tmp_path, interface, text)],
                capture_output=True, text=True, timeout=WAIT_S, check=False)
            assert (done.returncode, said in done.stderr) == (code, True), done.stderr
            assert ("ok" in done.stdout) == (not code) and ("" != done.stderr) == (said != "")


class Raw(Daemon):
    """With CAP_NET_RAW and nothing else."""

    def __init__(self, directory, interface):
        self.wrapper = without("net_raw")
        super().__init__(directory, f'capture {{ interface = "{interface}" }}\n')

    def start(self, command, **how):
        return subprocess.Popen([*self.wrapper, *command], **how)


def test_cap_net_raw_is_enough(tmp_path):
    with Network() as net, Raw(tmp_path, net.near) as daemon:
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
            caps = {x.split()[0]: int(x.split()[1], 16) for x in f if x.startswith("Cap")}
        assert caps["CapEff:"] == caps["CapPrm:"] == caps["CapBnd:"] == 1 << 13
        frames, c, _, _ = call()
        c.bye(800 * MS)
        net.send(frames)
        daemon.until("call.end")
        end, = daemon.of("leg.end")
        assert end["audio"]["samples"]["received"] == 4000
        assert Control(daemon.control).ask("status")["status"]["capture"]["dropped"] == 0


def test_the_interface_goes_down_and_away_and_comes_back(tmp_path):
    with Network() as net, \
            Daemon(tmp_path, f'capture {{ interface = "{net.near}" }}\n') as daemon:
        control = Control(daemon.control)
        frames, c, sender, pcm = call()
        net.send(frames)
        daemon.until("leg.media")
        for leave, come, said in (
                (lambda: ip("link", "set", net.near, "down"),
                 lambda: ip("link", "set", net.near, "up"), f"ip link set {net.near} up"),
                (lambda: ip("link", "del", net.near), net.plug_in, "went away")):
            leave()
            down = daemon.until("daemon.capture_down")[-1]
            assert net.near in down["text"] and said in down["text"]
            assert control.ask("status")["status"]["capture"]["up"] is False
            people = subprocess.run([BUILD / "trunkscribectl", "-s", daemon.control, "status"],
                                    capture_output=True, text=True, check=True)
            assert "DOWN" in people.stdout and "dropped by the kernel" in people.stdout
            come()
            up = daemon.until("daemon.capture_up")[-1]
            assert net.near in up["text"]
            assert control.ask("status")["status"]["capture"]["up"] is True
        again = Capture()   # the call has gone on meanwhile
        c.capture = again
        sender.t_us = 0
        sender.sent.clear()
        sender.seq += 50
        sender.ts += 50 * 160
        again.add(sender.speak(pcm).sent)
        c.bye(700 * MS)
        net.send(again)
        daemon.until("call.end")
        end, = daemon.of("leg.end")
        assert end["reason"] == "bye" and end["rtp"]["lost"] == 50
        assert end["audio"]["samples"]["received"] == 8000
    daemon.valid()


def test_draining_it_begins_nothing_and_ends_what_there_is(tmp_path):
    with Network() as net, \
            Daemon(tmp_path, f'capture {{ interface = "{net.near}" }}\n') as daemon:
        control = Control(daemon.control)
        first, c, sender, pcm = call("first")
        net.send(first)
        daemon.until("leg.media")
        assert control.ask("drain")["status"]["draining"] is True
        second, _, _, _ = call("second")   # elsewhere: 10.0.0.3 and .4
        second.frames = [(t, f.replace(b"10.0.0.1", b"10.0.0.3").replace(b"10.0.0.2", b"10.0.0.4")
                          .replace(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 3]))
                          .replace(bytes([10, 0, 0, 2]), bytes([10, 0, 0, 4])), k)
                         for t, f, k in second.frames]
        net.send(second)
        rest = Capture()
        c.capture = rest
        sender.t_us = 0
        sender.sent.clear()
        rest.add(sender.speak(pcm).sent)
        c.bye(600 * MS)
        net.send(rest)
        daemon.until("call.end")
        end, = daemon.of("leg.end")
        assert end["audio"]["samples"]["received"] == 8000 and end["rtp"]["lost"] == 0
        assert len(daemon.of("call.start")) == 1
        status = control.ask("drain", cancel=True)["status"]
        assert status["draining"] is False and status["calls"] == 0
        assert status["capture"]["foreign"] >= 20
        third, c, _, _ = call("third")
        c.bye(800 * MS)
        net.send(third)
        daemon.until("call.start")
        daemon.until("call.end")
    assert [e["sip_call_id"] for e in daemon.of("call.start")] == \
        ["first@example.com", "third@example.com"]


def test_what_the_kernel_drops_is_no_loss_of_the_call(tmp_path):
    """More than the ring holds, while the daemon stands still."""
    with Network() as net, \
            Daemon(tmp_path, f'capture {{ interface = "{net.near}" }}\n') as daemon:
        control = Control(daemon.control)
        frames, c, _, _ = call()
        c.bye(800 * MS)
        net.send(frames)
        daemon.until("call.end")
        daemon.process.send_signal(signal.SIGSTOP)
        flood = Capture()
        big = ethernet(ip_packets("10.9.9.1:7", "10.9.9.2:9", 17,
                                  udp("10.9.9.1:7", "10.9.9.2:9", bytes(1400)))[0])
        flood.frames = [(0, big, "ether")] * 20_000
        net.send(flood)
        daemon.process.send_signal(signal.SIGCONT)
        told = daemon.until("daemon.capture_dropped")[-1]
        status = control.ask("status")["status"]["capture"]
        end, = daemon.of("leg.end")
    daemon.valid()
    assert 0 < status["dropped"] < 20_000 and f"{status['dropped']} frames" in told["text"]
    assert "filter" in told["text"]
    assert end["rtp"]["lost"] == 0 and end["audio"]["samples"]["received"] == 4000
    assert f"{status['dropped']} dropped by the kernel" in daemon.stderr


def test_the_units_grant_that_and_no_more(tmp_path):
    """What systemd makes of the service with its drop-in."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "trunkscribed.service"
    text = (TOP / "systemd/trunkscribed.service").read_text()
    unit.write_text(text.replace("@PREFIX@", "/usr/local")
                    .replace("/usr/local/bin/trunkscribed", "/bin/true"))
    drop = tmp_path / "trunkscribed.service.d"
    drop.mkdir()
    (drop / "capture.conf").write_bytes((TOP / "systemd/capture.conf").read_bytes())
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                          text=True, check=False)
    assert "trunkscribed" not in done.stderr and "capture.conf" not in done.stderr, done.stderr
    lines = [x for x in (drop / "capture.conf").read_text().splitlines() if "=" in x]
    assert lines == ["AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW",
                     "RestrictAddressFamilies=AF_PACKET AF_NETLINK"]


@pytest.mark.parametrize("name, most", [("trunkscribed", 1.2), ("trunkscribed-capture", 1.8)])
def test_a_unit_exposes_little(tmp_path, name, most):
    """As systemd itself counts it; and the capture's samples are a good configuration."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / f"{name}.service"
    unit.write_text((TOP / f"systemd/{name}.service").read_text()
                    .replace("@PREFIX@", "/usr/local")
                    .replace("/usr/local/bin/trunkscribed", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                          text=True, check=False)
    assert name not in done.stderr, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          capture_output=True, text=True, check=False)
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(level[1]) <= most, done.stdout
