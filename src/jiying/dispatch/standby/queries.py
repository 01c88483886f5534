"""Reads about those who wait elsewhere, or might."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from jiying.dispatch.engine.world import Spot
from jiying.dispatch.standby.models import LIVE, Stand, Standby
from jiying.people.models import User
from jiying.people.scopes import scope_of

SHOWN = 200


def waiting(which: Mapping[str, Any], now: datetime) -> dict[uuid.UUID, Spot]:
    """Worker id → where they wait at `now`, of those whom `which` narrows down to.  One query."""
    rows = Standby.objects.in_effect(now).filter(**which).values_list("worker_id", "lon", "lat")
    return {worker: Spot(lon, lat) for worker, lon, lat in rows}


def shown(user: User, now: datetime) -> tuple[list[Standby], list[Standby]]:
    """What `user` may see: what is suggested, asked and accepted, and what was answered or ended in shifts that still
    run, the latest first.  Two queries.
    """
    rows = (
        Standby.objects.visible_to(user)
        .filter(until__gt=now)
        .select_related("worker__company", "estate", "town", "asked_by", "answered_by")
    )
    order = {state: n for n, state in enumerate((Stand.ASKED, Stand.SUGGESTED, Stand.ACCEPTED))}
    live = sorted(rows.filter(state__in=LIVE)[:SHOWN], key=lambda one: (order[Stand(one.state)], one.suggested_at))
    past = rows.exclude(state__in=LIVE).order_by("-ended_at", "-answered_at", "pk")
    return live, list(past[:SHOWN])


def asked_of(user: User, now: datetime | None = None) -> Standby | None:
    """What the worker `user` was asked and has not answered, or has said yes to; one query, none for others."""
    if not scope_of(user).works_for:
        return None
    rows = Standby.objects.filter(worker__user=user, until__gt=now or timezone.now())
    return rows.filter(state__in=(Stand.ASKED, Stand.ACCEPTED)).select_related("worker", "estate", "town").first()
