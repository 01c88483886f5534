"""Moving open orders under the pack in force, and counting beforehand what that changes: as jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django_tasks import task

from jiying.exchange import jobs
from jiying.exchange.jobs import Standing
from jiying.orders import repacking
from jiying.people.models import User
from jiying.rules import packs
from jiying.rules.pack import Pack


@task()
def count(stamp: str, district: str) -> dict[str, Any]:
    """What a move would change; writes nothing."""
    pack = packs.stamped(stamp)
    total = repacking.waiting(pack, [district]).count()
    tally = repacking.preview(pack, [district], progress=lambda done: jobs.progress(done, total))
    return tally.as_json()


@task()
def run(stamp: str, district: str, by: str) -> dict[str, Any]:
    """Move; can be run again and goes on where it stopped."""
    pack = packs.stamped(stamp)
    total = repacking.waiting(pack, [district]).count()
    tally = repacking.move(pack, [district], by=by, progress=lambda done: jobs.progress(done, total))
    return tally.as_json()


@dataclass(frozen=True, slots=True)
class Shown:
    """A count or a move: how it stands, and what it found once it is done (`Tally.as_json`)."""

    standing: Standing
    found: dict[str, Any] | None

    @property
    def busy(self) -> bool:
        return self.standing.state in ("waiting", "running")


def begin_count(pack: Pack, district: str) -> None:
    """Let a job count; where one is at it already, nothing happens (BadInput: the pack is not in force)."""
    repacking.districts_of(pack, district)
    if jobs.alive(count, pack.stamp, district) is None:
        jobs.enqueue(count, pack.stamp, district)


def begin_move(pack: Pack, district: str, *, by: User, origin: str) -> None:
    """Let a job move, on the audit; where one is at it already, nothing happens (BadInput: as before)."""
    repacking.districts_of(pack, district)
    with transaction.atomic():
        if jobs.alive(run, pack.stamp, district) is None:
            repacking.put_on_audit(pack, [district], by=by, origin=origin)
            jobs.enqueue(run, pack.stamp, district, str(by.pk))


def counted(pack: Pack, district: str) -> Shown | None:
    """The last count, if there was one."""
    return _shown(jobs.latest(count, pack.stamp, district))


def moved(pack: Pack, district: str) -> Shown | None:
    """The last move, if there was one."""
    return _shown(jobs.latest(run, pack.stamp, district))


def _shown(job: Any) -> Shown | None:
    return Shown(jobs.standing(job), jobs.answer_of(job)) if job is not None else None
