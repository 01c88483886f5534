"""Serving: everything in one process, or one part alone."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

import click
import uvicorn

from jiying.config.asgi import Router, router
from jiying.config.home import NOT_FINISHED
from jiying.core import garbage

GIVE_WAY_S = 0.001
"""How soon a thread that computes lets another go on: a request that waits for a loop of the background at each of its
questions to the database would else wait five milliseconds each time."""

DRAIN_S = 5
"""Seconds that open requests and the background loops have to finish in."""


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, or a clear sentence and exit 2."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(2048)
    except OSError as error:
        why = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror
        click.echo(f"jiying: cannot listen on {host}:{port}: {why}; choose another port with JIYING_PORT.", err=True)
        sys.exit(2)
    return sock


def _only_where_whole() -> None:
    """A sentence and exit 2 in a home that is only half restored."""
    from django.conf import settings

    if (settings.HOME / NOT_FINISHED).exists():
        click.echo(f"jiying: `jiying restore` has begun in {settings.HOME} and not ended: run it again.", err=True)
        sys.exit(2)


def loops() -> tuple[Callable[[threading.Event], None], ...]:
    """What goes on in the background, each until the event is set: watcher, followers, the dispatcher, its second look
    and its worlds, jobs, the outbox.
    """
    from jiying.dispatch import improving, keeping
    from jiying.dispatch import loop as dispatcher
    from jiying.exchange import jobs
    from jiying.notices import sending
    from jiying.orders import followers, watcher

    return (
        *(watcher.run, watcher.keep_tidy, followers.run_all),
        *(dispatcher.run, improving.run, keeping.run, jobs.run, jobs.run_slow, sending.run),
    )


def _start(stop: threading.Event) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=loop, args=(stop,), name=f"{loop.__module__}.{loop.__name__}", daemon=True)
        for loop in loops()
    ]
    for thread in threads:
        thread.start()
    return threads


def _drain(threads: list[threading.Thread]) -> None:
    """Give the loops `DRAIN_S`, all together, to come to their end: what they do is written or it is not."""
    until = time.monotonic() + DRAIN_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _settle(*, web: bool) -> None:
    """Load what requests need; all of it stays."""
    from django.urls import get_resolver

    from jiying.rules import packs

    sys.setswitchinterval(GIVE_WAY_S)

    if web:
        _ = get_resolver().url_patterns
    packs.in_use()
    garbage.settle()


def _stop_on_signals() -> threading.Event:
    """An event set by SIGTERM and SIGINT; uvicorn passes them on when it has drained."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        # On a thread of its own: the signal may find this one inside `stop.wait`, with the lock that `set` wants.
        signal.signal(name, lambda *_: threading.Thread(target=stop.set, daemon=True).start())
    return stop


class _Server(uvicorn.Server):
    """Ends the streams first: they never end by themselves."""

    def __init__(self, config: uvicorn.Config, application: Router) -> None:
        super().__init__(config)
        self.application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.application.end_streams()
        await super().shutdown(sockets)


def serve(*, web: bool, live: bool, work: bool) -> None:
    """Serve the wanted parts until a signal; open requests finish first, then the background loops."""
    from django.conf import settings

    from jiying.core import signals

    _only_where_whole()
    sock = _listen(settings.HOST, settings.PORT)
    stop = _stop_on_signals()
    application = router(web=web, live=live)
    config = uvicorn.Config(
        application,
        log_level="warning",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=30,
        server_header=False,
        # Without a web server in front, that header is only what a visitor claims to be.
        proxy_headers=bool(settings.PUBLIC_NAMES),
        lifespan="on",
    )
    _settle(web=web)
    signals.start(stop, writes=web or work, follows=live or work)
    threads = _start(stop) if work else []
    click.echo(f"Jiying 即应: {_address(sock)}{_hint(settings.DEMO)}", err=True)
    try:
        _Server(config, application).run(sockets=[sock])
    finally:
        stop.set()
        _drain(threads)


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _hint(demo: bool) -> str:
    return " - a demo: sign in with one click at /sign-in" if demo else " - sign in at /sign-in"


def work() -> None:
    """Run the watcher, the followers, the dispatcher and the jobs alone until a signal."""
    from jiying.core import signals

    _only_where_whole()
    stop = _stop_on_signals()
    _settle(web=False)
    signals.start(stop, writes=True, follows=True)
    threads = _start(stop)
    click.echo("Jiying 即应: watcher, followers, dispatcher and jobs at work", err=True)
    stop.wait()
    _drain(threads)
