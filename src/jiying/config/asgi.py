"""One port: `/live/` goes to the stream, everything else to Django on a few threads.

A request's body is read whole, to a limit and before a deadline, before a thread is given to it: a body
that drips in at one byte a second costs a coroutine, not a thread.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from a2wsgi import WSGIMiddleware

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT = 1024 * 1024
UPLOAD_LIMIT = 20 * 1024 * 1024
BODY_DEADLINE_S = 10.0
THREADS = 6

_PROBLEMS = {
    408: ("too_slow", "请求传得太慢，没有收完；请换个网络再试。", "The request took too long to arrive; try again."),
    413: ("too_large", "内容太大了，没有收下。", "The request is too large and was not taken."),
}


def _limit(scope: Scope) -> int:
    path = scope["path"]
    return UPLOAD_LIMIT if path.startswith("/api/v1/orders/") and path.endswith("/attachments") else BODY_LIMIT


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _Gone(Exception):
    """The client went away before its body was complete."""


async def _body(scope: Scope, receive: Receive) -> bytes:
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"")
    if not declared and b"transfer-encoding" not in headers:
        return b""
    limit = _limit(scope)
    if declared.isdigit() and int(declared) > limit:
        raise _Refused(413)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _Refused(413)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


class Buffered:
    """Hands `app` requests whose body has arrived; answers the others itself."""

    def __init__(self, app: App, deadline_s: float = BODY_DEADLINE_S) -> None:
        self.app, self.deadline_s = app, deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.deadline_s):
                body = await _body(scope, receive)
        except TimeoutError:
            await _problem(scope, send, 408)
            return
        except _Refused as refused:
            await _problem(scope, send, refused.status)
            return
        except _Gone:
            return
        handed = False

        async def ready() -> MutableMapping[str, Any]:
            nonlocal handed
            if handed:
                return await receive()
            handed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, ready, send)


async def _problem(scope: Scope, send: Send, status: int) -> None:
    code, zh, en = _PROBLEMS[status]
    languages = dict(scope["headers"]).get(b"accept-language", b"").lower()
    detail = en if languages.startswith(b"en") else zh
    problem = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code, "errors": []}
    await _answer(
        send, status, json.dumps(problem, ensure_ascii=False).encode(), b"application/problem+json", close=True
    )


async def _answer(send: Send, status: int, body: bytes, kind: bytes, *, close: bool = False) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Router:
    """The parts that one process serves; a part that is absent is not found here."""

    def __init__(self, *, web: bool = True, live: bool = True, deadline_s: float = BODY_DEADLINE_S) -> None:
        self.web = self.live = None
        if web:
            from jiying.config.wsgi import application

            self.web = Buffered(WSGIMiddleware(application, workers=THREADS), deadline_s)  # type: ignore[arg-type]
        if live:
            from jiying.live.asgi import application as stream

            self.live = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == "/healthz":
            await _answer(send, 200, b'{"status":"ok"}', b"application/json")
        elif path.startswith("/live/") and self.live is not None:
            await self.live(scope, receive, send)
        elif self.web is not None:
            await self.web(scope, receive, send)
        else:
            await _answer(send, 404, b'{"status":"not here"}', b"application/json")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
