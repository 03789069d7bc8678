"""Each leg goes to the asr of the first route that matches it, and to no other."""
from service import Control, Daemon, bound, paced, packets, speech
from sessions import asr_config, key_file
from simulator import Simulator
from sip_client import Client, Dialog, free_port, sdp

ROUTES = """
route { asr = "none"    called = "+49800" }
route { asr = "sales"   header = "X-Queue: sales" role = caller }
route { asr = "german"  language = "de" }
route { asr = "trunk"   trunk = "192.0.2.0/24" }
route { asr = "agents"  source = rtp role = agent }
route { asr = "foreign" calling = "+33" }
"""

LEGS = [  # members of leg.add, the asr it gets
    ({"call": "a", "role": "caller", "ids": {"x-queue": "sales"}}, "sales"),
    ({"call": "a", "role": "agent"}, "agents"),
    ({"call": "b", "role": "caller", "ids": {"x-queue": "other"}, "from": "+33123"}, "foreign"),
    ({"call": "c", "role": "caller", "language": "de-CH", "from": "+33123"}, "german"),
    ({"call": "d", "role": "agent", "to": "+49800123"}, "none"),
    ({"call": "e", "role": "mixed", "from": "+49"}, "none"),
]


def test_sip_announces_the_language(tmp_path):
    """a=lang (RFC 8866 section 6.12)"""
    port, at = free_port(), sdp((4000, "PCMU"))
    with Simulator(tmp_path) as sim:
        asr = asr_config(sim, key_file(tmp_path), name="french").splitlines()[0]
        with Daemon(tmp_path, f'{asr}\nroute {{ asr = "french" language = "fr" }}\n'
                    f'sip {{ listen = {{"udp:127.0.0.1:{port}"}} }}\n') as daemon:
            client = Client(("127.0.0.1", port))
            for offer in (at, at + "a=lang:fr-CA\r\n", at + "a=lang:de\r\n",
                          at.replace("t=0 0", "t=0 0\r\na=lang:fr")):
                Dialog(client, offer).ack().bye()
                daemon.until("call.end")
            assert [e["asr"] for e in daemon.of("leg.start")] == [
                "none", "french", "none", "french"]


def test_routes_choose_the_asr(tmp_path):
    names = sorted({asr for _, asr in LEGS} - {"none"} | {"trunk"})
    key = key_file(tmp_path)
    with Simulator(tmp_path) as sim:
        asrs = "".join(asr_config(sim, key, name=name).splitlines()[0] + "\n" for name in names)
        with Daemon(tmp_path, asrs + ROUTES) as daemon:
            control, streams = Control(daemon.control), []
            for n, (members, _) in enumerate(LEGS):
                _, to = control.add(codec="PCMU", **members)
                streams.append((bound(), to, list(packets(speech(500, n), 50 + n))))
            paced(*streams)
            daemon.stop()
            for _ in {members["call"] for members, _ in LEGS}:
                daemon.until("call.end")
            started = {e["leg"]: e["asr"] for e in daemon.of("leg.start")}
            assert list(started.values()) == [asr for _, asr in LEGS]
            for e in daemon.of("segment"):
                assert e["asr"]["name"] == started[e["leg"]]
            daemon.valid()
