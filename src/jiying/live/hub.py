"""From the event log to open pages: one reader a process, a bounded queue a page.

The event loop never waits for the database: reads run on a few threads.  A signal from this process wakes the
reader at once, as do those of others where something carries them (`core.signals`); else it finds what they wrote
within half a second.  Who listens is looked at again every half minute, and shown out when they are no longer who
they were: the browser comes back and is asked anew.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, close_old_connections, connection

from jiying.core import wake
from jiying.live.reading import BATCH, Item, Reader
from jiying.live.who import Credential, Viewer, identify_all
from jiying.orders import followers
from jiying.orders.followers import Position

log = logging.getLogger("jiying.live")

LOOK_EVERY_S = followers.LOOK_EVERY_S
SOON_S = 0.01
CHECK_EVERY_S = 30.0
QUEUE = 256
"""Frames that may wait for one page; who is further behind starts anew."""
MAX_CLIENTS = 10_000
MAX_EACH = 64
"""Open streams of one session, token or tracking link."""
THREADS = 4

P = ParamSpec("P")
T = TypeVar("T")


class Full(Exception):
    """Too many streams are open, in all or by this caller."""


class Client:
    """One open page.  `over` says why it ends, once it does."""

    __slots__ = ("checked", "credential", "over", "position", "queue", "stirred", "viewer")

    def __init__(self, credential: Credential, viewer: Viewer, position: Position) -> None:
        self.credential, self.viewer, self.position = credential, viewer, position
        self.queue: deque[bytes] = deque()
        self.stirred = asyncio.Event()
        self.checked = time.monotonic()
        self.over = ""

    def offer(self, item: Item) -> None:
        """Queue an event if this page is to hear of it and has not yet."""
        if item.position <= self.position or self.over:
            return
        self.position = item.position
        frame = self.viewer.frame_of(item)
        if frame is None:
            return
        if len(self.queue) >= QUEUE:
            self.queue.clear()
            self.end("slow")
            return
        self.queue.append(frame)
        self.stirred.set()

    def take(self) -> bytes:
        """All that waits, in one piece."""
        self.stirred.clear()
        waiting = b"".join(self.queue)
        self.queue.clear()
        return waiting

    def end(self, why: str) -> None:
        """End this stream: `slow`, `changed` (no longer who they were) or `left`."""
        self.over = self.over or why
        self.stirred.set()


class Hub:
    """All streams of one process and event loop."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.position: Position = (0, 0)
        self._each: Counter[Credential] = Counter()
        self._reader = Reader()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="live")
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a database read on one of the threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: _read(function, *args, **kwargs))

    async def join(self, credential: Credential, viewer: Viewer) -> Client:
        """A client that hears everything after `client.position`.

        Raises:
            Full: there are too many already.
        """
        async with self._starting:
            if len(self.clients) >= MAX_CLIENTS or self._each[credential] >= MAX_EACH:
                raise Full
            if self._task is None:
                self.position = await self.read(followers.end)
            # No waiting from here on: the reader ends by itself when it sees no client.
            client = Client(credential, viewer, self.position)
            self.clients.add(client)
            self._each[credential] += 1
            if self._task is None:
                self._task = asyncio.create_task(self._run())
            return client

    def leave(self, client: Client) -> None:
        """Forget a client."""
        if client in self.clients:
            self.clients.remove(client)
            self._each[client.credential] -= 1
            if not self._each[client.credential]:
                del self._each[client.credential]

    async def close(self) -> None:
        """End the reader and give the threads' connections back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        together = threading.Barrier(THREADS)
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, _hang_up, together) for _ in range(THREADS)))
        self._threads.shutdown()

    async def _run(self) -> None:
        pulse = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stir() -> None:
            # A writer's thread may still call while this loop is closing; nobody listens then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(pulse.set)

        deaf = wake.listen(stir)
        audit = asyncio.create_task(self._audit())
        pause = LOOK_EVERY_S
        try:
            while self.clients:
                stirred = pulse.is_set()
                pulse.clear()
                found = await self._look()
                pause = _pause(pause, stirred and connection.vendor == "postgresql")
                if found < BATCH:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await pulse.wait()
        finally:
            deaf()
            audit.cancel()
            self._task = None

    async def _look(self) -> int:
        """Read on and tell everybody; returns how many events there were."""
        try:
            items = await self.read(self._reader.after, self.position)
        except DatabaseError:
            # The database may be away for a moment; the cursor stays, so nothing is lost.
            log.exception("the stream cannot read; trying again")
            return 0
        for item in items:
            self.position = item.position
            for client in self.clients:
                client.offer(item)
            # A burst must not keep the loop from writing to those it has already reached.
            await asyncio.sleep(0)
        return len(items)

    async def _audit(self) -> None:
        """Look at everybody again, a part of them every few seconds."""
        pause = CHECK_EVERY_S / 6
        while True:
            await asyncio.sleep(pause)
            old = time.monotonic() - CHECK_EVERY_S + pause
            due = [client for client in self.clients if client.checked <= old]
            try:
                viewers = await self.read(identify_all, [client.credential for client in due]) if due else []
            except DatabaseError:
                log.exception("the stream cannot check who listens; trying again")
                continue
            for client, viewer in zip(due, viewers, strict=True):
                client.checked = time.monotonic()
                if viewer != client.viewer:
                    client.end("changed")


def _pause(before: float, stirred: bool) -> float:
    """Seconds until the next look, unless somebody calls.

    On PostgreSQL a transaction elsewhere may still hold back what the call was about (`followers.settled`), and may
    end without a call of its own.  So after a call the looks come close, and then further apart.

    >>> _pause(0.5, stirred=True), _pause(0.01, stirred=False), _pause(0.4, stirred=False)
    (0.01, 0.02, 0.5)
    """
    return SOON_S if stirred else min(before * 2, LOOK_EVERY_S)


def _read(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()
    return function(*args, **kwargs)


def _hang_up(together: threading.Barrier) -> None:
    """Close this thread's connection; the barrier makes sure that every thread gets one of these."""
    together.wait(5)
    connection.close()
