"""GET /live/events: the stream as an ASGI application of its own, beside Django.

A client brings its session cookie, a bearer token or `?track=TOKEN`.  It is told `ready` at once, then `order`
for every event it may see, `gone` for an order that left its sight, and `reset` when it has missed too much and
should load its lists anew.  `Last-Event-ID`, as a header or `?last_event_id=`, goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.db import DatabaseError
from django.http.request import split_domain_port, validate_host
from django.utils import translation
from django.utils.translation import gettext as _

from jiying.live.frames import RETRY, frame, heartbeat, position_of
from jiying.live.hub import Client, Full, Hub
from jiying.live.reading import between
from jiying.live.who import Credential, identify
from jiying.orders.followers import Position

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HEARTBEAT_S = 15.0
SEND_S = 20.0
"""How long a client may take to read what was sent; then it is gone."""
REPLAYED = 1_000
"""Events that are told again to who comes back; beyond that it is told to load anew."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Request:
    """What the stream needs of a request."""

    def __init__(self, scope: Scope) -> None:
        self.path, self.method = str(scope["path"]), str(scope["method"])
        self.headers: dict[str, str] = {
            name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]
        }
        query = parse_qs(scope["query_string"].decode("latin1"), max_num_fields=20)
        self.query = {name: values[-1] for name, values in query.items()}
        self.cookies = _cookies(self.headers.get("cookie", ""))

    @property
    def credential(self) -> Credential | None:
        """What they identify themselves with; a tracking page is one even for who is signed in."""
        if track := self.query.get("track"):
            return Credential("track", track)
        scheme, _space, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return Credential("bearer", token.strip())
        session = self.cookies.get(settings.SESSION_COOKIE_NAME)
        return Credential("session", session) if session else None

    @property
    def last(self) -> str:
        """The last event they had."""
        return self.headers.get("last-event-id") or self.query.get("last_event_id", "")

    @property
    def language(self) -> str:
        """As pages have it; for programs, as `Accept-Language` begins."""
        chosen = self.query.get("lang") or self.cookies.get("jiying_lang")
        accepted = self.headers.get("accept-language", "")[:2].lower()
        return "en" if chosen == "en" or (not chosen and accepted == "en") else "zh-hans"

    @property
    def host_is_ours(self) -> bool:
        """Whether they asked for one of our names, so that no other name leads a browser here."""
        host, _port = split_domain_port(self.headers.get("host", ""))
        return validate_host(host, settings.ALLOWED_HOSTS)


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


class Stream:
    """The application.  One hub, made when the first client comes."""

    def __init__(self) -> None:
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        """The hub of this process."""
        if self._hub is None:
            self._hub = Hub()
        return self._hub

    async def close(self) -> None:
        """End the hub, if there is one."""
        if self._hub is not None:
            await self._hub.close()
            self._hub = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = Request(scope)
        except ValueError:
            await _refuse(send, 400, "bad_request", "zh-hans")
            return
        if refusal := _refusal(request):
            await _refuse(send, *refusal, request.language)
            return
        assert request.credential is not None, "refused above"
        try:
            viewer = await self.hub.read(identify, request.credential)
            client = await self.hub.join(request.credential, viewer) if viewer else None
        except (Full, DatabaseError):
            await _refuse(send, 503, "busy", request.language)
            return
        if client is None:
            await _refuse(send, 401, "sign_in_required", request.language)
            return
        gone = asyncio.create_task(_until_gone(receive, client))
        try:
            # Whoever does not read within the deadline, or broke off, has gone; there is nobody to tell.
            with suppress(TimeoutError, OSError):
                await self._tell(client, request.last, send)
        finally:
            self.hub.leave(client)
            gone.cancel()

    async def _tell(self, client: Client, last: str, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        missed, mark = await self._missed(client, last)
        # The id on `ready` is a position without news: who breaks off before the first event comes back to here.
        await _write(send, RETRY + missed + frame("ready", {}, mark))
        while not client.over:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await client.stirred.wait()
            await _write(send, client.take() or heartbeat(client.position))
        if client.over != "left":
            parting = frame("reset", {"reason": "slow"}, client.position) if client.over == "slow" else b""
            await _write(send, parting, more=False)

    async def _missed(self, client: Client, last: str) -> tuple[bytes, Position]:
        """What happened since they were here, or that it was too much to tell; and where they stand after it."""
        start = client.position
        if not last:
            return b"", start
        position, items = position_of(last), None
        if position is not None:
            # Another process may have told them more than this one has read yet: that is not told again.
            client.position = mark = max(start, position)
            with suppress(DatabaseError):
                items = await self.hub.read(between, position, start, REPLAYED)
        if items is None or position is None:
            client.position = start
            return frame("reset", {"reason": "too_far"}), start
        return b"".join(told for item in items if (told := client.viewer.frame_of(item))), mark


async def _until_gone(receive: Receive, client: Client) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client.end("left")


async def _write(send: Send, chunk: bytes, *, more: bool = True) -> None:
    async with asyncio.timeout(SEND_S):
        await send({"type": "http.response.body", "body": chunk, "more_body": more})


def _refusal(request: Request) -> tuple[int, str] | None:
    if not request.host_is_ours:
        return 400, "bad_request"
    if request.path != "/live/events":
        return 404, "not_found"
    if request.method != "GET":
        return 405, "method_not_allowed"
    if request.credential is None:
        return 401, "sign_in_required"
    return None


def _said(code: str) -> tuple[str, str]:
    """Title and detail of a refusal, in the active language."""
    return {
        "bad_request": (_("请求读不懂"), _("这个地址不是这样问的，请核对。")),
        "not_found": (_("没有找到"), _("这里没有东西，请核对地址。")),
        "method_not_allowed": (_("这个地址不接受这种方法"), _("实时更新只能用 GET 读取。")),
        "sign_in_required": (_("需要登录"), _("请先登录，或带上有效的令牌或跟踪链接。")),
        "busy": (_("正忙"), _("现在连接的人太多，请稍后再试；页面仍可手动刷新。")),
    }[code]


async def _refuse(send: Send, status: int, code: str, language: str) -> None:
    with translation.override(language):
        title, detail = _said(code)
    problem = {
        "type": f"/api/v1/docs#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
    }
    body = json.dumps(problem, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    more = {401: (b"www-authenticate", b'Bearer realm="jiying"'), 405: (b"allow", b"GET"), 503: (b"retry-after", b"5")}
    headers += [more[status]] if status in more else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = Stream()
