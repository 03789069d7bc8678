#!/usr/bin/python3
"""Let Trunkscribe hear a call that rtpengine relays.

Subscribes to all parties of the call (ng protocol, `subscribe request`), carries the description
in an INVITE, hands the answer back (`subscribe answer`), and stays until the call has ended.
"""
import argparse
import itertools
import re
import secrets
import signal
import socket
import sys

LOOK_S, ANSWER_S = 2, 10


def encode(x):
    """Bencode."""
    if isinstance(x, str):
        x = x.encode()
    if isinstance(x, bytes):
        return b"%d:%s" % (len(x), x)
    if isinstance(x, list):
        return b"l" + b"".join(map(encode, x)) + b"e"
    return b"d" + b"".join(encode(k) + encode(x[k]) for k in sorted(x)) + b"e"


def decode(b, i=0):
    """(value, where it ends)."""
    kind = b[i:i + 1]
    if kind == b"i":
        end = b.index(b"e", i)
        return int(b[i + 1:end]), end + 1
    if kind in (b"l", b"d"):
        out, i = [], i + 1
        while b[i:i + 1] != b"e":
            value, i = decode(b, i)
            out.append(value)
        return (dict(zip(out[::2], out[1::2])) if kind == b"d" else out), i + 1
    colon = b.index(b":", i)
    end = colon + 1 + int(b[i:colon])
    return b[colon + 1:end].decode("utf-8", "replace"), end


class Rtpengine:
    def __init__(self, at):
        self.socket = socket.socket(socket.AF_INET6 if ":" in at[0] else socket.AF_INET,
                                    socket.SOCK_DGRAM)
        self.socket.connect(at)
        self.socket.settimeout(ANSWER_S / 5)

    def ask(self, command, **members):
        """Its answer; datagrams get lost, the same cookie gets the same answer."""
        cookie = secrets.token_hex(8).encode()
        message = {"command": command, **{k.replace("_", "-"): v for k, v in members.items()}}
        for _ in range(5):
            self.socket.send(cookie + b" " + encode(message))
            try:
                while True:
                    got = self.socket.recv(65536)
                    if got.startswith(cookie + b" "):
                        return decode(got, len(cookie) + 1)[0]
            except (TimeoutError, socket.timeout, ConnectionError):
                pass
        return {"result": "error", "error-reason": "rtpengine does not answer"}


class Call:
    """One INVITE over TCP."""

    def __init__(self, to, caller, callee):
        self.socket = socket.create_connection(to, ANSWER_S)
        host, port = self.socket.getsockname()[:2]
        self.at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.srs = f"[{to[0]}]:{to[1]}" if ":" in to[0] else f"{to[0]}:{to[1]}"
        self.id, self.tag = secrets.token_hex(12), secrets.token_hex(6)
        self.caller, self.to = caller, f"<sip:{callee}@{self.srs}>"
        self.numbers, self.got = itertools.count(1), b""

    def send(self, method, number, body=""):
        self.socket.sendall("\r\n".join([
            f"{method} sip:{self.srs};transport=tcp SIP/2.0",
            f"Via: SIP/2.0/TCP {self.at};branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70", f"From: <sip:{self.caller}@{self.at}>;tag={self.tag}",
            f"To: {self.to}", f"Call-ID: {self.id}", f"CSeq: {number} {method}",
            f"Contact: <sip:{self.at};transport=tcp>;+sip.src",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body.encode())}", "", body]).encode())

    def receive(self):
        """One message: (first line, headers with small names, body); None: the connection ended."""
        while True:
            self.got = self.got.lstrip(b"\r\n")
            head, end, rest = self.got.partition(b"\r\n\r\n")
            lines = head.decode("utf-8", "replace").split("\r\n")
            headers = [tuple(x.strip() for x in line.partition(":")[::2]) for line in lines[1:]]
            values = {name.lower(): value for name, value in headers}
            length = int(values.get("content-length", values.get("l", "0")) or 0)
            if end and len(rest) >= length:
                self.got = rest[length:]
                return lines[0], headers, values, rest[:length].decode("utf-8", "replace")
            more = self.socket.recv(65536)
            if not more:
                return None
            self.got += more

    def invite(self, sdp):
        """(status, description)."""
        number = next(self.numbers)
        self.send("INVITE", number, sdp)
        while True:
            message = self.receive()
            if message is None:
                return "the connection was closed", ""
            line, _, values, body = message
            if line.startswith("SIP/2.0 ") and line[8] != "1":
                self.to = values.get("to", self.to)
                self.send("ACK", number)
                return line[8:], body if line[8] == "2" else ""

    def goodbye(self):
        """Answers a BYE and other requests; True when the call is over."""
        message = self.receive()
        if message is None:
            return True
        line, headers, _, _ = message
        if line.startswith("SIP/2.0"):
            return False
        kept = [f"{n}: {v}" for n, v in headers
                if n.lower() in ("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq")]
        self.socket.sendall("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "",
                                         ""]).encode())
        return line.startswith("BYE ")


def address(text):
    found = re.fullmatch(r"\[?([^\[\]]+)\]?:(\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError("write ADDRESS:PORT")
    return found[1], int(found[2])


def stay(engine, call, call_id):
    """Until one of the two has ended; True: it was Trunkscribe."""
    call.socket.settimeout(LOOK_S)
    while True:
        try:
            if call.goodbye():
                return True
        except (TimeoutError, socket.timeout):
            if engine.ask("query", call_id=call_id).get("result") == "error":
                return False


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ng", type=address, default="127.0.0.1:2223", help="rtpengine")
    options.add_argument("--srs", type=address, default="127.0.0.1:5090", help="Trunkscribe, TCP")
    options.add_argument("--from", dest="caller", default="caller", help="number or name")
    options.add_argument("--to", dest="callee", default="callee", help="number or name")
    options.add_argument("call_id", metavar="CALL-ID", help="as rtpengine was told it")
    o = options.parse_args()
    if not re.fullmatch(r"[\w+.*#-]{1,64}", o.caller) or \
            not re.fullmatch(r"[\w+.*#-]{1,64}", o.callee):
        options.error("--from and --to: a number or a name of letters, digits and +.*#_-")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    engine = Rtpengine(o.ng)
    fork = engine.ask("subscribe request", call_id=o.call_id, flags=["all", "SIPREC"],
                      ICE="remove")
    if fork.get("result") != "ok":
        sys.exit(f"rtpengine: subscribe request: {fork.get('error-reason')}")
    over, call = False, None
    try:
        call = Call(o.srs, o.caller, o.callee)
        status, answer = call.invite(fork["sdp"])
        over = not answer
        if over:
            sys.exit(f"Trunkscribe: {status}")
        done = engine.ask("subscribe answer", call_id=o.call_id, to_tag=fork["to-tag"], sdp=answer)
        if done.get("result") != "ok":
            sys.exit(f"rtpengine: subscribe answer: {done.get('error-reason')}")
        print(status, flush=True)
        over = stay(engine, call, o.call_id)
    finally:
        engine.ask("unsubscribe", call_id=o.call_id, to_tag=fork["to-tag"])
        if call and not over:
            call.send("BYE", next(call.numbers))
            call.receive()


if __name__ == "__main__":
    main()
