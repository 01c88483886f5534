"""From the event loop to Django: one request, already whole, on one of a few threads; one answer, whole as well.

Neither a client that sends slowly nor one that reads slowly holds a thread: the body is here before a thread
is taken, and the thread is free before the first byte of the answer leaves.  Answers are therefore never
streamed; what may be large belongs in a file that the web server in front sends.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

Environ = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

log = logging.getLogger("jiying.serve")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: Headers
    body: bytes


class Bridge:
    """Calls a WSGI application on `threads` threads; further requests wait their turn in the order they came."""

    def __init__(self, app: WsgiApp, threads: int) -> None:
        self.app = app
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="web")

    async def __call__(self, scope: Any, body: bytes) -> Answer:
        # A context of its own, so that a language or time zone set for one request is not there in the next.
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, context.run, self._call, environ(scope, body))

    def _call(self, env: Environ) -> Answer:
        started: list[Any] = []
        chunks: list[bytes] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> Callable[[bytes], None]:
            started[:] = [status, headers]
            return chunks.append

        try:
            answer = self.app(env, start_response)
            try:
                chunks.extend(answer)
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
        except Exception:
            # Django answers its own failures; this is one of Django's.  The others go on.
            log.exception("a request failed outside Django")
            return Answer(500, [(b"content-type", b"text/plain"), (b"content-length", b"0")], b"")
        status, headers = started
        body = b"".join(chunks)
        sent = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers]
        if not any(name == b"content-length" for name, _value in sent):
            sent.append((b"content-length", str(len(body)).encode()))
        return Answer(int(status[:3]), sent, body)


def environ(scope: Any, body: bytes) -> Environ:
    """The WSGI environment (PEP 3333: text is latin-1 of the bytes on the wire) of an ASGI scope and its whole body.

    Header names with an underscore are dropped: they would pass for those with a hyphen.
    """
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    env: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or ""),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0] if client else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name or name in (b"content-length", b"transfer-encoding"):
            continue
        key = name.decode("latin1").upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin1")
        if key in env:
            text = f"{env[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        env[key] = text
    return env
