"""What a signal travels on between processes: PostgreSQL's LISTEN and NOTIFY, or a Redis channel.

A wire is one connection, used by one thread.  Whatever goes wrong on it is raised; `signals` opens another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import redis
from django.conf import settings
from django.db import connection

from jiying.core.crypto import sm3_hex

CONNECT_S = 3
CHANNEL = "jiying_events"


class Wire(Protocol):
    """One connection to what passes signals on."""

    def send(self, said: str) -> None:
        """Tell all who hear."""

    def hear(self, timeout_s: float) -> Iterator[str]:
        """What was told since, or within `timeout_s` seconds."""

    def check(self) -> None:
        """Fails when the other end is gone."""

    def close(self) -> None:
        """Hang up."""


class PostgresWire:
    """NOTIFY on a connection of its own, outside of the writing transactions: those that notify commit one after
    the other, which would take from PostgreSQL what it gains by committing many together."""

    def __init__(self) -> None:
        self._own = connection.copy()
        self._own.ensure_connection()
        self._raw: Any = self._own.connection
        self._hears = False

    def send(self, said: str) -> None:
        """Tell all who hear."""
        self._raw.execute("SELECT pg_notify(%s, %s)", (CHANNEL, said))

    def hear(self, timeout_s: float) -> Iterator[str]:
        """What was told since, or within `timeout_s` seconds."""
        if not self._hears:
            self._raw.execute(f"LISTEN {CHANNEL}")
            self._hears = True
        for told in self._raw.notifies(timeout=timeout_s, stop_after=1):
            yield told.payload

    def check(self) -> None:
        """Fails when the other end is gone."""
        self._raw.execute("SELECT 1")

    def close(self) -> None:
        """Hang up."""
        self._own.close()


class RedisWire:
    """A channel of a Redis or Valkey server, named after this installation's key: a server may serve several."""

    def __init__(self, url: str) -> None:
        limits = {"socket_connect_timeout": CONNECT_S, "socket_timeout": CONNECT_S, "socket_keepalive": True}
        self._client: Any = redis.Redis.from_url(url, decode_responses=True, **limits)
        self._channel = f"jiying:{sm3_hex(f'signals {settings.SECRET_KEY}'.encode())[:16]}"
        self._heard: Any = None
        self._client.ping()

    def send(self, said: str) -> None:
        """Tell all who hear."""
        self._client.publish(self._channel, said)

    def hear(self, timeout_s: float) -> Iterator[str]:
        """What was told since, or within `timeout_s` seconds."""
        if self._heard is None:
            self._heard = self._client.pubsub(ignore_subscribe_messages=True)
            self._heard.subscribe(self._channel)
        told = self._heard.get_message(timeout=timeout_s)
        if told is not None:
            yield told["data"]

    def check(self) -> None:
        """Fails when the other end is gone."""
        self._client.ping()

    def close(self) -> None:
        """Hang up."""
        if self._heard is not None:
            self._heard.close()
        self._client.close()
