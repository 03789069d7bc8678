"""SIGTERM: nothing new, what there is may finish until drain-timeout; a second does not wait."""
import array
import signal

from oracle import g711
from service import WAIT_S, Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp


def terminate(daemon):
    daemon.process.send_signal(signal.SIGTERM)
    daemon.stopped = True


def told(daemon, what):
    while "daemon." + what not in [e["type"] for e in daemon.until("daemon." + what)]:
        pass


def test_a_call_goes_on_to_its_bye(tmp_path):
    at, pcm = ("127.0.0.1", free_port()), speech(2000)
    with Simulator(tmp_path) as sim, Daemon(
            tmp_path, f'sip {{ listen = {{"udp:{at[0]}:{at[1]}"}} }}\n'
            + asr_config(sim, key_file(tmp_path)), drain="10m") as daemon:
        client, sender = Client(at), bound()
        dialog = Dialog(client, sdp((sender.getsockname()[1], "PCMU"))).ack()
        to = dialog.ok.media()[0][:2]
        sent = list(packets(pcm, 5))
        paced((sender, to, sent[:50]))
        terminate(daemon)
        told(daemon, "stopping")
        assert client.ask("OPTIONS").status == 503
        assert Dialog(client, sdp((40000, "PCMU"))).ok.status == 503
        answer = Control(daemon.control).ask("leg.add", call="new")
        assert not answer["ok"] and "draining" in answer["error"]
        paced((sender, to, sent[50:]))
        dialog.bye()
        daemon.until("bye")
        assert daemon.process.wait(WAIT_S) == 0
        client.close()
    end, = daemon.of("leg.end")
    assert end["audio"]["samples"] == {"received": 16000, "sent": 16000, "lost": 0, "paused": 0}
    assert [e["reason"] for e in daemon.of("call.end")] == ["bye"] == [end["reason"]]
    finals = [e for e in daemon.of("segment") if e["state"] == "final"]
    assert finals[-1]["end_ms"] == 2000
    assert array.array("h", sim.dump(1)) == array.array(
        "h", g711.decode("PCMU", bytes(g711.encode("PCMU", pcm))))


def test_the_time_is_over(tmp_path):
    """Then BYE, what the ASR still says, and the ends."""
    at = ("127.0.0.1", free_port())
    with Simulator(tmp_path) as sim, Daemon(
            tmp_path, f'sip {{ listen = {{"udp:{at[0]}:{at[1]}"}} }}\n'
            + asr_config(sim, key_file(tmp_path)), drain="1s") as daemon:
        client, sender = Client(at), bound()
        dialog = Dialog(client, sdp((sender.getsockname()[1], "PCMU"))).ack()
        terminate(daemon)
        paced((sender, dialog.ok.media()[0][:2], list(packets(speech(600), 5))))
        bye = client.receive()
        assert bye.line.startswith("BYE ")
        client.raw(b"SIP/2.0 200 OK\r\n" + b"".join(
            f"{n}: {v}\r\n".encode() for n, v in bye.headers
            if n in ("Via", "From", "To", "Call-ID", "CSeq")) + b"Content-Length: 0\r\n\r\n")
        types = [e["type"] for e in daemon.until("bye")]
        assert daemon.process.wait(WAIT_S) == 0
        client.close()
    assert types.index("daemon.stopping") < types.index("leg.end") < types.index("call.end")
    end, = daemon.of("leg.end")
    assert end["reason"] == "drain" and end["audio"]["samples"]["sent"] == 4800
    assert [e for e in daemon.of("segment") if e["state"] == "final"][-1]["end_ms"] == 600


def test_a_second_one_does_not_wait(tmp_path):
    """Not for the call, and not for a service that says nothing more."""
    with Simulator(tmp_path, script="mute") as sim, \
            Daemon(tmp_path, asr_config(sim, key_file(tmp_path)), drain="10m") as daemon:
        sender, control = bound(), Control(daemon.control)
        _, to = control.add("c1", codec="PCMU")
        paced((sender, to, list(packets(speech(200), 5))))
        terminate(daemon)
        told(daemon, "stopping")
        refused = control.ask("drain", cancel=True)
        assert not refused["ok"] and "stopping" in refused["error"]
        assert control.ask("status")["status"]["calls"] == 1
        terminate(daemon)
        assert daemon.process.wait(WAIT_S) == 0
