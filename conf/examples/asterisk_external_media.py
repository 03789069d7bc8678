#!/usr/bin/python3
"""Let Trunkscribe hear both parties of Asterisk's channels (ARI, ExternalMedia).

A channel whose dial plan runs UserEvent(Transcribe) gets two snoops: what its party says is the leg
`caller`, what it hears the leg `agent`.  Each snoop is bridged with a channel that sends RTP to the
port which Trunkscribe's control socket has given us.  When the channel ends, all of that ends.
"""
import argparse
import asyncio
import base64
import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import websockets

SIDES = (("in", "caller"), ("out", "agent"))


class Trunkscribe:
    """The control socket: one line each way."""

    def __init__(self, path):
        self.path, self.reader, self.writer = path, None, None
        self.lock = asyncio.Lock()

    async def ask(self, do, **members):
        async with self.lock:
            for again in (True, False):
                try:
                    if not self.writer:
                        self.reader, self.writer = await asyncio.open_unix_connection(self.path)
                    self.writer.write(json.dumps({"do": do, **members}).encode() + b"\n")
                    line = await self.reader.readline()
                    if line:
                        break
                except OSError:
                    if not again:
                        raise
                self.writer = None               # it was restarted, perhaps
            else:
                raise OSError("the control socket was closed")
        answer = json.loads(line)
        if not answer["ok"]:
            raise OSError(f"{do}: {answer['error']}")
        return answer


class Asterisk:
    def __init__(self, url, app, login):
        self.url, self.app, self.login = url.rstrip("/"), app, login

    def events_url(self):
        query = urllib.parse.urlencode({"app": self.app, "subscribeAll": "true",
                                        "api_key": self.login})
        return f"ws{self.url[4:]}/ari/events?{query}"

    def request(self, method, path, **query):
        url = f"{self.url}/ari{path}?{urllib.parse.urlencode(query)}"
        basic = base64.b64encode(self.login.encode()).decode()
        request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None,
                                         headers={"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    async def ask(self, method, path, **query):
        return await asyncio.to_thread(self.request, method, path, **query)


class Tap:
    """One channel that is heard."""

    def __init__(self, asterisk, trunkscribe, channel):
        self.asterisk, self.trunkscribe, self.channel = asterisk, trunkscribe, channel
        self.name = re.sub(r"[^\w.-]", "_", channel["id"], flags=re.ASCII)[:48]
        self.legs, self.channels, self.bridges = [], [], []

    async def start(self):
        for side, role in SIDES:
            await self.side(side, role)

    async def side(self, side, role):
        caller = self.channel.get("caller", {}).get("number") or None
        callee = self.channel.get("dialplan", {}).get("exten") or None
        told = {k: v for k, v in (("from", caller), ("to", callee)) if v}
        leg = await self.trunkscribe.ask("leg.add", call=self.name, role=role, codec="PCMU",
                                         label=side, ids={"channel": self.channel["id"]}, **told)
        self.legs.append(leg["leg"])
        snoop, media, bridge = (f"{self.name}-{side}-{x}" for x in ("snoop", "media", "bridge"))
        ask, app = self.asterisk.ask, self.asterisk.app
        self.channels.append(snoop)
        await ask("POST", f"/channels/{urllib.parse.quote(self.channel['id'])}/snoop/{snoop}",
                  app=app, spy=side)
        self.channels.append(media)
        await ask("POST", "/channels/externalMedia", channelId=media, app=app, format="ulaw",
                  external_host=leg["address"])
        self.bridges.append(bridge)
        await ask("POST", f"/bridges/{bridge}", type="mixing")
        await ask("POST", f"/bridges/{bridge}/addChannel", channel=f"{snoop},{media}")

    async def end(self):
        """Whatever is left of it."""
        for path in [f"/channels/{c}" for c in self.channels] + \
                [f"/bridges/{b}" for b in self.bridges]:
            try:
                await self.asterisk.ask("DELETE", path)
            except (urllib.error.URLError, OSError):
                pass                             # the snoop has ended with its channel
        for leg in self.legs:
            try:
                await self.trunkscribe.ask("leg.end", leg=leg)
            except OSError as error:
                print(error, file=sys.stderr)


class Taps:
    def __init__(self, asterisk, trunkscribe):
        self.asterisk, self.trunkscribe, self.all = asterisk, trunkscribe, {}

    async def event(self, event):
        channel = event.get("channel") or {}
        kind, name = event.get("type"), channel.get("id")
        if kind == "ChannelUserevent" and event.get("eventname") == "Transcribe" \
                and name and name not in self.all:
            tap = self.all[name] = Tap(self.asterisk, self.trunkscribe, channel)
            try:
                await tap.start()
            except (urllib.error.URLError, OSError) as error:
                print(f"{name} is not heard: {error}", file=sys.stderr)
                await tap.end()
        elif kind == "ChannelDestroyed" and name in self.all:
            await self.all.pop(name).end()


async def listen(asterisk, taps):
    async with websockets.connect(asterisk.events_url(), max_size=None) as events:
        print("listening", flush=True)
        async for message in events:
            await taps.event(json.loads(message))


async def run(options):
    asterisk = Asterisk(options.ari, options.app,
                        pathlib.Path(options.login).read_text(encoding="utf-8").strip())
    taps = Taps(asterisk, Trunkscribe(options.control))
    while True:
        try:
            await listen(asterisk, taps)
        except (OSError, websockets.WebSocketException) as error:
            print(f"Asterisk: {type(error).__name__}", file=sys.stderr)
        for tap in list(taps.all.values()):      # their ends would be missed
            await tap.end()
        taps.all.clear()
        await asyncio.sleep(2)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ari", default="http://127.0.0.1:8088", help="Asterisk's REST interface")
    options.add_argument("--login", required=True, help="file with user:password of ari.conf")
    options.add_argument("--app", default="trunkscribe", help="name of the application")
    options.add_argument("--control", default="/run/trunkscribe/control.sock")
    try:
        asyncio.run(run(options.parse_args()))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
