"""Programs nobody here wrote, unpacked from Debian's packages and started by path.

They are not installed: server packages would start.  What cannot be had is a skip with its reason.
"""
import fcntl
import os
import pathlib
import subprocess
import sysconfig

import pytest

from simulator import TOP

PEERS = TOP / "build" / "peers"
ARCH = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
LIB = f"usr/lib/{ARCH}"
LIBS = (LIB, f"lib/{ARCH}")  # some packages are from before the merge


class Peer:
    """A package's files, with those of the libraries that are missing here."""

    def __init__(self, root):
        self.root = root

    def path(self, name):
        return self.root / name

    def environment(self, **more):
        where = [where for lib in LIBS
                 for where in (self.root / lib, *sorted((self.root / lib).glob("*/")))]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(str(p) for p in where), **more}


def peer(package):
    """Fetched once, whoever asks first; both runs of the tests may ask at a time."""
    root = PEERS / package
    why = ""
    PEERS.mkdir(parents=True, exist_ok=True)
    with open(PEERS / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            done = subprocess.run([TOP / "tools/get-peers.sh", package], check=False, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=300)
            why = done.stdout.strip()
    if not pathlib.Path(root).is_dir():
        pytest.skip(why or f"{package} cannot be had")
    return Peer(root)
