"""Serving: everything in one process, or one part alone."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable

import click
import uvicorn

DRAIN_S = 5


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, or a clear sentence and exit 2."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        why = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror
        click.echo(f"jiying: cannot listen on {host}:{port}: {why}. Choose another with --port or JIYING_PORT.", err=True)
        sys.exit(2)
    sock.set_inheritable(True)
    return sock


def loops() -> list[Callable[[threading.Event], None]]:
    """What runs in the background: the watcher and the followers."""
    from jiying.orders import followers, watcher

    return [watcher.run, followers.run_all]


def _start(stop: threading.Event) -> list[threading.Thread]:
    threads = [threading.Thread(target=loop, args=(stop,), name=loop.__module__, daemon=True) for loop in loops()]
    for thread in threads:
        thread.start()
    return threads


def serve(host: str, port: int, *, web: bool, live: bool, work: bool) -> None:
    """Serve the wanted parts on one port until a signal; background loops stop first."""
    from django.conf import settings

    from jiying.config.asgi import Router

    sock = _listen(host, port)
    stop = threading.Event()
    threads = _start(stop) if work else []
    config = uvicorn.Config(
        Router(web=web, live=live),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=30,
        server_header=False,
        lifespan="on",
    )
    shown = f"[{host}]" if ":" in host else host
    hint = " - demo: sign in with one click at /sign-in" if settings.DEMO else ""
    click.echo(f"Jiying 即应: http://{shown}:{sock.getsockname()[1]}{hint}", err=True)
    try:
        uvicorn.Server(config).run(sockets=[sock])
    finally:
        stop.set()
        for thread in threads:
            thread.join(DRAIN_S)


def work() -> None:
    """Run the watcher and the followers alone until a signal."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    threads = _start(stop)
    click.echo("Jiying 即应: watcher and followers at work", err=True)
    stop.wait()
    for thread in threads:
        thread.join(DRAIN_S)
