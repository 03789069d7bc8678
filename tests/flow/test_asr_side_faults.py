"""Each fault of an ASR service, and that it costs no audio and no text in silence.

One call of two legs against asr-sim with a script; from what was published alone it is worked
out what became of every sample (settled.py).  A fault that ends within the backlog loses none.
The runs of all rows go side by side: most of their time is waiting.
"""
import collections
import concurrent.futures
import contextlib
import re
import subprocess
import time

import pytest

import known_calls
import live
import settled
from replay import replay
from sessions import asr_config, key_file
from simulator import MODEL, TOP, Simulator
from throttle import Throttle

ABREAST = 24          # runs at a time: they wait, they do not work
RECORDING = known_calls.Recording(140, seed=20)

Row = collections.namedtuple("Row", "name script speed seconds reason code options")


def row(name, script, speed="max", seconds=8, reason=None, code=None, **options):
    """`reason` and `code`: what a leg.state must tell of; options: see run_row()."""
    return Row(f"{name}, speed {speed}", script, speed, seconds, reason, code, options)


def both(name, script, reason, code=None, **options):
    """As fast as it goes, and live."""
    return [row(name, script, speed, 8, reason, code, **options) for speed in ("max", "1")]


# An odd place, behind one final of each leg and in the midst of a segment
AT = "after 26001 samples"

LOSE_NOTHING = [
    *both("close 1000 while audio flows", f"2x close 1000 {AT}\nok", "restart", 1000),
    *both("close 1001", f"2x close 1001 {AT}\nok", "restart", 1001),
    *both("close 1012", f"2x close 1012 {AT}\nok", "restart", 1012),
    *both("end without a close", f"2x fin {AT}\nok", "network", 1006),
    *both("reset", f"2x reset {AT}\nok", "network", 1006),
    *both("close 1011", f"2x close 1011 {AT}\nok", "server", 1011),
    *both("close 1013", f"2x close 1013 {AT}\nok", "quota", 1013),
    *both("close 1014", f"2x close 1014 {AT}\nok", "quota", 1014),
    *both("close 1008", f"2x close 1008 {AT}\nok", "server", 1008),
    *both("close 1002", f"2x close 1002 {AT}\nok", "protocol", 1002),
    *both("close 3000", f"2x close 3000 {AT}\nok", "server", 3000),
    *both("close 4999", f"2x close 4999 {AT}\nok", "server", 4999),
    *both("in-band 503", f"2x error 503 {AT}\nok", "server", 503),
    *both("in-band 503 in the other shape", f"2x error 503 other {AT}\nok", "server", 503),
    *both("reset at the first sample", "2x reset after 1 samples\nok", "network", 1006),
    *both("reset when it opens", "2x reset\nok", "network", 1006),
    *both("reset at the end", "2x reset after eof\nok", "network", 1006),
    *both("four in a row", f"8x reset {AT}\nok", "network", 1006),
    *both("HTTP 503", "4x http 503\nok", "server", 503),
    row("HTTP 503 for a second", "2x http 503 retry-after 1\nok", "max", 8, "server", 503,
        least_s=1),
    *both("HTTP 429", "2x http 429\nok", "quota", 429),
    row("HTTP 429 for two seconds", "2x http 429 retry-after 2\nok", "max", 8, "quota", 429,
        least_s=2),
    *both("HTTP 500", "4x http 500\nok", "server", 500),
    *both("a late upgrade", "2x delay 2s\nok", None),
    *both("an upgrade that is too late", "2x delay 6s\nok", "timeout"),
    *both("five bad messages", f"2x bad-json 5 {AT}\nok", "protocol"),
    *both("over 4 MiB", f"2x big 5000000 {AT}\nok", "protocol", 1009),
    *both("bytes that are no frame", f"2x raw ffff {AT}\nok", "protocol", 1002),
    # RFC 6455, 8.1: the connection must fail
    *both("text that is no UTF-8", f"2x raw 8102fffe {AT}\nok", "protocol", 1007),
    *both("four bad messages", f"2x bad-json 4 {AT}\nok", "bad_message", connections=1),
    *both("300 KiB", f"2x big 300000 {AT}\nok", "bad_message", connections=1),
    *both("200 KiB of an unknown kind", f"2x big 200000 {AT}\nok", None, connections=1),
    *both("finals twice", "2x twice\nok", None, connections=1),
    *both("a thousand pings", f"2x pings 1000 {AT}\nok", None, connections=1),
    row("reads slowly", "slow 40000", "max", 8, connections=1),
    row("reads slowly", "slow 20000", "1", 8, connections=1),
    row("stalls for a while", f"2x stall 2s {AT}\nok", "1", 8, connections=1),
    # the results until then are gone with it; their audio is not
    *both("wild times", f"2x wild-times {AT}\nok", "protocol"),
    row("stalls", f"2x stall {AT}\nok", "1", 16, "network", 1006),
    row("stalls, and what is sent piles up", "ok", "max", 30, "timeout",
        throttle=[(64000, 0), (64000, 0), None]),
    row("stalls, in a long call", f"2x stall {AT}\nok", "max", 100, "timeout"),
    row("never answers", "2x mute\nok", "1", 22, "timeout", loud=True),
    row("ends each session after 3 s", "close 1000 after 3s", "1", 8, "restart", 1000),
    row("has a session limit", "close 1000 after 10s", "1", 14, "rollover", connections=3,
        more='session-max = "10s"', replayed=0),
]

# The service's word for it, and the gap's
REFUSED = [
    *[row(f"HTTP {code}", f"http {code}", "max", 4, reason, code, cause=cause)
      for code, reason, cause in ((401, "auth", "auth"), (403, "auth", "auth"),
                                  (402, "payment", "payment"), (404, "config", "asr_connect"),
                                  (400, "config", "asr_connect"), (302, "config", "asr_connect"))],
    row("a wrong accept key", "wrong-accept", "max", 4, "config", 101,
        cause="asr_connect"),
    row("in-band 401", f"error 401 {AT}", "max", 8, "auth", 401, cause="auth", open_text=True),
    row("in-band 402", f"error 402 {AT}", "1", 8, "payment", 402, cause="payment",
        open_text=True),
    *[row(f"certificate: {name}", "ok", "max", 4, "tls", cause="tls", tls=name, second="ok")
      for name in ("untrusted", "expired", "other", "selfsigned")],
    row("nobody listens", "ok", "max", 4, "tcp", cause="asr_connect", url="ws://127.0.0.1:1"),
    row("a name that does not resolve", "ok", "max", 4, "dns", cause="dns",
        url="wss://no-such-host.invalid"),
    row("HTTP 503 for ever", "http 503", "max", 4, "server", 503, cause="asr_connect"),
]

# Something is lost, and told of
OVERFLOWS = [
    # one that is waited for, message by message: nothing hides in the network
    row("takes a quarter of what comes", "slow 4000", "1", 52, "speed", cause="asr_slow",
        vosk=True, connections=1, more_than=25 * 8000),
    row("never answers, ever", "mute", "1", 36, "no_results", loud=True, cause="asr_slow",
        more_than=-1),
    row("dies with more unsettled than is kept", "2x mute; reset after 320000 samples\nok", "max",
        60, "network", 1006, cause="asr_disconnect", more_than=-1),
    row("dies with more unsettled, a text begun", f"2x mute {AT}; reset after 320000 samples\nok",
        "max", 60, "network", 1006, cause="asr_disconnect", more_than=-1, begun=True),
]

FALLS_BACK = [
    row("HTTP 401", "http 401", "max", 4, "auth", 401, second="ok", moved=2),
    row("HTTP 402", "http 402", "max", 4, "payment", 402, second="ok", moved=2),
    row("HTTP 503", "http 503", "max", 4, "server", 503, second="ok", moved=2),
    row("in-band 401 in the midst", f"error 401 {AT}\nhttp 401", "max", 8, "auth", 401,
        second="ok", moved=2),
    row("in-band 401 in the midst", f"2x error 401 {AT}\nhttp 401", "1", 8, "auth", 401,
        second="ok", moved=2),
    row("dies in the midst", f"2x reset {AT}\nhttp 503", "1", 12, "network", 1006,
        second="ok", moved=2),
    row("one leg of two", f"error 402 {AT}\nok", "max", 8, "payment", 402, second="ok", moved=1),
    row("one leg of two", f"error 402 {AT}\nok", "1", 8, "payment", 402, second="ok", moved=1),
    row("the other fails, too", f"2x error 401 {AT}\nhttp 401", "max", 8, "auth", 401,
        second=f"2x reset {AT}\nok", moved=2),
]


def other_asr(sim, key):
    return (f'asr "other" {{ vendor = "bodhi" url = "{sim.url()}" api-key-file = "{key}" '
            f'model = "{MODEL}" }}\n')


def run_row(r, directory, pki):
    """One row's run: (Replayed, [Simulator], {leg name: PCM16LE})."""
    directory.mkdir()
    options = r.options
    recording = LOUD if options.get("loud") else RECORDING
    n = r.seconds * known_calls.RATE
    legs = [recording.part(at * known_calls.RATE, n) for at in (0, 31)]
    sources = known_calls.write(directory / "call.pcap", [codes for codes, _ in legs])
    more, sim_options, second = options.get("more", ""), (), ""
    if "tls" in options:
        name = pki / options["tls"]
        sim_options = ("--tls-cert", f"{name}.pem", "--tls-key", f"{name}.key")
        more += f' tls-ca-file = "{pki}/root.pem" tls-server-name = "asr.test"'
    with contextlib.ExitStack() as stack:
        sims = [stack.enter_context(Simulator(
            directory, *sim_options, script=r.script,
            dialect="vosk" if options.get("vosk") else "bodhi"))]
        url = options.get("url") or sims[0].url("wss" if "tls" in options else "ws")
        if "throttle" in options:
            url = stack.enter_context(Throttle(sims[0].address, options["throttle"])).url()
        if "second" in options:
            (directory / "second").mkdir()
            sims.append(stack.enter_context(Simulator(directory / "second",
                                                      script=options["second"])))
            second, more = other_asr(sims[1], key_file(directory)), more + ' fallback = "other"'
        config = asr_config(sims[0], key_file(directory), url, more) + second
        if options.get("vosk"):
            config = f'asr "sim" {{ vendor = "vosk" url = "{url}" }}\nroute {{ asr = "sim" }}\n'
        began = time.monotonic()
        run = replay(directory / "call.pcap", directory, "--log", "info", speed=r.speed,
                     config=config)
        run.took_s = time.monotonic() - began
    (directory / "call.pcap").unlink()
    audio = {leg.name: legs[sources.index(leg.src)][1] for leg in run.legs}
    assert len(audio) == 2
    return run, sims, audio


LOUD = known_calls.Recording(70, seed=21, loud_ms=(1900, 2100), quiet_ms=(320, 330))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run(["sh", TOP / "tests/unit/net/pki.sh", directory], check=True)
    return directory


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory, pki):
    """The future of each row that is wanted, by its id(); long runs first."""
    rows = [i.callspec.params["r"] for i in request.session.items
            if i.fspath == request.fspath and hasattr(i, "callspec")]
    top = tmp_path_factory.mktemp("rows")
    with concurrent.futures.ThreadPoolExecutor(ABREAST) as pool:
        rows.sort(key=lambda r: -r.seconds if r.speed == "1" else 0)
        yield {id(r): pool.submit(run_row, r, top / str(i), pki) for i, r in enumerate(rows)}


def name_of(r):
    return r.name


@pytest.mark.parametrize("r", LOSE_NOTHING, ids=name_of)
def test_loses_nothing(r, runs):
    """Every sample is in exactly one final, from whichever connection."""
    run, sims, audio = runs[id(r)].result()
    of_each = []
    for leg in run.legs:
        if r.options.get("times", True):
            settled.check(leg, audio[leg.name], lost=0)
        told = settled.states(leg)
        of_each.append((r.reason, r.code) in [s[1:] for s in told])
        if r.options.get("connections"):
            assert leg.end["asr"]["connections"] == r.options["connections"]
        if "replayed" in r.options:
            assert leg.end["audio"]["replayed_ms"] == r.options["replayed"]
        assert "failed" not in [s[0] for s in told]
    if "raw ffff" in r.script:  # for whoever looks into it: what came before, and nothing of it
        assert re.search(r"frames against the rules; the last frames were of kinds (81)+ff ",
                         run.stderr)
    # what happens before there is any audio may happen to one leg twice
    if r.reason:
        assert all(of_each) if AT in r.script else any(of_each), r
    check_reports(r, sims)


def check_reports(r, sims):
    """The service has nothing to complain about."""
    for line in [x for sim in sims for x in sim.report]:
        assert line["violations"] == []
        if r.speed == "1":  # live, what was missed is made good no faster than it likes
            late = [n["count"] for n in line["notes"] if n["kind"] == "pace"]
            assert sum(late) <= 5, line


@pytest.mark.parametrize("r", REFUSED, ids=name_of)
def test_what_cannot_be_sent_is_a_gap(r, runs):
    """Nothing helps but a person: it is told, with the reason; not one sample in silence."""
    run, sims, audio = runs[id(r)].result()
    for leg in run.legs:
        pieces = settled.check(leg, audio[leg.name], lost=None)
        told = settled.states(leg)
        assert told[-1] == ("failed", r.reason, r.code), told
        assert {e["cause"] for e in leg.all("gap")} == {r.options["cause"]}
        end = leg.end["duration_ms"]
        assert leg.all("gap")[-1]["end_ms"] == end
        if not r.options.get("open_text"):
            assert leg.samples["lost"] == len(audio[leg.name]) // 2 and not pieces
            continue
        # what was said before it failed stays, the last words as well
        assert pieces and pieces[-1].event["synthesised"]
        assert leg.samples["sent"] >= 26001
        assert leg.samples["lost"] > 0 or r.speed == "max"
    if "second" in r.options:  # a certificate that is wrong may be an attack
        assert sims[1].report == []


@pytest.mark.parametrize("r", OVERFLOWS, ids=name_of)
def test_what_overflows_is_a_gap(r, runs):
    run, sims, audio = runs[id(r)].result()
    for leg in run.legs:
        found = settled.check(leg, audio[leg.name], lost=None)
        assert r.reason in [s[1] for s in settled.states(leg)]
        assert {e["cause"] for e in leg.all("gap")} == {r.options["cause"]}
        assert leg.samples["lost"] > r.options["more_than"]
        if "connections" in r.options:
            assert leg.end["asr"]["connections"] == r.options["connections"]
        if r.reason == "speed":  # told every 5 s how far it is behind, and that grows
            told = leg.all("leg.state", reason="speed", asr_state="catching_up")
            behind = [int(re.fullmatch(r"(\d+) s behind", e["text"])[1]) for e in told]
            assert len(behind) >= 6 and behind[:6] == sorted(behind[:6])
            apart = [live.when(b) - live.when(a) for a, b in zip(told[:6], told[1:6])]
            assert all(4 < s < 7 for s in apart), apart
        if r.options.get("begun"):  # the words that were there stay
            synthesised = [p for p in found if p.event.get("synthesised")]
            assert len(synthesised) == 1
            assert abs(synthesised[0].end - leg.all("gap")[0]["start_ms"] * 8) <= 8
    check_reports(r, sims)


@pytest.mark.parametrize("r", FALLS_BACK, ids=name_of)
def test_the_other_service_takes_over(r, runs):
    """With the backlog, for each leg alone; no sample is missing."""
    run, sims, audio = runs[id(r)].result()
    moved = 0
    for leg in run.legs:
        pieces = settled.check(leg, audio[leg.name], lost=0)
        names = [p.event["asr"]["name"] for p in pieces]
        assert names == sorted(names, reverse=True) and set(names) <= {"sim", "other"}
        told = (r.reason, r.code) in [s[1:] for s in settled.states(leg)]
        assert told == ("other" in names)
        moved += told
    assert moved == r.options["moved"]
    check_reports(r, sims)


def test_retry_after_is_honoured(runs):
    """Neither sooner nor much later, and asked for once only."""
    for r in LOSE_NOTHING:
        if r.options.get("least_s") and id(r) in runs:
            run, (sim,), _ = runs[id(r)].result()
            assert [x["ended"]["code"] for x in sim.report].count(1000) == len(run.legs)
            assert len(sim.report) <= 4
            assert r.options["least_s"] <= run.took_s < 3 * r.options["least_s"] + 3
