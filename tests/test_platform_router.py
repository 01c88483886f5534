"""The one port: bodies that are slow, large, many or odd, and requests that go on meanwhile."""

from __future__ import annotations

import asyncio
import contextvars
import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import translation

from jiying.config.asgi import BODY_LIMIT, THREADS, UPLOAD_LIMIT, Bodies, Router
from jiying.config.bridge import Bridge


class Client:
    """One request to an ASGI application, message by message."""

    def __init__(self, app: Any, path: str = "/", body: list[bytes] | None = None, **scope: Any) -> None:
        self.app, self.pieces, self.sent = app, list(body or []), []
        headers = scope.pop("headers", [])
        if body is not None and not any(name == b"content-length" for name, _value in headers):
            headers = [*headers, (b"transfer-encoding", b"chunked")]
        self.scope = {
            "type": "http",
            "method": "POST" if body is not None else "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "http_version": "1.1",
            "headers": headers,
            **scope,
        }

    async def receive(self) -> dict[str, Any]:
        if not self.pieces:
            await asyncio.Event().wait()
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": piece != b"" or bool(self.pieces)}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def ask(self) -> tuple[int, dict[bytes, bytes], bytes]:
        await self.app(self.scope, self.receive, self.send)
        start, *bodies = self.sent
        return start["status"], dict(start["headers"]), b"".join(message["body"] for message in bodies)


def echo(environ: Any, start_response: Any) -> list[bytes]:
    """Answers with the body it got."""
    start_response("200 OK", [("X-Length", environ["CONTENT_LENGTH"])])
    return [environ["wsgi.input"].read()]


def router(app: Any = echo, **bodies: Any) -> Router:
    return Router(Bridge(app, 2), None, Bodies(**bodies))


def ask(*args: Any, **scope: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    return asyncio.run(Client(*args, **scope).ask())


def test_a_body_in_pieces_arrives_whole():
    status, headers, body = ask(router(), body=[b"ab", b"cd", b""])
    assert len(headers.pop(b"x-request-id")) == 32
    assert (status, headers, body) == (200, {b"x-length": b"4", b"content-length": b"4"}, b"abcd")


def test_a_body_that_never_ends_is_refused_at_the_deadline_in_the_askers_language():
    status, headers, body = ask(router(deadline_s=0.05), body=[b"x"])
    assert (status, headers[b"content-type"]) == (408, b"application/problem+json")
    problem = json.loads(body)
    assert (problem["code"], problem["title"], problem["status"]) == ("too_slow", "传得太慢", 408)
    assert "太慢" in json.loads(body)["detail"]
    english = ask(router(deadline_s=0.05), body=[b"x"], headers=[(b"accept-language", b"en-GB")])
    assert "too long" in json.loads(english[2])["detail"]


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/sign-in", BODY_LIMIT),
        ("/api/v1/orders", BODY_LIMIT),
        ("/worker/orders/x/arrive", BODY_LIMIT),
        ("/api/v1/orders/x/attachments", UPLOAD_LIMIT),
        ("/report", UPLOAD_LIMIT),
        ("/t/x/photos", UPLOAD_LIMIT),
        ("/worker/orders/x/done", UPLOAD_LIMIT),
    ],
)
def test_a_body_is_taken_to_its_limit_and_not_a_byte_beyond(path, limit):
    assert ask(router(), path, body=[b"x" * limit, b""])[0] == 200
    status, _headers, body = ask(router(), path, body=[b"x" * limit, b"x", b""])
    assert (status, json.loads(body)["code"]) == (413, "too_large")


def test_a_client_that_waits_for_leave_is_refused_before_it_sends():
    headers = [(b"content-length", str(BODY_LIMIT + 1).encode()), (b"expect", b"100-continue")]
    assert ask(router(), body=[], headers=headers)[0] == 413


def test_what_is_held_has_a_limit_and_is_given_back():
    async def three() -> list[int]:
        app = router(held_limit=1000, deadline_s=0.1)
        waiting = Client(app, body=[b"x" * 800])
        first = asyncio.create_task(waiting.ask())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = await Client(app, body=[b"x" * 800, b""]).ask()
        third = await first
        fourth = await Client(app, body=[b"x" * 800, b""]).ask()
        return [second[0], third[0], fourth[0]]

    assert asyncio.run(three()) == [503, 408, 200]


def test_slow_uploads_leave_room_for_reports():
    async def crowd() -> list[int]:
        app = router(held_limit=1000, upload_deadline_s=0.2)
        slow = asyncio.create_task(Client(app, "/t/x/photos", body=[b"x" * 700]).ask())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        upload = await Client(app, "/t/y/photos", body=[b"x" * 100, b""]).ask()
        report = await Client(app, "/api/v1/orders", body=[b"x" * 200, b""]).ask()
        return [upload[0], report[0], (await slow)[0]]

    assert asyncio.run(crowd()) == [503, 200, 408]


def test_health_needs_neither_django_nor_a_database():
    assert ask(Router(None, None), "/healthz")[::2] == (200, b'{"status":"ok"}')


def test_a_part_that_is_not_served_here_is_not_found():
    assert ask(Router(None, None), "/report")[0] == 404


def test_bytes_beyond_ascii_reach_the_application_as_they_came():
    seen: dict[str, Any] = {}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    ask(router(app), "/", raw_path=b"/%E6%B0%B4%ff", query_string=b"q=\xe6\xb0\xff")
    assert seen["PATH_INFO"].encode("latin1") == "/水".encode() + b"\xff"
    assert seen["QUERY_STRING"].encode("latin1") == b"q=\xe6\xb0\xff"


def test_a_header_with_an_underscore_cannot_pass_for_one_with_a_hyphen():
    seen: dict[str, Any] = {}

    def app(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    headers = [
        (b"x_forwarded_for", b"1.2.3.4"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x-a", b"1"),
        (b"x-a", b"2"),
    ]
    ask(router(app), headers=headers)
    assert "HTTP_X_FORWARDED_FOR" not in seen
    assert seen["HTTP_COOKIE"] == "a=1; b=2"
    assert seen["HTTP_X_A"] == "1,2"


def test_the_language_of_one_request_is_gone_in_the_next():
    def app(environ: Any, start_response: Any) -> list[bytes]:
        before = translation.get_language()
        translation.activate("en")
        start_response("200 OK", [])
        return [before.encode()]

    async def two() -> list[bytes]:
        one = Router(Bridge(app, 1), None)
        return [(await Client(one).ask())[2] for _ in range(2)]

    assert contextvars.copy_context().run(asyncio.run, two()) == [b"zh-hans", b"zh-hans"]


def test_a_failure_outside_django_is_an_answer_and_the_next_request_goes_on(caplog):
    failing = iter([True, False])

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if next(failing):
            raise RuntimeError("broken")
        return echo(environ, start_response)

    async def two() -> list[int]:
        one = router(app)
        return [(await Client(one).ask())[0] for _ in range(2)]

    assert asyncio.run(two()) == [500, 200]
    assert "broken" in caplog.text


def _drip(url: str) -> socket.socket:
    """A connection whose body has begun and does not end."""
    parts = urlsplit(url)
    slow = socket.create_connection((parts.hostname, parts.port), timeout=10)
    slow.sendall(b"POST /report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nx")
    return slow


def test_slow_bodies_freeze_nobody_else(serve):
    served = serve()
    slow = [_drip(served.url) for _ in range(THREADS * 4)]
    try:
        assert all(served.get("/readyz")[0] == 200 for _ in range(5))
    finally:
        for one in slow:
            one.close()


def test_a_client_that_sends_too_much_reads_why(serve):
    served = serve()
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("POST", "/api/v1/orders", body=b"x" * (BODY_LIMIT * 3))
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")
    connection.close()


def test_slow_readers_freeze_nobody_else(serve):
    """A whole answer leaves its thread at once, even when nobody reads it."""
    served = serve(JIYING_DEMO="1")
    parts = urlsplit(served.url)
    idle = []
    for _ in range(THREADS * 2):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect((parts.hostname, parts.port))
        reader.sendall(b"GET /styleguide HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        idle.append(reader)
    try:
        assert served.get("/readyz")[0] == 200
    finally:
        for reader in idle:
            reader.close()
