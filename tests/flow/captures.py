"""Where the shared captures are, and the test programs that read captures."""
import os
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("B", "build")
SHARED = pathlib.Path(os.environ.get("SHARED", TOP.parent / "shared"))


def need(*programs):
    for p in programs:
        if not shutil.which(p):
            pytest.skip(f"{p} is not installed")


def shared(folder, pattern):
    """The files there, or a skipped test: they are not part of the project."""
    found = sorted((SHARED / folder).glob(pattern))
    if not found:
        pytest.skip(f"no {pattern} in {SHARED / folder}")
    return found


def program(name):
    target = f"{BUILD}/tests/tools/{name}"
    subprocess.run(["make", "-s", f"B={BUILD}", target], cwd=TOP, check=True)
    return str(TOP / target)


def run(*command, codes=(0,), **more):
    done = subprocess.run(command, capture_output=True, check=False, **more)
    assert done.returncode in codes, done.stderr.decode(errors="replace")[-2000:]
    return done


def tshark(capture, display_filter, fields, occurrence="f", tunnels=False):
    """The named fields of every frame that passes; the first occurrence of each, ("l") the last
    or ("a") all with ';' between them."""
    options = [x for f in fields for x in ("-e", f)]
    # exit 2: the file is cut off; what was whole has been printed
    only = () if tunnels else ("--disable-protocol", "vxlan")
    done = run("tshark", "-n", *only, "-r", str(capture), "-Y", display_filter, "-T", "fields",
               "-E", f"occurrence={occurrence}", "-E", "aggregator=;",
               "-E", "separator=|", *options, codes=(0, 2))
    return [dict(zip(fields, line.split("|"))) for line in done.stdout.decode().splitlines()]
