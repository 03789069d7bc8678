"""Floods of requests and silent connections beside a running call: it hears everything."""
import array
import contextlib
import resource
import socket
import threading

import pytest

from oracle import g711
from service import bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, sdp
from test_sip_server_answers_by_the_rules import Server

N = 2000
ROUTE = 'route { asr = "none" }\n'


def rss_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))


def answered(call):
    """Of an OPTIONS, sent again like every request over UDP: a flood may fill the buffer."""
    call.client.socket.settimeout(1)
    with contextlib.suppress(TimeoutError):
        return call.ask("OPTIONS").status
    for _ in range(60):
        call.client.raw(call.last)
        with contextlib.suppress(TimeoutError):
            return call.client.receive().status
    raise AssertionError("no answer")


def flood(client, method, body=None, n=N):
    """Nobody reads the answers."""
    for i in range(n):
        with contextlib.suppress(OSError):  # its own buffer may be full
            client.raw(client.request(method, body=body, Call_ID=f"{method}{i}@flood"))


def floods(server):
    offer = sdp((4000, "PCMU"))
    stranger = Client(server.at, source="127.0.0.9")
    for method, body in (("OPTIONS", None), ("INVITE", offer), ("REGISTER", None), ("BYE", None)):
        client = Client(server.at)
        flood(client, method, body)
        flood(stranger, method, body, N // 4)
        client.raw(b"\0" * 100 + b"INVITE")
        client.close()


def test_floods_of_requests(tmp_path):
    with Simulator(tmp_path) as sim, \
            Server(tmp_path, 'max-calls = 1 permit = {"127.0.0.1"}',
                   asr_config(sim, key_file(tmp_path))) as server:
        sender, pcm = bound(), speech(4000)
        server.client.patient = True
        call = Dialog(server.client, sdp((sender.getsockname()[1], "PCMU"))).ack()
        done = threading.Event()

        def again():
            while not done.is_set():
                floods(server)
                done.wait(0.2)

        flooding = threading.Thread(target=again)
        flooding.start()
        paced((sender, call.ok.media()[0][:2], list(packets(pcm, 77))))
        done.set()
        flooding.join()
        # all that came before has been answered when this is
        assert answered(call) == 200
        status = server.status()
        assert status["calls"] == 1 and status["ports_used"] == 1
        assert status["refused"] > N
        call.bye()
        server.until("call.end")
        server.stop()
    server.valid()
    assert len(server.of("call.start")) == 1
    end, = server.of("leg.end")
    assert end["audio"]["samples"]["sent"] == len(pcm) and end["rtp"]["lost"] == 0
    assert sim.dump(1) == array.array("h", g711.decode("PCMU", bytes(
        g711.encode("PCMU", pcm)))).tobytes()
    assert server.stderr.count("\n") < 100


@pytest.mark.release
def test_floods_take_no_memory(tmp_path):
    with Server(tmp_path, 'max-calls = 1 permit = {"127.0.0.1"}', ROUTE) as server:
        server.client.patient = True
        call = Dialog(server.client, sdp((4000, "PCMU"))).ack()
        floods(server)
        assert answered(call) == 200
        before = rss_kib(server)
        floods(server)
        assert answered(call) == 200
        assert rss_kib(server) < before * 1.1


def test_calls_that_come_and_go_leave_nothing(tmp_path):
    with Server(tmp_path, rest=ROUTE) as server:
        for _ in range(40):
            Dialog(server.client, sdp((4000, "PCMU"), (4002, "PCMA"))).ack().bye()
        status = server.status()
        assert (status["calls"], status["legs"], status["ports_used"]) == (0, 0, 0)


def connections(server, n, source):
    """[socket], those that were not closed at once."""
    out = []
    for _ in range(n):
        s = socket.socket()
        s.settimeout(30)
        s.bind((source, 0))
        with contextlib.suppress(ConnectionError):
            s.connect(server.at)
            out.append(s)
    return out


def is_open(s):
    s.settimeout(0)
    try:
        return s.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_two_thousand_silent_connections(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip(f"{hard} open files are too few")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    with Server(tmp_path, 'permit = {"127.0.0.0/16"}', ROUTE, transport="tcp") as server:
        call = Dialog(server.client, sdp((4000, "PCMU"))).ack()
        before = rss_kib(server)
        silent = connections(server, 1000, "127.0.0.1")
        for i in range(120):      # from many at once: 1,024 in all
            silent += connections(server, 10, f"127.0.1.{i + 1}")
        assert answered(call) == 200
        assert server.status()["connections"] == 1024
        assert sum(map(is_open, silent)) == 1023
        stranger = Client(server.at, "tcp", source="127.7.0.1")
        assert stranger.ask("OPTIONS").status == 403
        stranger.socket.settimeout(30)
        assert stranger.socket.recv(10) == b""   # 2 s for those, then it is closed
        assert call.ask("INFO").status == 200
        assert rss_kib(server) - before < 16 * 1024
        # those that say nothing have 10 s
        for s in silent:
            s.settimeout(30)
            with contextlib.suppress(ConnectionError):
                assert s.recv(1) == b""
            s.close()
        other = Client(server.at, "tcp")
        assert other.ask("OPTIONS").status == 200
        call.bye()
    assert server.stderr.count("a connection from") < 20


def test_a_source_has_sixteen(tmp_path):
    with Server(tmp_path, 'permit = {"127.0.0.0/16"}', ROUTE, transport="tcp") as server:
        mine = connections(server, 40, "127.0.0.1")
        assert Client(server.at, "tcp", source="127.0.0.2").ask("OPTIONS").status == 200
        assert sum(map(is_open, mine)) == 15   # and the server's own client here
        assert server.client.ask("OPTIONS").status == 200


def test_a_connection_for_each_call_is_not_too_many(tmp_path):
    """Of one source, more than it may keep open without a call."""
    with Server(tmp_path, rest=ROUTE, transport="tcp") as server:
        calls = [Dialog(Client(server.at, "tcp"), sdp((4000, "PCMU"))).ack() for _ in range(40)]
        assert all(call.ask("OPTIONS").status == 200 for call in calls)
        assert server.status()["calls"] == 40
        for call in calls:
            call.bye()
