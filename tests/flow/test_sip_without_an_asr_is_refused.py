"""No asr for longer than a call's audio is kept: new calls are told so, running ones are not."""
import time

from service import Control, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Dialog, sdp
from test_sip_server_answers_by_the_rules import Server

KEPT_S = 30


def test_503_while_it_lasts(tmp_path):
    places = [tmp_path / name for name in ("a", "b", "asr")]
    for place in places:
        place.mkdir()
    with Simulator(places[2], script="http 401") as sim:
        asr = asr_config(sim, key_file(tmp_path))
        with Server(places[0], rest=asr, ports=(25500, 25599)) as strict, \
                Server(places[1], "refuse-without-asr = no", asr, (25600, 25699)) as patient:
            calls, streams = [], []
            for server in (strict, patient):
                assert server.client.ask("OPTIONS").status == 200
                sender = bound()
                call = Dialog(server.client, sdp((sender.getsockname()[1], "PCMU"))).ack()
                calls.append(call)
                streams.append((sender, call.ok.media()[0][:2], list(packets(speech(400), 7))))
            paced(*streams)
            strict.until("daemon.asr_down")
            began = time.monotonic()
            patient.until("daemon.asr_down")
            assert strict.client.ask("OPTIONS").status == 200   # what comes now is kept
            while strict.client.ask("OPTIONS").status != 503:
                assert time.monotonic() - began < 3 * KEPT_S
                time.sleep(0.2)
            assert time.monotonic() - began > KEPT_S - 5
            refused = Dialog(strict.client, sdp((4000, "PCMU"))).ok
            assert refused.status == 503 and refused["Retry-After"]
            assert calls[0].reinvite(sdp((4000, "PCMU"))).status == 200
            assert patient.client.ask("OPTIONS").status == 200
            Dialog(patient.client, sdp((4000, "PCMU"))).ack().bye()
            for call in calls:
                call.bye()
            # nobody is left who would try it: the next call shall
            assert Control(strict.control).ask("status")["status"]["sip"]["calls"] == 0
