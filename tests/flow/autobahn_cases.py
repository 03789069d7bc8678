"""The cases that the Autobahn testsuite puts to websocket clients, by its numbers: groups 2 to 7
and 9, 284 rows.  Written anew from RFC 6455 and, for 6.5 to 6.23, from Markus Kuhn's UTF-8 decoder
stress test.  Groups 12 and 13 (compression) do not apply: no extension is ever offered.

A row says what the server sends and what our layer must do.  Where our layer differs from an
endpoint that echoes everything, that is by a limit or a rule of its own, and the row's `ours` says
which; where the library below it (wslay 1.1.1) alone would do something else, `wslay` says what.
"""
import collections
import struct

TEXT, BINARY, CLOSE, PING, PONG, CONTINUE = 1, 2, 8, 9, 10, 0
KIB, MIB = 1024, 1024 * 1024
MESSAGE_MAX, FRAME_MAX = 256 * KIB, 4 * MIB  # net/websocket.h

WAIT = "wait"  # ... until the client has sent one more frame

# send(): frames as bytes, and WAIT; how: in "one" write, by "frames", or in pieces of so many bytes
# expect: frames (opcode, payload) of the client, a close among them, in order
# end: class and code that our layer then reports
Row = collections.namedtuple("Row", "number what send how expect end ours wslay",
                             defaults=("", ""))


def frame(opcode, payload=b"", fin=True, rsv=0, announced=None):
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    n = len(payload) if announced is None else announced
    if n < 126:
        head += bytes([n])
    elif n < 65536:
        head += bytes([126]) + struct.pack(">H", n)
    else:
        head += bytes([127]) + struct.pack(">Q", n)
    return head + payload


def fragments(opcode, *parts):
    last = len(parts) - 1
    return [frame(CONTINUE if i else opcode, p, fin=i == last) for i, p in enumerate(parts)]


def cut(payload, size):
    return [payload[at:at + size] for at in range(0, len(payload), size)]


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)


def closing(code=None):
    return (CLOSE, b"" if code is None else struct.pack(">H", code))


GOODBYE, DONE = close(1000), (closing(1000),)
ENDED = ("restart", 1000)  # the server closed with 1000 while the stream was open
OCTETS = 1


def made(send):
    """Large ones are made when they are needed."""
    return send if callable(send) else lambda: send


def kept(number, what, send, expect, how="one", **more):
    """All is well; then the server closes."""
    return Row(number, what, lambda: [*made(send)(), GOODBYE], how, [*expect, *DONE], ENDED, **more)


def fails(number, what, send, code=1002, expect=(), how="one", **more):
    """The client ends it with this code."""
    return Row(number, what, made(send), how, [*expect, closing(code)], ("protocol", code), **more)


HELLO = frame(TEXT, b"Hello, world!")
HELLO_BACK = (TEXT, b"Hello, world!")
MINUS_400 = "recv fails with -400 and an empty close is queued"


def group_2():
    pings = [frame(PING, b"payload-%d" % i) for i in range(10)]
    pongs = [(PONG, b"payload-%d" % i) for i in range(10)]
    odd = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
    yield kept("2.1", "ping without payload", [frame(PING)], [(PONG, b"")])
    yield kept("2.2", "ping with text", [frame(PING, b"Hello, world!")],
               [(PONG, b"Hello, world!")])
    yield kept("2.3", "ping with bytes that are no text", [frame(PING, odd)], [(PONG, odd)])
    yield kept("2.4", "ping of 125 bytes", [frame(PING, b"\xfe" * 125)], [(PONG, b"\xfe" * 125)])
    yield fails("2.5", "ping of 126 bytes", [frame(PING, b"\xfe" * 126)], wslay=MINUS_400)
    yield kept("2.6", "ping of 125 bytes, byte by byte", [frame(PING, b"\xfe" * 125)],
               [(PONG, b"\xfe" * 125)], OCTETS)
    yield kept("2.7", "pong nobody asked for", [frame(PONG)], [])
    yield kept("2.8", "pong nobody asked for, with payload",
               [frame(PONG, b"unsolicited pong payload")], [])
    yield kept("2.9", "the same, then a ping", [frame(PONG, b"unsolicited pong payload"),
                                                frame(PING, b"ping payload")],
               [(PONG, b"ping payload")])
    yield kept("2.10", "ten pings", pings, pongs)
    yield kept("2.11", "ten pings, byte by byte", pings, pongs, OCTETS)


def group_3():
    hello = b"Hello, world!"
    yield fails("3.1", "text with RSV 1", [frame(TEXT, hello, rsv=1)])
    for number, rsv, how in (("3.2", 2, "one"), ("3.3", 3, "frames"), ("3.4", 4, OCTETS)):
        yield fails(number, f"text, text with RSV {rsv}, ping",
                    [HELLO, frame(TEXT, hello, rsv=rsv), frame(PING)], 1002, [HELLO_BACK], how)
    yield fails("3.5", "binary with RSV 5", [frame(BINARY, b"\x00\xff\xfe\xfd", rsv=5)])
    yield fails("3.6", "ping with RSV 6", [frame(PING, hello, rsv=6)])
    yield fails("3.7", "close with RSV 7", [frame(CLOSE, b"\x03\xe8", rsv=7)])


def group_4():
    payload = b"reserved opcode payload"
    for group, first in (("4.1", 3), ("4.2", 11)):
        yield fails(f"{group}.1", f"opcode {first}", [frame(first)])
        yield fails(f"{group}.2", f"opcode {first + 1} with payload", [frame(first + 1, payload)])
        yield fails(f"{group}.3", f"text, opcode {first + 2}, ping",
                    [HELLO, frame(first + 2), frame(PING)], 1002, [HELLO_BACK])
        yield fails(f"{group}.4", f"text, opcode {first + 3} with payload, ping",
                    [HELLO, frame(first + 3, payload), frame(PING)], 1002, [HELLO_BACK])
        yield fails(f"{group}.5", f"text, opcode {first + 4} with payload, ping, byte by byte",
                    [HELLO, frame(first + 4, payload), frame(PING)], 1002, [HELLO_BACK], OCTETS)


def group_5():
    two, whole = (b"fragment1", b"fragment2"), (TEXT, b"fragment1fragment2")
    ways = ("one", "frames", OCTETS)
    yield fails("5.1", "ping in two fragments", fragments(PING, *two), wslay=MINUS_400)
    yield fails("5.2", "pong in two fragments", fragments(PONG, *two), wslay=MINUS_400)
    for n, how in enumerate(ways):
        yield kept(f"5.{3 + n}", f"text in two fragments, {how}", fragments(TEXT, *two), [whole],
                   how)
    first, second = fragments(TEXT, *two)
    for n, how in enumerate(ways):
        yield kept(f"5.{6 + n}", f"a ping between two fragments, {how}",
                   [first, frame(PING, b"pongme"), second], [(PONG, b"pongme"), whole], how)
    for n, fin in ((9, True), (12, False)):
        for k, how in enumerate(ways):
            yield fails(f"5.{n + k}", f"nothing to continue (FIN {fin}), then text, {how}",
                        [frame(CONTINUE, b"non-continuation payload", fin=fin), HELLO], how=how)
    yield fails("5.15", "text in two fragments, nothing to continue, text",
                [*fragments(TEXT, *two), frame(CONTINUE, b"fragment3", fin=False),
                 frame(TEXT, b"fragment4")], 1002, [whole])
    for number, fin in (("5.16", False), ("5.17", True)):
        yield fails(number, f"twice: nothing to continue (FIN {fin}), text in two fragments",
                    2 * [frame(CONTINUE, b"fragment1", fin=fin),
                         *fragments(TEXT, b"fragment2", b"fragment3")])
    yield fails("5.18", "two fragments, both text",
                [frame(TEXT, two[0], fin=False), frame(TEXT, two[1])])
    five = fragments(TEXT, *(b"fragment%d" % i for i in range(1, 6)))
    for number, how in (("5.19", "one"), ("5.20", "frames")):
        yield kept(number, f"five fragments, pings and pauses between, {how}",
                   [five[0], five[1], frame(PING, b"pongme 1!"), WAIT,
                    five[2], five[3], frame(PING, b"pongme 2!"), WAIT, five[4]],
                   [(PONG, b"pongme 1!"), (PONG, b"pongme 2!"),
                    (TEXT, b"".join(b"fragment%d" % i for i in range(1, 6)))], how)


KOSME = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"  # Kuhn's "kosme", its o with oxia
# 6.5 to 6.23: what of it is UTF-8 (RFC 3629)
KUHN_LAST_MISSING = [b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80",
                     b"\xfc\x80\x80\x80\x80", b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf",
                     b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf"]
KUHN = [
    ("correct text", True, [b"hello\x24world", b"hello\xc2\xa2world", b"hello\xe2\x82\xacworld",
                            b"hello\xf0\xa4\xad\xa2world", KOSME]),
    ("prefixes of correct text", None, [KOSME[:n] for n in range(1, len(KOSME) + 1)]),
    ("first of a length", True, [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
    ("first of length 5, 6", False, [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
    ("last of a length", True, [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
    ("last of length 4, 5, 6", False, [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf",
                                       b"\xfd\xbf\xbf\xbf\xbf\xbf"]),
    ("other bounds", None, [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf",
                            b"\xf4\x90\x80\x80"]),
    ("unexpected continuation", False, [
        b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf",
        b"\x80\xbf\x80\xbf\x80", b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xbf))]),
    ("lonely starts", False, [
        b"".join(bytes([i, 0x20]) for i in range(first, last)) for first, last in
        ((0xc0, 0xdf), (0xe0, 0xef), (0xf0, 0xf7), (0xf8, 0xfb), (0xfc, 0xfd))]),
    ("last byte missing", False, KUHN_LAST_MISSING),
    ("incomplete ones in a row", False, [b"".join(KUHN_LAST_MISSING)]),
    ("impossible bytes", False, [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
    ("overlong slash", False, [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf",
                               b"\xf8\x80\x80\x80\xaf", b"\xfc\x80\x80\x80\x80\xaf"]),
    ("largest overlong", False, [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf",
                                 b"\xf8\x87\xbf\xbf\xbf", b"\xfc\x83\xbf\xbf\xbf\xbf"]),
    ("overlong NUL", False, [b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
                             b"\xf8\x80\x80\x80\x80", b"\xfc\x80\x80\x80\x80\x80"]),
    ("single surrogates", False, [
        b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80",
        b"\xed\xbe\x80", b"\xed\xbf\xbf"]),
    ("paired surrogates", False, [
        high + low for high in (b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf")
        for low in (b"\xed\xb0\x80", b"\xed\xbf\xbf")]),
    ("noncharacters", True, [b"\xef\xbf\xbe", b"\xef\xbf\xbf"] + [
        bytes([a, b, 0xbf, c]) for a in range(0xf0, 0xf5) for b in (0x9f, 0xaf, 0xbf, 0x8f)
        for c in (0xbe, 0xbf) if (a != 0xf4 or b == 0x8f) and (a, b) != (0xf0, 0x8f)]),
    ("specials", True, [b"\xef\xbf" + bytes([i]) for i in range(0xb9, 0xc0)]),
]


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


EMPTY = [(TEXT, b"(empty)")]
NO_EMPTY = "an empty message is delivered, none is ever sent"


def group_6():
    text = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    surrogate = KOSME + b"\xed\xa0\x80edited"
    yield kept("6.1.1", "empty text", [frame(TEXT)], EMPTY, ours=NO_EMPTY)
    yield kept("6.1.2", "three empty fragments", fragments(TEXT, b"", b"", b""), EMPTY,
               ours=NO_EMPTY)
    yield kept("6.1.3", "the middle one of three not empty",
               fragments(TEXT, b"", b"middle frame payload", b""),
               [(TEXT, b"middle frame payload")])
    yield kept("6.2.1", "text", [frame(TEXT, text)], [(TEXT, text)])
    yield kept("6.2.2", "cut between characters", fragments(TEXT, text[:14], text[14:]),
               [(TEXT, text)])
    yield kept("6.2.3", "fragments of a byte", fragments(TEXT, *cut(text, 1)), [(TEXT, text)])
    yield kept("6.2.4", "fragments of a byte", fragments(TEXT, *cut(KOSME, 1)), [(TEXT, KOSME)])
    yield fails("6.3.1", "a surrogate in it", [frame(TEXT, surrogate)], 1007)
    yield fails("6.3.2", "a surrogate, in fragments of a byte",
                fragments(TEXT, *cut(surrogate, 1)), 1007)
    # the verdict comes with the byte that makes it wrong: what follows is not sent until then
    bad, rest = b"\xf4\x90\x80\x80", b"edited"
    a, b, c = fragments(TEXT, KOSME, bad, rest)
    yield fails("6.4.1", "wrong in the second of three fragments", [a, b, WAIT, c], 1007,
                how="frames")
    a, b, c = fragments(TEXT, KOSME + b"\xf4", b"\x90", b"\x80\x80" + rest)
    yield fails("6.4.2", "wrong up to that byte", [a, b, WAIT, c], 1007, how="frames")
    whole = frame(TEXT, KOSME + bad + rest)
    head = len(whole) - len(KOSME + bad + rest)
    for number, at in (("6.4.3", len(KOSME) + 4), ("6.4.4", len(KOSME) + 2)):
        yield fails(number, "the same inside one frame", [
            whole[:head + len(KOSME)], whole[head + len(KOSME):head + at], WAIT,
            whole[head + at:]], 1007, how="frames")
    for n, (what, good, sequences) in enumerate(KUHN, 5):
        for k, data in enumerate(sequences, 1):
            assert good is None or good == is_utf8(data)
            number, what_k = f"6.{n}.{k}", f"{what}: {data.hex()}"
            if is_utf8(data):
                yield kept(number, what_k, [frame(TEXT, data)], [(TEXT, data)])
            else:
                yield fails(number, what_k, [frame(TEXT, data)], 1007)


CLASS = {1000: "restart", 1001: "restart", 1002: "protocol", 1003: "protocol", 1007: "protocol",
         1009: "protocol", 1010: "protocol"}  # the others: "server"


def ends(number, what, send, expect, end, **more):
    return Row(number, what, made(send), "one", [*expect], end, **more)


def group_7():
    big = b"*" * (256 * KIB)
    yield ends("7.1.1", "text, close", [HELLO, GOODBYE], [HELLO_BACK, *DONE], ENDED)
    yield ends("7.1.2", "two closes", [GOODBYE, GOODBYE], DONE, ENDED)
    yield ends("7.1.3", "close, ping", [GOODBYE, frame(PING)], DONE, ENDED)
    yield ends("7.1.4", "close, text", [GOODBYE, HELLO], DONE, ENDED)
    first, second = fragments(TEXT, b"fragment1", b"fragment2")
    yield ends("7.1.5", "close between two fragments", [first, GOODBYE, second], DONE, ENDED)
    yield ends("7.1.6", "256 KiB, close, ping", [frame(TEXT, big), GOODBYE, frame(PING)],
               [(TEXT, big), *DONE], ENDED)
    yield ends("7.3.1", "close without a code", [close()], [closing()], ("restart", 1005))
    yield fails("7.3.2", "close of one byte", [frame(CLOSE, b"a")],
                wslay="takes it for a close without a code")
    yield ends("7.3.3", "close with a code", [GOODBYE], DONE, ENDED)
    yield ends("7.3.4", "close with a reason", [close(1000, b"Hello World!")], DONE, ENDED)
    yield ends("7.3.5", "close with the longest reason", [close(1000, b"*" * 123)], DONE, ENDED)
    yield fails("7.3.6", "close with a reason too long", [close(1000, b"*" * 124)],
                wslay=MINUS_400)
    yield fails("7.5.1", "close with a reason that is not UTF-8",
                [close(1000, KOSME + b"\xed\xa0\x80edited")], 1007,
                wslay="byte by byte it takes it for 1000")
    for k, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999,
                              4000, 4999), 1):
        yield ends(f"7.7.{k}", f"close {code}", [close(code)], [closing(code)],
                   (CLASS.get(code, "server"), code))
    for k, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield fails(f"7.9.{k}", f"close {code}", [close(code)])
    for k, code in enumerate((5000, 65535), 1):
        yield fails(f"7.13.{k}", f"close {code}", [close(code)],
                    ours="Autobahn leaves it open; it is refused")


def limited(number, what, opcode, send, size, byte, how="one"):
    """A message of `size` bytes: echoed, read past, or the end."""
    if size <= MESSAGE_MAX:
        return kept(number, what, send, [(opcode, byte * size)], how)
    if size <= FRAME_MAX:
        return kept(number, what, send, [(TEXT, b"(dropped %d)" % size)], how,
                    ours="read past: over 256 KiB")
    return fails(number, what, send, 1009, how=how, ours="over 4 MiB")


def whole(opcode, byte, size):
    return lambda: [frame(opcode, byte * size)]


def in_fragments(opcode, byte, size, each):
    return lambda: fragments(opcode, *cut(byte * size, each))


SIZES = [(64 * KIB, "64 KiB"), (256 * KIB, "256 KiB"), (MIB, "1 MiB"), (4 * MIB, "4 MiB"),
         (8 * MIB, "8 MiB"), (16 * MIB, "16 MiB")]


def group_9():
    kinds = ((TEXT, "text", b"*"), (BINARY, "binary", b"\x00"))
    for group, (opcode, kind, byte) in enumerate(kinds, 1):
        for k, (size, name) in enumerate(SIZES, 1):
            yield limited(f"9.{group}.{k}", f"{kind} of {name}", opcode,
                          whole(opcode, byte, size), size, byte)
    for group, (opcode, kind, byte) in enumerate(kinds, 3):
        for k in range(9):
            each = 64 * 4 ** k
            yield limited(f"9.{group}.{k + 1}", f"{kind} of 4 MiB in fragments of {each}", opcode,
                          in_fragments(opcode, byte, 4 * MIB, each), 4 * MIB, byte)
    for group, (opcode, kind, byte) in enumerate(kinds, 5):
        for k in range(6):
            chop = 64 * 2 ** k
            yield limited(f"9.{group}.{k + 1}", f"{kind} of 1 MiB in writes of {chop}", opcode,
                          whole(opcode, byte, MIB), MIB, byte, chop)
    for group, (opcode, kind, byte) in enumerate(kinds, 7):
        for k, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            yield kept(f"9.{group}.{k}", f"1000 times {kind} of {size} bytes",
                       1000 * [frame(opcode, byte * size)],
                       1000 * [(opcode, byte * size or b"(empty)")],
                       ours="" if size else NO_EMPTY)


ROWS = [row for group in (group_2, group_3, group_4, group_5, group_6, group_7, group_9)
        for row in group()]
