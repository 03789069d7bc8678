"""INVITEs with one thing wrong, in every place where something stands; the same every time."""
import collections
import random
import re

# part: "core" (what an answer is made from), "head", "sdp", "metadata", "body" (how it is wrapped)
Case = collections.namedtuple("Case", "name part data")

CORE = ("via", "from", "to", "call-id", "cseq", "max-forwards", "content-length", "contact")
NUMBERS = (b"", b"-1", b"+1", b"0", b"00", b"1", b"127", b"128", b"255", b"256", b"65535", b"65536",
           b"2147483647", b"2147483648", b"4294967295", b"4294967296", b"9223372036854775808",
           b"18446744073709551616", b"1" * 40, b"0x10", b"1e9", b"1.5", b" 1", b"\xd9\xa1")
TEXTS = (b"", b" ", b"\t", b",", b";", b":", b"=", b"@", b"<", b">", b"<>", b'"', b'"a', b"\\",
         b"%", b"%n%s%x%p", b"%00", b"\x00", b"\x01", b"\x1b[2J", b"\x7f", b"\xff\xfe",
         b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae",
         b"\r", b"\r\n ", b"\r\n\r\n", b"/", b"//", b"..", b"*", b"[::1]", b"[", b"]]>", b"&lt;",
         b"SIP/2.0", b"sip:", b"tel:+1", b"sip:a@b;c?d=e", b"sips:a@[::1]:99999", b"-", b"(a(b)c)",
         b"a" * 255, b"a" * 256, b"b" * 4096, b"c" * 8192, b"d" * 20000, b"e," * 4000,
         b";f=g" * 2000, b"<" * 3000, b'"' * 2999, b" " * 5000)
XML = (b"<!DOCTYPE x [<!ENTITY a \"b\">]>", b"&a;", b"&#0;", b"&#xFFFF;", b"<![CDATA[", b"<!--",
       b"<?xml version=\"1.0\"?>", b"</recording>", b"<recording>", b"<x " * 400, b"<x>" * 100,
       b"<x/>" * 2100, b"<x y='" + b"z" * 9000 + b"'/>", b"<participant/>" * 50,
       b"<stream><label>1</label></stream>" * 40, b"</a></b>", b"\xff", b"\x00", b"\x0b",
       b"<session session_id=''/>", b"<datamode>partial</datamode>", b"<p:q/>", b"<:/>", b"< a/>")
SDP_LINES = (b"v=1", b"c=IN IP4 0.0.0.0", b"c=IN IP6 ::", b"c=IN IP4 host.example", b"c=",
             b"m=audio 0 RTP/AVP 0", b"m=audio 70000 RTP/AVP 0", b"m=audio 4000 RTP/AVP",
             b"m=audio 4000 RTP/SAVP 0", b"m=video 4000 RTP/AVP 31",
             b"m=audio 4000 UDP/TLS/RTP/SAVPF 0",
             b"m=" + b"audio " * 20, b"m=audio 4000 RTP/AVP" + b" 0" * 40, b"a=inactive",
             b"a=rtpmap:0 PCMU/0", b"a=rtpmap:0 opus/48000/2", b"a=label:" + b"x" * 300,
             b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + b"A" * 40, b"a=rtcp:0", b"a=ptime:0",
             b"a=" + b"y" * 9000, b"nonsense", b"=", b"a", b"", b"m=audio 4000 RTP/AVP 0\r\n" * 9,
             b"a=x\r\n" * 520)


def lines_of(block):
    return block.split(b"\r\n")


def joined(lines):
    return b"\r\n".join(lines)


def with_length(head, body):
    """Content-Length made right again."""
    return re.sub(rb"(?im)^Content-Length:[^\r\n]*", b"Content-Length: %d" % len(body), head,
                  count=1) + b"\r\n\r\n" + body


def places(line):
    """Where a value may be changed: behind each separator."""
    return [m.end() for m in re.finditer(rb"[:;=,<>@/ \"]", line)][:12]


def texts_in(line):
    """The line with something put into it, or instead of the rest."""
    for at in places(line):
        for text in TEXTS:
            yield line[:at] + text + line[at:]
            yield line[:at] + text
    for m in re.finditer(rb"\d+", line):
        for number in NUMBERS:
            yield line[:m.start()] + number + line[m.end():]


def changed(lines, first=0):
    """Every list of lines with one of them other than it was."""
    for i in range(first, len(lines)):
        rest = lines[:i], lines[i + 1:]
        yield i, rest[0] + rest[1]
        yield i, rest[0] + [lines[i], lines[i]] + rest[1]
        yield i, rest[0] + [lines[i].upper()] + rest[1]
        yield i, rest[0] + [lines[i].lower()] + rest[1]
        yield i, rest[0] + [b" " + lines[i]] + rest[1]
        if i + 1 < len(lines):
            yield i, rest[0] + [lines[i + 1], lines[i]] + lines[i + 2:]
        for line in texts_in(lines[i]):
            yield i, rest[0] + [line] + rest[1]


def name_of(line):
    return line.partition(b":")[0].strip().lower().decode("latin-1")


def head_cases(head, body):
    lines = lines_of(head)
    for i, new in changed(lines):
        core = i == 0 or name_of(lines[i]) in CORE or name_of(lines[i - 1]) in CORE
        yield "core" if core else "head", joined(new) + b"\r\n\r\n" + body


def sdp_cases(head, before, sdp, after):
    def whole(lines):
        return with_length(head, before + joined(lines) + after)

    lines = lines_of(sdp)
    for _, new in changed(lines):
        yield "sdp", whole(new)
    for i in range(len(lines)):
        for line in SDP_LINES:
            yield "sdp", whole(lines[:i] + [line] + lines[i:])
        yield "sdp", whole(lines[:i])


def metadata_cases(head, before, xml, after):
    def whole(new):
        return with_length(head, before + new + after)

    marks = [m.start() for m in re.finditer(rb"[<>\"=]", xml)]
    for at in marks:
        for text in XML:
            yield "metadata", whole(xml[:at] + text + xml[at:])
        yield "metadata", whole(xml[:at])
        yield "metadata", whole(xml[at:])
        yield "metadata", whole(xml[:at] + xml[at + 1:])
        yield "metadata", whole(xml[:at] + bytes([xml[at] ^ 1]) + xml[at + 1:])
    for m in re.finditer(rb"<(\w+)[^>]*>", xml):
        yield "metadata", whole(xml[:m.start()] + xml[m.end():])
        yield "metadata", whole(xml[:m.end()] + m[0] + xml[m.end():])
    yield "metadata", whole(b"")


def body_cases(head, body):
    for length in NUMBERS + (b"%d" % (len(body) - 1), b"%d" % (len(body) + 1)):
        yield "core", re.sub(rb"(?im)^(Content-Length:) ?\d+", rb"\g<1> " + length, head) + \
            b"\r\n\r\n" + body
    for m in re.finditer(rb"--[^\r\n]+", body):
        for text in (b"", b"--", b"--x", m[0] + b" ", m[0] * 2, m[0] + b"--"):
            yield "body", with_length(head, body[:m.start()] + text + body[m.end():])
    for at in range(0, len(body), max(1, len(body) // 60)):
        yield "body", with_length(head, body[:at])
        yield "core", head + b"\r\n\r\n" + body[:at]


def part_of(body, kind):
    """(before, part, after) of the part of a multipart body, or of the whole one."""
    if not body.startswith(b"--"):
        return (b"", body, b"") if kind == b"application/sdp" else None
    found = re.search(rb"(?is)content-type: ?" + kind + rb"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n"
                      rb"(.*?)\r\n--", body)
    return found and (body[:found.start(1)], found[1], body[found.end(1):])


def of_message(message):
    """Every case made from this one."""
    head, _, body = message.partition(b"\r\n\r\n")
    yield from head_cases(head, body)
    yield from body_cases(head, body)
    sdp = part_of(body, b"application/sdp")
    if sdp:
        yield from sdp_cases(head, *sdp)
    metadata = part_of(body, rb"application/rs-metadata")
    if metadata:
        yield from metadata_cases(head, *metadata)


def chosen(name, message, n, seed):
    """`n` of them, as many of each part as there are."""
    parts = collections.defaultdict(list)
    for part, data in of_message(message):
        if len(data) < 60_000:
            parts[part].append(data)
    rng, out = random.Random(f"{seed} {name}"), []
    for k, (part, cases) in enumerate(sorted(parts.items())):
        share = (n - len(out)) // (len(parts) - k)
        picks = rng.sample(range(len(cases)), min(share, len(cases)))
        out += [Case(f"{name} {part} {i}", part, cases[i]) for i in picks]
    return out
