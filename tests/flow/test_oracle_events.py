"""The oracle of event lines must itself say no: each row breaks one rule of INTERFACES 3."""
import copy
import json

import pytest

from oracle.events import EventError, Schema, validate_lines

TS = "2026-01-02T03:04:05.678901Z"


def event(of, seq=None, **fields):
    e = {"v": 1, "type": of}
    if seq:
        e["seq"] = seq
    e["ts"] = TS
    e.update(fields)
    return e


def on_leg(of, seq=None, **fields):
    return event(of, seq, call="c", leg="c-0", role="caller", **fields)


RTP = {"ssrc": 1, "src": "192.0.2.1:4000", "dst": "[2001:db8::1]:4002", "payload_type": 0}
GOOD = [
    event("call.start", 1, call="c", source="replay"),
    on_leg("leg.start", 2, codec="PCMU", asr="main", rtp=RTP),
    on_leg("leg.media", 3, at=TS, offset_ms=0, rtp=RTP),
    on_leg("leg.state", 4, asr_state="streaming"),
    on_leg("segment", segment=1, rev=1, state="partial", text="a", start_ms=0, end_ms=9),
    on_leg("segment", 5, segment=1, rev=2, state="final", text="a b", start_ms=0, end_ms=10,
           confidence=0.5, words=[{"text": "a", "start_ms": 0, "end_ms": 3}],
           coverage={"heard_ms": 8, "lost_ms": 2}, asr={"name": "main", "connection": 1}),
    on_leg("gap", 6, start_ms=5, end_ms=30, cause="rtp_loss", spans=[[5, 7], [20, 30]]),
    on_leg("segment", 7, segment=2, rev=1, state="final", text="", start_ms=0, end_ms=10),
    on_leg("leg.end", 8, reason="bye", duration_ms=100, audio={
        "samples": {"received": 800, "sent": 784, "lost": 15, "paused": 1}, "received_ms": 100,
        "sent_ms": 99, "lost_ms": 1, "paused_ms": 0, "replayed_ms": 0, "concealed_ms": 0},
        asr={"connections": 1, "partials": 1, "finals": 2,
             "inserted": [{"connection": 1, "at_samples": 80, "samples": 800}]}),
    event("daemon.asr_down", 9, asr="main", reason="auth"),
    event("call.end", 10, call="c", reason="bye", duration_ms=100, legs=1),
]


def lines(events):
    return [e if isinstance(e, (str, bytes)) else json.dumps(e) for e in events]


def changed(index, **fields):
    events = copy.deepcopy(GOOD)
    for path, value in fields.items():
        *way, last = path.split("__")
        at = events[index]
        for step in way:
            at = at[int(step) if step.isdigit() else step]
        if value is ...:
            del at[last]
        else:
            at[last] = value
    return events


def inserted(index, *new):
    """Put in between; the numbers behind move up."""
    events = copy.deepcopy(GOOD)
    durable = sum("seq" in e for e in new)
    for e in events[index:]:
        if "seq" in e:
            e["seq"] += durable
    seq = max([e.get("seq", 0) for e in events[:index]])
    for k, e in enumerate(copy.deepcopy(new)):
        if "seq" in e:
            seq += 1
            e["seq"] = seq
        events.insert(index + k, e)
    return events


GAP = dict(start_ms=0, end_ms=1, cause="dns")
BAD = {
    "no JSON": ([*GOOD[:1], "{"], "line 2"),
    "not UTF-8": ([b'{"v":1,"\xff":1}'], "utf-8"),
    "no object": (["[]"], "no object"),
    "a key twice": (['{"v":1,"v":1}'], "a key twice"),
    "NaN": (['{"v":NaN}'], "NaN"),
    "a line too long": ([" " * 262144 + "{}"], "over 262144"),
    "null": (changed(0, sip_call_id=None), "null"),
    "empty string": (changed(0, to=""), "empty string"),
    "empty word": (changed(5, words__0__text=""), "empty string"),
    "control character": (changed(0, to="a\x1b"), "control character"),
    "unknown type": (changed(0, type="call.begin"), "no such type"),
    "unknown field": (changed(0, colour="red"), "colour"),
    "unknown field inside": (changed(5, coverage__x=1), "x"),
    "no version": (changed(0, v=...), "'v'"),
    "version 2": (changed(0, v=2), "1 was expected"),
    "no ts": (changed(3, ts=...), "'ts'"),
    "ts without microseconds": (changed(3, ts="2026-01-02T03:04:05Z"), "match"),
    "no leg": (changed(3, leg=...), "'leg'"),
    "a leg's name of foreign letters": (changed(3, leg="c/0"), "match"),
    "role": (changed(3, role="customer"), "customer"),
    "source": (changed(0, source="tape"), "tape"),
    "asr_state": (changed(3, asr_state="idle"), "idle"),
    "neither asr_state nor reason": (changed(3, asr_state=...), "not valid"),
    "cause": (changed(6, cause="weather"), "weather"),
    "address": (changed(1, rtp__src="192.0.2.1"), "match"),
    "ssrc": (changed(1, rtp__ssrc=2**32), "maximum"),
    "leg.media without an address": (changed(2, rtp__dst=...), "'dst'"),
    "skipped 0": (inserted(3, on_leg("discontinuity", 1, at_ms=0, kind="ssrc", skipped_ms=0)),
                  "minimum"),
    "times are whole": (changed(5, end_ms=9.5), "integer"),
    "times are not negative": (changed(5, start_ms=-1), "minimum"),
    "confidence": (changed(5, confidence=1.01), "maximum"),
    "final without seq": (changed(5, seq=...), "'seq'"),
    "partial with seq": (changed(4, seq=5), "should not be valid"),
    "partial without text": (changed(4, text=...), "'text'"),
    "digit": (inserted(3, on_leg("dtmf", 1, digit="x", at_ms=0, duration_ms=1)), "match"),
    "first number is not 1": (GOOD[1:], "first seq"),
    "a number is missing": (GOOD[:5] + GOOD[6:], "was next"),
    "a number twice": (GOOD[:6] + GOOD[5:], "was next"),
    "call.start twice": (inserted(1, GOOD[0]), "second call.start"),
    "call never started": (changed(0, call="d"), "its call has not started"),
    "after call.end": (GOOD + [on_leg("gap", 11, **GAP)], "its call is over"),
    "leg.start twice": (inserted(2, GOOD[1]), "second leg.start"),
    "leg never started": (inserted(1, on_leg("gap", 1, **GAP)), "its leg has not started"),
    "leg of another call": (inserted(3, event("call.start", 1, call="d", source="rtp"),
                                     dict(on_leg("gap", 1, **GAP), call="d")),
                            "its leg is of call"),
    "after leg.end": (inserted(9, on_leg("gap", 1, **GAP)), "its leg is over"),
    "leg.media twice": (inserted(3, GOOD[2]), "second leg.media"),
    "call.end before leg.end": (GOOD[:8] + [dict(GOOD[10], seq=8)], "has not ended"),
    "legs miscounted": (changed(10, legs=2), "1 started"),
    "call not ended": (GOOD[:10], "call c has not ended"),
    "rev does not rise": (changed(5, rev=1), "rev 1 after 1"),
    "segment numbers fall": (changed(5, segment=3), "do not rise"),
    "partial after final": (inserted(6, dict(GOOD[4], rev=3)), "partial after final"),
    "retracted twice": (inserted(6, on_leg("segment", 1, segment=1, rev=3, state="retracted"),
                                 on_leg("segment", 1, segment=1, rev=4, state="retracted")),
                        "retracted twice"),
    "segment ends before it starts": (changed(7, start_ms=11), "ends before"),
    "coverage": (changed(5, coverage__lost_ms=3), "coverage"),
    "word ends before it starts": (changed(5, words__0__start_ms=4), "a word ends"),
    "gap ends before it starts": (changed(6, start_ms=31, spans=...), "ends before"),
    "spans outside": (changed(6, spans=[[5, 7], [20, 31]]), "spans"),
    "spans out of order": (changed(6, spans=[[20, 30], [5, 7]]), "spans"),
    "spans within": (changed(6, spans=[[5, 7], [20, 29]]), "spans"),
    "account": (changed(8, audio__samples__lost=14), r"sent \+ lost \+ paused"),
    "received_ms": (changed(8, audio__received_ms=101), "received_ms"),
    "sent_ms": (changed(8, audio__sent_ms=98), "difference"),
    "longer than the leg": (changed(8, duration_ms=99), "longer|more was received"),
    "figures of no asr": (changed(1, asr="none"), "none was chosen"),
    "silence of no length": (changed(8, asr__inserted__0__samples=0), "minimum"),
}


def test_what_is_right_passes():
    assert validate_lines(lines(GOOD)) == GOOD
    assert validate_lines([line.encode() + b"\n" for line in lines(GOOD)]) == GOOD


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told(name):
    events, why = BAD[name]
    with pytest.raises(EventError, match=why):
        validate_lines(lines(events))


def test_control_lines_and_what_they_change():
    hello = event("hello", epoch="0123456789abcdef", first=1, next=1, version="0.1.0")
    beat = event("heartbeat", next=3)
    stream = [hello, *GOOD[:2], beat, *GOOD[2:], event("bye", reason="shutdown")]
    assert validate_lines(lines(stream)) == stream
    with pytest.raises(EventError, match="was next"):
        validate_lines(lines([hello, *GOOD[:2], dict(beat, next=4), *GOOD[2:]]))

    lost = [*GOOD[:3], event("lost", **{"from": 4, "to": 6}), *GOOD[7:]]
    assert validate_lines(lines(lost)) == lost
    with pytest.raises(EventError, match="was next"):
        validate_lines(lines([*GOOD[:3], event("lost", **{"from": 5, "to": 6}), *GOOD[7:]]))
    with pytest.raises(EventError, match="was next"):
        validate_lines(lines([*GOOD[:3], event("lost", **{"from": 4, "to": 5}), *GOOD[7:]]))
    for bad in (event("hello", epoch="x", first=1, next=1, version="1"),
                event("bye", reason="tired"), event("error")):
        with pytest.raises(EventError):
            validate_lines(lines([bad]))


def test_a_part_is_enough_when_asked_for():
    validate_lines(lines(GOOD[2:6]), complete=False, whole=False)
    validate_lines(lines([GOOD[5], GOOD[7]]), complete=False, whole=False, holes=True)
    validate_lines(lines(GOOD[:3]), complete=False)


def test_the_schema_as_a_whole_says_the_same():
    """Consumers use `oneOf`; exactly one fits each line."""
    import jsonschema
    whole = jsonschema.Draft202012Validator(Schema().doc)
    for e in GOOD:
        assert not list(whole.iter_errors(e)), e
    assert list(whole.iter_errors(dict(GOOD[0], source="tape")))
