"""One port: `/live/` goes to the stream, everything else to Django on a few threads.

A request's body is read whole, to a limit and before a deadline, before a thread is given to it: a body
that drips in at one byte a second costs a coroutine, not a thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from jiying.config.bridge import Answer, Bridge
from jiying.config.logs import HEADER, method_of, request_id

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("jiying.request")

BODY_LIMIT = 1024 * 1024
UPLOAD_LIMIT = 20 * 1024 * 1024
BODY_DEADLINE_S = 10.0
UPLOAD_DEADLINE_S = 60.0
"""A photo from a basement: 20 MB in a minute, a shrunk one of 1 MB at the speed of an old telephone."""
HELD_LIMIT = 128 * 1024 * 1024
"""Bytes of bodies in this process, arriving or waiting for their answer; beyond it, come again later."""
HELD_UPLOADS = 0.75
"""The part of it that uploads may take: however many come slowly, reports and verbs still get in."""
UPLOADS = re.compile(
    r"/api/v1/orders/[^/]+/attachments|/report|/t/[^/]+/photos"
    r"|/worker/orders/[^/]+/(photos|done|pause)|/desk/orders/[^/]+/photos|/ledgers/import"
)
"""Where photos and ledgers are sent, by a program or with a plain form."""
THREADS = 8

#: By status: the code, then title and detail in Chinese and in English.
_PROBLEMS = {
    408: (
        "too_slow",
        ("传得太慢", "请求传得太慢，没有收完；请换个网络再试。"),
        ("Too slow", "The request took too long to arrive; try again."),
    ),
    413: (
        "too_large",
        ("太大", "太大了（照片和表格一次不超过 20 MB），没有收下。"),
        ("Too large", "Too large (photos and tables: 20 MB at a time); not taken."),
    ),
    503: (
        "busy",
        ("正忙", "现在提交的人太多，没有收下；请稍后再试。"),
        ("Busy", "Too many requests at once; try again in a moment."),
    ),
}


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _Gone(Exception):
    """The client went away before its body was complete."""


class Bodies:
    """Reads bodies whole, and knows how much it holds."""

    def __init__(
        self,
        deadline_s: float = BODY_DEADLINE_S,
        held_limit: int = HELD_LIMIT,
        upload_deadline_s: float = UPLOAD_DEADLINE_S,
    ) -> None:
        self.deadline_s, self.upload_deadline_s = deadline_s, upload_deadline_s
        self.held_limit, self.held = held_limit, 0

    @asynccontextmanager
    async def whole(self, scope: Scope, receive: Receive) -> AsyncIterator[bytes]:
        """The whole body, held (and counted) until the request is answered.

        Raises:
            _Refused: too large (413), too slow (408), or too much is held already (503).
            _Gone: the client went away.
        """
        body = await self._read(scope, receive)
        try:
            yield body
        finally:
            self.held -= len(body)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"")
        if not declared and b"transfer-encoding" not in headers:
            return b""
        upload = UPLOADS.fullmatch(scope["path"]) is not None
        limit = UPLOAD_LIMIT if upload else BODY_LIMIT
        too_large = declared.isdigit() and int(declared) > limit
        if too_large and b"expect" in headers:
            raise _Refused(413)
        try:
            async with asyncio.timeout(self.upload_deadline_s if upload else self.deadline_s):
                room = int(self.held_limit * HELD_UPLOADS) if upload else self.held_limit
                return await self._collect(receive, 0 if too_large else limit, room)
        except TimeoutError:
            raise _Refused(413 if too_large else 408) from None

    async def _collect(self, receive: Receive, limit: int, room: int) -> bytes:
        """What arrives, to `limit` bytes, while not more than `room` are held in all.

        What is too large is read to its end and thrown away: a client that is answered while it still sends would
        see a broken connection instead of the answer.
        """
        chunks: list[bytes] = []
        size, whole = 0, False
        try:
            while not whole:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                whole = not message.get("more_body")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limit:
                    continue
                if self.held + len(chunk) > room:
                    raise _Refused(503)
                chunks.append(chunk)
                self.held += len(chunk)
            if size > limit:
                raise _Refused(413)
        except BaseException:
            self.held -= sum(map(len, chunks))
            raise
        return b"".join(chunks)


def _problem(scope: Scope, status: int) -> Answer:
    code, zh, en = _PROBLEMS[status]
    headers = dict(scope["headers"])
    english = headers.get(b"accept-language", b"").lower().startswith(b"en") or b"lang=en" in scope["query_string"]
    title, detail = en if english else zh
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
    }
    answer = _json(status, problem, b"application/problem+json")
    answer.headers.append((b"connection", b"close"))
    if status == 503:
        answer.headers.append((b"retry-after", b"5"))
    return answer


def _json(status: int, body: dict[str, Any], kind: bytes = b"application/json") -> Answer:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, [(b"content-type", kind), (b"content-length", str(len(text)).encode())], text)


_HEALTHY = _json(200, {"status": "ok"})
_NOT_HERE = _json(404, {"status": "not served by this process"})


def _numbered(scope: Scope, send: Send) -> Send:
    """`send` with an `X-Request-ID` in every answer; Django's answers come with theirs."""
    given = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin1")
    number = request_id(given)
    scope.setdefault("state", {})["request_id"] = number

    async def numbered(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            name = HEADER.lower().encode()
            if all(header[0] != name for header in message["headers"]):
                message["headers"] = [*message["headers"], (name, number.encode())]
        await send(message)

    return numbered


async def _send(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


class Router:
    """The parts that one process serves, `web` (WSGI, on threads) and `live` (ASGI); the others are not found."""

    def __init__(self, web: Bridge | None, live: App | None, bodies: Bodies | None = None) -> None:
        self.web, self.live, self.bodies = web, live, bodies or Bodies()
        self._streams: set[asyncio.Future[None]] = set()
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            send = _numbered(scope, send)
            if scope["path"] == "/healthz":
                await _send(send, _HEALTHY)
            elif scope["path"].startswith("/live/") and self.live is not None:
                await self._stream(self.live(scope, receive, send), send)
            elif self.web is not None:
                await self._ask(self.web, scope, receive, send)
            else:
                await _send(send, _NOT_HERE)

    def end_streams(self) -> None:
        """End all streams properly: they would otherwise keep the process from stopping."""
        self._ending = True
        for stream in self._streams:
            stream.cancel()

    async def _stream(self, running: Awaitable[None], send: Send) -> None:
        stream = asyncio.ensure_future(running)
        self._streams.add(stream)
        try:
            await stream
        except asyncio.CancelledError:
            if not self._ending:
                raise
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.discard(stream)

    async def _ask(self, web: Bridge, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self.bodies.whole(scope, receive) as body:
                answer = await web(scope, body)
        except _Refused as refused:
            answer = _problem(scope, refused.status)
            facts = {"request": scope["state"]["request_id"], "method": method_of(scope["method"])}
            log.info("refused before it was read", extra={"facts": facts | {"status": refused.status}})
        except _Gone:
            return
        await _send(send, answer)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def router(*, web: bool, live: bool) -> Router:
    """The router of this installation, with the parts wanted."""
    bridge: Bridge | None = None
    stream: App | None = None
    if web:
        from jiying.config.wsgi import application

        bridge = Bridge(application, THREADS)
    if live:
        from jiying.live.asgi import application as stream
    return Router(bridge, stream)
