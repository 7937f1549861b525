# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks that behaves as the path of each request says, well or badly; it keeps what it was sent.

/ok                200 {"ok": true}
/status/N          N; with ?after=X a Retry-After of X
/flaky/KEY/N       503 for the first N requests with this KEY, then 200
/slow/MS           200 after this time
/reset             the connection is reset as soon as the request is read
/close             closed without a word
/early             half of what Content-Length says, then closed
/lie               less than Content-Length says, and nothing more
/redirect?to=URL   302 to it
/body              an endless body
/head              endless headers
/drip              200, then one byte a second
/echo              200, the body of the request as the body
"""
import asyncio
import collections
import contextlib
import json
import socket
import struct
import threading
import urllib.parse

Request = collections.namedtuple("Request", "method path query headers body")


class Receiver:
    """Serves on a free port of `host` in a thread of its own, until close()."""

    def __init__(self, host="127.0.0.1", tls=None, keep=True):
        self.host, self.tls, self.keep = host, tls, keep
        self.requests = []
        self.by_key = collections.Counter()   # idempotency keys
        self.seen = collections.Counter()     # of /flaky
        self.open_now = self.open_max = 0
        self.loop = asyncio.new_event_loop()
        self.tasks = set()
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, self.host, 0, backlog=4096, ssl=self.tls))
        self.port = self.server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        self.server.close()
        for task in self.tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*self.tasks, return_exceptions=True))
        self.loop.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def url(self, path, scheme="http"):
        return f"{scheme}://{self.host}:{self.port}{path}"

    def paths(self):
        return [request.path for request in self.requests]

    async def serve(self, reader, writer):
        writer.reader = reader
        self.open_now += 1
        self.open_max = max(self.open_max, self.open_now)
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            while await self.one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            self.open_now -= 1
            writer.close()

    async def one(self, reader, writer):
        """Serve one request; False: the connection is done."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, value in
                   (line.split(":", 1) for line in head[1:] if ":" in line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        split = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(split.query))
        if self.keep:
            self.requests.append(Request(method, split.path, query, headers, body))
        self.by_key[headers.get("idempotency-key")] += 1
        words = split.path.strip("/").split("/")
        return await getattr(self, "do_" + words[0])(words[1:], query, body, writer) is not False

    @staticmethod
    async def answer(writer, status, body=b'{"ok": true}', **headers):
        lines = [f"HTTP/1.1 {status} Test", f"Content-Length: {len(body)}", "Content-Type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    async def do_ok(self, words, query, body, writer):
        await self.answer(writer, 200)

    async def do_echo(self, words, query, body, writer):
        await self.answer(writer, 200, body)

    async def do_status(self, words, query, body, writer):
        more = {"Retry_After": query["after"]} if "after" in query else {}
        await self.answer(writer, int(words[0]), json.dumps({"status": int(words[0])}).encode(), **more)

    async def do_flaky(self, words, query, body, writer):
        self.seen[words[0]] += 1
        await self.answer(writer, 503 if self.seen[words[0]] <= int(words[1]) else 200)

    async def do_slow(self, words, query, body, writer):
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(writer.reader.read(1), int(words[0]) / 1000)
            return False  # the other side has gone
        await self.answer(writer, 200)

    async def do_redirect(self, words, query, body, writer):
        await self.answer(writer, 302, Location=query["to"])

    async def do_reset(self, words, query, body, writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    async def do_close(self, words, query, body, writer):
        return False

    async def do_early(self, words, query, body, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789")
        await writer.drain()
        return False

    async def do_lie(self, words, query, body, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello")
        await writer.drain()
        await asyncio.sleep(600)

    async def do_body(self, words, query, body, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 16384)
            await writer.drain()

    async def do_head(self, words, query, body, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Endless: " + b"y" * 1000 + b"\r\n")
            await writer.drain()

    async def do_drip(self, words, query, body, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
        while True:
            writer.write(b"z")
            await writer.drain()
            await asyncio.sleep(1)
