"""What a replay cannot show, for its clock waits or it gives up: outages longer than the
backlog, keys that are changed, services that refuse for a while.  Live calls, side by side.
"""
import collections
import concurrent.futures
import os

import pytest

import live
import settled
from sessions import asr_config, key_file

pytestmark = pytest.mark.skipif(not live.may_capture(), reason="needs CAP_NET_RAW: run as root")

Row = collections.namedtuple("Row", "name seconds steps first more")


def replace_key(directory, key):
    new = directory / "key.new"
    new.write_text(key + "\n")
    new.chmod(0o600)
    os.replace(new, directory / "key")


def expect(directory, key):
    path = directory / f"expected {key}"
    path.write_text(key + "\n")
    return ("--expect-key", str(path))


def changed_key(asr, directory):
    """A new key is put into its file, then the service takes no other."""
    return [(3, lambda: replace_key(directory, "k2")), (4, asr.kill),
            (5, lambda: asr.start("ok", *expect(directory, "k2")))]


def late_key(asr, directory):
    """The file has a wrong key, and only later the right one: found at the next look."""
    return [(0, lambda: asr.start("ok", *expect(directory, "k3"))),
            (3, lambda: replace_key(directory, "k3"))]


def refused_at_first(asr, directory):
    return [(0, lambda: asr.start("2x http 401\nok"))]


def down_at_first(asr, directory):
    return [(34, asr.start)]


def down_then_busy(asr, directory):
    """One outage with two causes."""
    return [(33, lambda: asr.start("6x http 429\nok"))]


def down_in_the_midst(asr, directory):
    """... with words that were begun, and 5 s that nobody settled."""
    return [(0, lambda: asr.start("mute after 26001 samples")), (8, asr.kill), (42, asr.start)]


def down_shortly(asr, directory):
    return [(0, asr.start), (4, asr.kill), (9, asr.start)]


ROWS = {
    "changed key": (changed_key, 12),
    "late key": (late_key, 66),
    "refused at first": (refused_at_first, 66),
    "down at first": (down_at_first, 38),
    "down, then busy": (down_then_busy, 46),
    "down in the midst": (down_in_the_midst, 46),
    "down shortly": (down_shortly, 16),
}


def run_row(name, number, directory):
    steps, seconds = ROWS[name]
    directory.mkdir()
    recording = live.recording(number)
    legs = [recording.part(at * 8000, seconds * 8000) for at in (0, 31)]
    asr = live.Asr(directory)
    if name == "changed key":
        asr.start("ok", *expect(directory, "k1"))
    config = asr_config(None, key_file(directory), f"ws://{asr.address}")
    try:
        run, sources = live.run_live(directory, f"78.{number}", [c for c, _ in legs], config,
                                     steps(asr, directory))
    finally:
        asr.stop()
    assert len(run.legs) == 2
    return run, {leg.name: legs[sources.index(leg.src)][1] for leg in run.legs}, asr


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory):
    top = tmp_path_factory.mktemp("live")
    wanted = {i.callspec.params["name"] for i in request.session.items
              if i.fspath == request.fspath}
    with concurrent.futures.ThreadPoolExecutor(len(ROWS)) as pool:
        yield {name: pool.submit(run_row, name, i + 1, top / str(i))
               for i, name in enumerate(ROWS) if name in wanted}


def of_service(run):
    return [e["type"] for e in run.events if e["type"].startswith("daemon.asr")]


def seconds_between(leg, one, other):
    """From the first leg.state of this kind to the first of that behind it."""
    told = leg.all("leg.state")
    i = next(i for i, e in enumerate(told) if one(e))
    j = next(e for e in told[i:] if other(e))
    return live.when(j) - live.when(told[i])


def failed(e):
    return e["asr_state"] == "failed"


def streams(e):
    return e["asr_state"] in ("streaming", "catching_up")


@pytest.mark.parametrize("name", ROWS)
def test_live(name, runs):
    run, audio, asr = runs[name].result()
    refused = 0
    for leg in run.legs:
        pieces = settled.check(leg, audio[leg.name], lost=None)
        told = settled.states(leg)
        gaps = leg.all("gap")
        causes = {e["cause"] for e in gaps}
        lost_s = leg.samples["lost"] / 8000
        assert streams(leg.all("leg.state")[-1]), told
        if name == "changed key":
            assert not gaps and lost_s == 0
            refused += ("failed", "auth", 401) in told
            if ("failed", "auth", 401) in told:  # as soon as the file was read again
                assert seconds_between(leg, failed, streams) < 3
        elif name == "late key":
            assert ("failed", "auth", 401) in told and causes == {"auth"}
            assert 1 < lost_s < 32
        elif name == "refused at first":
            assert ("failed", "auth", 401) in told and causes == {"auth"}
            assert 1 < lost_s < 32
        elif name == "down at first":
            assert causes == {"asr_connect"} and len(gaps) == 1
            assert 3 <= lost_s <= 12 and gaps[0]["start_ms"] == 0
        elif name == "down, then busy":
            assert ("reconnecting", "quota", 429) in told or ("connecting", "quota", 429) in told
            assert causes == {"asr_connect"} and len(gaps) == 1 and gaps[0]["start_ms"] == 0
            assert lost_s > 3
        elif name == "down in the midst":
            assert causes == {"asr_disconnect"} and len(gaps) == 1
            begun = [p for p in pieces if p.event.get("synthesised")]
            assert len(begun) == 1  # its audio was no longer there to be sent again
            assert 0 < lost_s < 12
        else:
            assert not gaps and lost_s == 0
            assert ("reconnecting", "network", 1006) in told
    assert refused or name != "changed key"
    if name in ("changed key", "late key", "refused at first"):
        assert of_service(run) == ["daemon.asr_down", "daemon.asr_up"]
    for line in [x for s in asr.all if s.report for x in s.report]:
        assert {v["kind"] for v in line["violations"]} <= {"key"}
