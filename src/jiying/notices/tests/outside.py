"""The world outside: a mail server, and gateways that behave as they are told, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from aiosmtpd.controller import Controller
from django.test import override_settings

from jiying.notices import setup as setting_up


@dataclass
class Gateway:
    """An HTTP server: `got` holds (headers, body) of each POST; `answer` says what to do with the next."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    location: str = ""
    hang: bool = False
    on_post: Callable[[], None] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """What was posted, read as JSON."""
        return [json.loads(body) for _headers, body in self.got]

    @property
    def keys(self) -> list[str]:
        """The message ids, as a gateway that drops what it has had sees them."""
        return [headers["Idempotency-Key"] for headers, _body in self.got]


@contextmanager
def gateway() -> Iterator[Gateway]:
    """A gateway on a free port; one that hangs is let go at the end."""
    known = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.got.append((dict(self.headers), body))
            if known.on_post:
                known.on_post()
            if known.hang:
                known.over.wait(30)
                return
            self.send_response(known.status)
            if known.location:
                self.send_header("Location", known.location)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}/send"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield known
    finally:
        known.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What a mail server took: (recipients, the mail as text)."""

    got: list[tuple[list[str], str]] = field(default_factory=list)
    refuse: str = ""

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        self.got.append((envelope.rcpt_tos, envelope.content.decode("utf-8", "replace")))
        return "250 taken"


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    """A real SMTP server on `port`."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@contextmanager
def set_up(**channels: Any) -> Iterator[None]:
    """`notices.yaml` with these channels, in a home of its own: tests run side by side."""
    with TemporaryDirectory() as home, override_settings(DEMO=False, HOME=Path(home)):
        said = {"public_url": "https://jiying.example", **channels}
        (Path(home) / setting_up.FILE).write_text(yaml.safe_dump(said), "utf-8")
        yield


def sms(url: str, **more: Any) -> dict[str, Any]:
    """The setting of a gateway at `url`."""
    return {"url": url, "body": {"to": "{phone}", "say": "{text}", "callback": "{callback}"}, "timeout_s": 1, **more}
