"""What tests of the outbox do again and again: who wants to be told how, and sending what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from jiying.notices import sending
from jiying.notices.channels import load
from jiying.notices.outgoing import Wish
from jiying.notices.wishes import keep
from jiying.orders import watcher
from jiying.people.models import User

PHONE = "+8613812345678"


def wants(d, role: str, **wish) -> User:
    user = d.users[role]
    keep(user, Wish(**wish))
    return user


def sweep(channel: str, now: datetime | None = None) -> int:
    """Send all that is due; how many parcels."""
    count, now = 0, now or timezone.now() + timedelta(minutes=1)
    while sending.sweep(load()[channel], now):
        count += 1
    return count


def unsigned(order, minutes: float = 3) -> None:
    watcher.sweep(order.reported_at + timedelta(minutes=minutes, seconds=1))


def after(order, minutes: float) -> datetime:
    return order.reported_at + timedelta(minutes=minutes)
