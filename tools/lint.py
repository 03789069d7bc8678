#!/usr/bin/python3
"""Check what a compiler does not: layers, calls we do not use, widths, tests, the top level.

Prints each finding as FILE:LINE: what, and exits 1 when there is one.  Long files and functions
are only noted.
"""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
COLUMNS, LONG_FILE, LONG_FUNCTION = 100, 500, 60
LEVEL = {"Makefile", "README.md", "CHANGES.md", "SECURITY.md", "LICENSE",
         "daemon", "codecs", "conf", "systemd", "tests", "tools"}
# header -> library, by how the header's name begins
LIBRARIES = {"uv": "uv", "jansson": "jansson", "pcap": "pcap", "wslay": "wslay",
             "mbedtls": "mbedtls", "psa": "mbedtls", "http_parser": "http_parser",
             "osip": "osip", "expat": "expat", "confuse": "confuse", "spandsp": "spandsp",
             "speex": "speexdsp", "srtp": "srtp2", "zlib": "zlib", "microhttpd": "microhttpd",
             "systemd": "systemd"}
BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|sscanf|vsscanf|strncpy|strtok|"
                    r"alloca|gets|assert|atoi|atol|system|popen)\s*\(")
IN_TESTS = {"atoi", "atol", "system", "popen"}
# What pure code gets as an argument: the time and chance.
IMPURE = re.compile(r"(?<![\w.>])(clock_gettime|gettimeofday|time|rand|random|getrandom|srand|"
                    r"uv_now|uv_hrtime|usleep|nanosleep)\s*\(")
MACHINE = re.compile(r"/(wor[k]|far[m]|roo[t])/|/hom[e]/[a-z]|bash_job[s]")


def read_table(path):
    """The layers: directory -> (directories it may include, libraries it may use)."""
    table, groups = {}, {}
    for line in path.read_text().splitlines():
        if " = " in line and not line.startswith("#"):
            name, members = line.split(" = ")
            groups[name] = members.split()
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#") and " = " not in line:
            where, may, libs = re.split(r"\s{2,}", line.strip())
            dirs = [d for word in may.split() for d in groups.get(word, [word])]
            table[where] = (set(dirs), set(libs.split()))
    return table, set(groups["pure"])


def layer_of(path, table):
    path = pathlib.PurePath(path)
    while str(path) not in table and str(path) != ".":
        path = path.parent
    return str(path)


def code_of(text):
    """The text with comments and strings blanked, line by line as long as before."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def tracked():
    """Every file of the project, relative to its top."""
    if (TOP / ".git").exists():
        out = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co",
                              "--exclude-standard"], cwd=TOP, capture_output=True, text=True,
                             check=False)
        if out.returncode == 0:
            return [f for f in out.stdout.splitlines() if (TOP / f).is_file()]
    return [str(p.relative_to(TOP)) for p in TOP.rglob("*")
            if p.is_file() and p.relative_to(TOP).parts[0] not in ("build", ".git")]


def check_include(where, line, table):
    may, libs = table[where]
    m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)', line)
    if not m or "*" in may:
        return None
    if m[1] == '"' and "/" in m[2]:
        to = layer_of(pathlib.PurePath(m[2]).parent, table)
        if to != where and to not in may:
            return f"{where} may not include {to} (tools/layers.txt)"
    if m[1] == "<":
        for start, lib in LIBRARIES.items():
            if re.match(rf"{start}[\w/]*\.h|{start}[\w]*/", m[2]) and lib not in libs:
                return f"{where} may not use {lib} (tools/layers.txt)"
    return None


def check_source(name, text, table, pure):
    where = layer_of(pathlib.PurePath(name).parent, table)
    for n, (line, code) in enumerate(zip(text.split("\n"), code_of(text).split("\n")), 1):
        wrong = check_include(where, line, table)
        if wrong:
            yield n, wrong
        m = BANNED.search(code)
        if m and not (m[1] in IN_TESTS and where == "tests"):
            yield n, f"{m[1]}() is not used here"
        m = where in pure and IMPURE.search(code)
        if m:
            yield n, f"{m[1]}(): time and chance are arguments in {where}"


def long_parts(text):
    """Notes, not findings: files and functions that grow."""
    lines, start = text.split("\n"), 0
    if len(lines) > LONG_FILE:
        yield 1, f"{len(lines)} lines: still one idea?"
    for n, line in enumerate(lines, 1):
        if line == "{":
            start = n
        elif line == "}" and start:
            if n - start - 1 > LONG_FUNCTION:
                yield start, f"a function of {n - start - 1} lines"
            start = 0


def check_text(text):
    for n, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) > COLUMNS:
            yield n, f"wider than {COLUMNS} columns"
        if MACHINE.search(line):
            yield n, "a path of one machine"
        if line != line.rstrip():
            yield n, "blanks at the end"


def check_tests(files):
    """Each source has its unit test, or stands in tools/untested.txt with what tests it."""
    listed = {line.split(None, 1)[0]: line.split(None, 1)[1:]
              for line in (TOP / "tools/untested.txt").read_text().splitlines()
              if line.strip() and not line.startswith("#")}
    for name in files:
        path = pathlib.PurePath(name)
        if path.suffix != ".c" or path.parts[0] not in ("daemon", "codecs"):
            continue
        parent = path.parent.name if len(path.parts) > 2 else path.parts[0]
        test = TOP / "tests/unit" / parent / f"test_{path.stem}.c"
        if name.startswith("daemon/asr/vendor_"):
            # tests/unit/asr/test_vendors.c runs every vendor's samples
            samples = TOP / "tests/data/asr" / path.stem[len("vendor_"):]
            if not list(samples.glob("*.want")):
                yield name, f"no samples in {samples.relative_to(TOP)}"
            continue
        if test.exists() == (name in listed):
            yield name, ("has a test: take it out of tools/untested.txt" if test.exists() else
                         f"no {test.relative_to(TOP)} and not in tools/untested.txt")
    for name, reason in listed.items():
        if name not in files:
            yield "tools/untested.txt", f"{name} is no file"
        elif not reason:
            yield "tools/untested.txt", f"{name}: no reason"


def check_tls(files):
    """One place sets sessions up, so one place sets the host name (SECURITY.md)."""
    places = [(f, n) for f in files if f.endswith((".c", ".h")) and not f.startswith("tests/")
              for n, line in enumerate(code_of((TOP / f).read_text()).split("\n"), 1)
              if "mbedtls_ssl_setup" in line]
    for f, n in places:
        if not f.startswith("daemon/net/") or len(places) > 1:
            yield f, n, "mbedtls_ssl_setup() belongs in one place, in daemon/net/"


def findings(files):
    table, pure = read_table(TOP / "tools/layers.txt")
    for name in sorted({f.split("/")[0] for f in files}):
        if not name.startswith(".") and name not in LEVEL:
            yield name, 1, "nothing else stands at the top level"
    for name in sorted(LEVEL - {f.split("/")[0] for f in files}):
        yield name, 1, "is missing at the top level"
    for name in files:
        if not re.search(r"\.([ch]|py|sh|md|txt|sample|service)$|Makefile$|run$", name) or \
                name.startswith(("tests/data/", "tests/fuzz/corpus/")):
            continue
        text = (TOP / name).read_text()
        if not name.endswith(".md"):
            for n, what in check_text(text):
                yield name, n, what
        if name.endswith((".c", ".h")):
            for n, what in check_source(name, text, table, pure):
                yield name, n, what
    for name, what in check_tests(files):
        yield name, 1, what
    yield from check_tls(files)


def main():
    files, bad = tracked(), 0
    for name in files:
        if name.endswith((".c", ".h")):
            for n, what in long_parts((TOP / name).read_text()):
                print(f"note: {name}:{n}: {what}")
    for name, n, what in findings(files):
        print(f"{name}:{n}: {what}")
        bad += 1
    print(f"{len(files)} files, {bad} findings")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
