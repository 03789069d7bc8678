"""A network path that takes no more than so many bytes a second, and holds next to nothing.

    with Throttle(sim.address, [(64000, 0), None]) as path:   # 1st: 64,000 bytes, then none
        ... path.url() ...                                     # others: as they come

What a client sends goes through the throttle, what the service says does not.
"""
import contextlib
import socket
import threading
import time

HELD = 4096      # of the receive buffer [bytes]: the kernel makes it twice that
MSS = 1400       # as on a network; the loopback's 64 KiB come and go in lumps
STEP_S = 0.05


class Throttle:
    def __init__(self, upstream, plans):
        host, _, port = upstream.rpartition(":")
        self.upstream, self.plans = (host, int(port)), plans
        self.sockets, self.count, self.closing = [], 0, False

    def __enter__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HELD)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, MSS)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing = True
        for s in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def url(self):
        return "ws://127.0.0.1:%d" % self.listener.getsockname()[1]

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                plan = self.plans[min(self.count, len(self.plans) - 1)]
                self.count += 1
                server = socket.create_connection(self.upstream)
                self.sockets += [client, server]
                for a, b, p in ((client, server, plan), (server, client, None)):
                    threading.Thread(target=self._carry, args=(a, b, p), daemon=True).start()

    def _carry(self, source, target, plan):
        free, rate = plan or (0, None)
        with contextlib.suppress(OSError):
            while True:
                if free <= 0 and rate == 0:
                    while not self.closing:
                        time.sleep(STEP_S)
                    break
                part = 65536 if rate is None else min(free, 4096) or max(1, int(rate * STEP_S))
                data = source.recv(part)
                if not data:
                    break
                target.sendall(data)
                if free > 0:
                    free -= len(data)
                elif rate:
                    time.sleep(len(data) / rate)
        for s in (source, target):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
