from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from jiying.notices.follower import tell
from jiying.notices.models import Notice
from jiying.orders.models import Event
from jiying.orders.tests.build import District, district

Told = Callable[[], dict[str, set[str]]]


@pytest.fixture
def d(db) -> District:
    return district()


@pytest.fixture
def told() -> Told:
    """Let the follower read everything, and say who has what open: {username: {kind or step}}."""

    def read() -> dict[str, set[str]]:
        tell(list(Event.objects.select_related("order").order_by("seq")))
        found: dict[str, set[str]] = {}
        for notice in Notice.objects.filter(done_at=None).select_related("user"):
            found.setdefault(notice.user.username, set()).add(notice.step or notice.kind)
        return found

    return read


@pytest.fixture
def port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
