"""Is this what INTERFACES section 3 promises?  For every event line of every test.

    events = validate_lines(lines)          # raises EventError with the offending line
    /usr/bin/python3 tests/flow/oracle/events.py [FILE]

Each line against conf/events.schema.json, then what no schema can say: numbers rise by one, a
call's events lie between its call.start and its call.end, a leg's between its leg.start and
its leg.end, revisions rise, the account adds up.
"""
import json
import pathlib
import re
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "conf" / "events.schema.json"
CONTROL = ("hello", "heartbeat", "lost", "reset", "bye", "error")
LINE_MAX = 256 * 1024
STREAMS = ("audiosocket", "websocket")


class EventError(AssertionError):
    """`number` of the line, from 1; 0: the end."""

    def __init__(self, number, line, why):
        super().__init__(f"line {number}: {why}\n  {line}" if number else f"at the end: {why}")
        self.number = number
        self.why = why


class Schema:
    """The whole schema, with one validator for each type: quicker and clearer than `oneOf`."""

    def __init__(self, path=SCHEMA):
        self.doc = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(self.doc)
        self.validators = {}
        for ref in self.doc["oneOf"]:
            name = ref["$ref"].rsplit("/", 1)[1]
            one = {"$schema": self.doc["$schema"], "$defs": self.doc["$defs"], "$ref": ref["$ref"]}
            self.validators[name] = jsonschema.Draft202012Validator(one)

    def check(self, event):
        kind = event.get("type")
        name = "daemon" if str(kind).startswith("daemon.") else kind
        if name not in self.validators:
            raise ValueError(f"no such type: {kind!r}")
        error = jsonschema.exceptions.best_match(self.validators[name].iter_errors(event))
        if error:
            where = "".join(f"[{p!r}]" for p in error.absolute_path)
            raise ValueError(f"{where} {error.message}".strip())


_schema = None


def _object(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key twice")
    return dict(pairs)


def _constant(text):
    raise ValueError(f"{text} is no JSON")


def parse_line(line):
    """Text of one line -> object; ValueError when it is none of ours."""
    if isinstance(line, bytes):
        if len(line) > LINE_MAX:
            raise ValueError(f"{len(line)} bytes, over {LINE_MAX}")
        line = line.decode("utf-8", errors="strict")
    elif len(line.encode("utf-8")) > LINE_MAX:
        raise ValueError(f"over {LINE_MAX} bytes")
    event = json.loads(line, object_pairs_hook=_object, parse_constant=_constant)
    if not isinstance(event, dict):
        raise ValueError("no object")
    return event


def _no_blanks(value, path=""):
    if value is None:
        raise ValueError(f"{path} is null")
    if value == "" and path != ".text":
        raise ValueError(f"{path} is an empty string")
    if isinstance(value, str) and re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", value):
        raise ValueError(f"{path} has a control character")
    if isinstance(value, dict):
        for key, item in value.items():
            _no_blanks(item, f"{path}.{key}")
    if isinstance(value, list):
        for item in value:
            _no_blanks(item, f"{path}[]")


class _Leg:
    def __init__(self, event):
        self.call = event["call"]
        self.asr = event.get("asr")
        self.ended = False
        self.media = False
        self.segments = {}  # number -> [last rev, last state]


class _Call:
    def __init__(self, source=None):
        self.source = source
        self.ended = False
        self.legs = 0


def _need(true, why):
    if not true:
        raise ValueError(why)


class Checker:
    """Line by line; finish() at the end.

    holes      numbers may be missing (the subscriber chose types or calls)
    whole      from the first event of the daemon on, or of each call seen
    conflated  partials may be missing
    """

    def __init__(self, holes=False, whole=True, conflated=False):
        self.holes, self.whole, self.conflated = holes, whole, conflated
        self.next = None
        self.calls, self.legs = {}, {}

    def seq(self, e):
        if e["type"] == "lost":
            _need(e["from"] <= e["to"], "lost: from is behind to")
            _need(self.next is None or self.holes or e["from"] == self.next,
                  f"lost from {e['from']}, but {self.next} was next")
            self.next = e["to"] + 1
        elif e["type"] in ("hello", "reset"):
            if self.next is not None:  # what follows may have been there before
                self.calls, self.legs, self.whole = {}, {}, False
            self.next = None
        elif "seq" in e:
            if self.next is not None:
                fits = e["seq"] >= self.next if self.holes else e["seq"] == self.next
                _need(fits, f"seq {e['seq']}, but {self.next} was next")
            elif self.whole and not self.holes:
                _need(e["seq"] == 1 or self.calls, f"the first seq is {e['seq']}")
            self.next = e["seq"] + 1
        elif e["type"] == "heartbeat" and self.next is not None:
            _need(e["next"] >= self.next if self.holes else e["next"] == self.next,
                  f"next is {e['next']}, but {self.next} was next")

    def call(self, e):
        kind, call = e["type"], self.calls.get(e["call"])
        if kind == "call.start":
            _need(call is None, "a second call.start")
            self.calls[e["call"]] = _Call(e["source"])
            return
        if call is None:
            _need(not self.whole, "its call has not started")
            call = self.calls[e["call"]] = _Call()
            call.legs = None
        _need(not call.ended, "its call is over")
        if kind == "call.end":
            call.ended = True
            if self.holes:
                return
            for name, leg in self.legs.items():
                _need(leg.call != e["call"] or leg.ended, f"its leg {name} has not ended")
            _need(call.legs is None or e["legs"] == call.legs,
                  f"legs is {e['legs']}, but {call.legs} started")

    def leg(self, e):
        kind, leg = e["type"], self.legs.get(e["leg"])
        if kind == "leg.start":
            _need(leg is None, "a second leg.start")
            self.legs[e["leg"]] = _Leg(e)
            call = self.calls[e["call"]]
            if call.legs is not None:
                call.legs += 1
            return
        if leg is None:
            _need(not self.whole, "its leg has not started")
            leg = self.legs[e["leg"]] = _Leg(dict(e, asr=None))
        _need(leg.call == e["call"], f"its leg is of call {leg.call}")
        _need(not leg.ended, "its leg is over")
        if kind == "leg.update" and "asr" in e:
            leg.asr = e["asr"]
        elif kind == "leg.media":
            _need(not leg.media, "a second leg.media")
            leg.media = True
            self.stream(e)
        elif kind == "segment":
            self.segment(e, leg)
        elif kind == "gap":
            self.gap(e)
        elif kind == "leg.end":
            leg.ended = True
            self.account(e)
            self.stream(e)
            _need("asr" not in e or leg.asr != "none", "figures of an asr, but none was chosen")

    def stream(self, e):
        """RTP's figures are there, unless it came by a stream."""
        source = getattr(self.calls.get(e["call"]), "source", None)
        if source is not None:
            _need("rtp" not in e if source in STREAMS else "rtp" in e or e["type"] == "leg.end",
                  f"rtp of a call by {source}")

    def segment(self, e, leg):
        number, known = e["segment"], leg.segments.get(e["segment"])
        if known is None:
            _need(self.conflated or not leg.segments or number > max(leg.segments),
                  "segment numbers do not rise")
        else:
            _need(e["rev"] > known[0], f"rev {e['rev']} after {known[0]}")
            _need(e["state"] != "partial" or known[1] == "partial", f"partial after {known[1]}")
            _need(e["state"] != "retracted" or known[1] != "retracted", "retracted twice")
        leg.segments[number] = [e["rev"], e["state"]]
        if "start_ms" in e and "end_ms" in e:
            _need(e["start_ms"] <= e["end_ms"], "it ends before it starts")
            if "coverage" in e:
                _need(sum(e["coverage"].values()) == e["end_ms"] - e["start_ms"],
                      "coverage is not its length")
        for word in e.get("words", ()):
            _need(word.get("start_ms", 0) <= word.get("end_ms", sys.maxsize),
                  "a word ends before it starts")

    @staticmethod
    def gap(e):
        _need(e["start_ms"] <= e["end_ms"], "it ends before it starts")
        at = e["start_ms"]
        for start, end in e.get("spans", ()):
            _need(at <= start <= end <= e["end_ms"], "spans out of order or outside")
            at = end
        if e.get("spans") and not e.get("spans_omitted"):
            _need(e["spans"][0][0] == e["start_ms"] and e["spans"][-1][1] == e["end_ms"],
                  "spans do not begin and end with the gap")

    @staticmethod
    def account(e):
        audio = e["audio"]
        samples = audio["samples"]
        _need(samples["received"] == samples["sent"] + samples["lost"] + samples["paused"],
              "received is not sent + lost + paused")
        for name in ("received", "lost", "paused"):
            _need(audio[name + "_ms"] == samples[name] // 8, f"{name}_ms is not {name} / 8")
        _need(audio["sent_ms"] == audio["received_ms"] - audio["lost_ms"] - audio["paused_ms"],
              "sent_ms is not the difference")
        _need(samples["received"] // 8 <= e["duration_ms"] or samples["received"] == 0,
              "more was received than the leg is long")

    def line(self, line):
        global _schema
        _schema = _schema or Schema()
        e = parse_line(line)
        _no_blanks(e)
        _schema.check(e)
        self.seq(e)
        if "call" in e:
            self.call(e)
        if "leg" in e:
            self.leg(e)
        return e

    def finish(self):
        for name, call in self.calls.items():
            _need(call.ended, f"call {name} has not ended")
        for name, leg in self.legs.items():
            _need(leg.ended or self.holes, f"leg {name} has not ended")


def validate_lines(lines, complete=True, holes=False, whole=True, conflated=False):
    """Lines (str or bytes, with or without line feed) -> list of events.

    complete   every call must have ended; the rest as for Checker
    """
    checker, events = Checker(holes, whole, conflated), []
    for number, line in enumerate(lines, 1):
        try:
            events.append(checker.line(line))
        except ValueError as why:
            raise EventError(number, line, why) from None
    if complete:
        try:
            checker.finish()
        except ValueError as why:
            raise EventError(0, None, why) from None
    return events


def validate_file(path, **how):
    with open(path, "rb") as f:
        text = f.read()
    if text and not text.endswith(b"\n"):
        raise EventError(0, None, "the last line has no line feed")
    return validate_lines(text.splitlines(), **how)


def main():
    try:
        events = (validate_file(sys.argv[1]) if len(sys.argv) > 1
                  else validate_lines(sys.stdin.buffer))
    except EventError as why:
        sys.exit(str(why))
    print(f"{len(events)} lines are as they should be")


if __name__ == "__main__":
    main()
