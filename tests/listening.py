"""A live stream under test: the real ASGI application on a loop of its own, spoken to from the test's thread."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from typing import Any

from django.test import Client

from jiying.live.asgi import Stream

PATIENCE_S = 20


class Conversation:
    """One request to the stream, and what comes back, frame by frame."""

    def __init__(self) -> None:
        self.frames: queue.Queue[dict[str, str]] = queue.Queue()
        self.answer: dict[str, Any] = {}
        self.answered, self.finished = threading.Event(), threading.Event()
        self.hold: asyncio.Event | None = None
        self._left = asyncio.Event()
        self._rest = b""

    async def run(self, app: Any, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.answered.set()
            self.finished.set()

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.answer = dict(message)
            self.answered.set()
            return
        if self.hold is not None:
            await self.hold.wait()
        self._rest += message.get("body", b"")
        *whole, self._rest = self._rest.split(b"\n\n")
        for text in whole:
            lines = [line.partition(": ") for line in text.decode().split("\n")]
            self.frames.put({name: value for name, _colon, value in lines})

    @property
    def status(self) -> int:
        assert self.answered.wait(PATIENCE_S)
        return int(self.answer["status"])

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document of a refusal."""
        assert self.finished.wait(PATIENCE_S)
        found: dict[str, Any] = json.loads(self._rest)
        return found

    def next(self, *kinds: str) -> dict[str, Any]:
        """The next event of the stream, which must be of one of `kinds` (`order`): its data, with `_id`."""
        while True:
            frame = self.frames.get(timeout=PATIENCE_S)
            if "event" in frame:
                assert frame["event"] in (kinds or ("order",)), frame
                return {**json.loads(frame["data"]), "_id": frame.get("id", "")}

    def silent(self) -> bool:
        """Whether nothing was told that has not been read."""
        return self.frames.empty()


class Listening:
    """The application on its own thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.stream = Stream()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._open: list[Conversation] = []

    def open(
        self, query: str = "", *, user: Any = None, path: str = "/live/events", method: str = "GET", hold: bool = False,
        ready: bool = True, **headers: str,
    ) -> Conversation:  # fmt: skip
        """Begin a request, as `user` by session if given; `hold` keeps the client from reading until let go."""
        given = {"host": "127.0.0.1:8030", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if user is not None:
            given["cookie"] = f"sessionid={session_of(user)}"
        scope = {
            "type": "http", "method": method, "path": path, "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }  # fmt: skip
        talk = Conversation()
        if hold:
            talk.hold = asyncio.Event()
        asyncio.run_coroutine_threadsafe(talk.run(self.stream, scope), self.loop)
        self._open.append(talk)
        if (
            ready
            and not hold
            and path == "/live/events"
            and talk.status == 200
            and not ("last_event_id" in query or "last-event-id" in given)
        ):
            talk.next("ready")
        return talk

    def say(self, function: Any, *args: Any) -> None:
        """Call something on the loop."""
        self.loop.call_soon_threadsafe(function, *args)

    def leave(self, talk: Conversation) -> None:
        """Break the connection off, and wait until the application has noticed."""
        self.say(talk._left.set)
        assert talk.finished.wait(PATIENCE_S)

    def close(self) -> None:
        for talk in self._open:
            if talk.hold is not None:
                self.say(talk.hold.set)
            self.leave(talk)
        asyncio.run_coroutine_threadsafe(self.stream.close(), self.loop).result(PATIENCE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()


def session_of(user: Any) -> str:
    """A session of `user`, as signing in makes one."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value
