"""Jobs: work that takes longer than a request may, done by a worker under a lease.

A job is a task of django-tasks, kept in the database.  What keeps it there knows no lease: the task of a
worker that was killed would stay “running” for ever.  Therefore whoever takes a job holds a `Lease` and
renews it every few seconds; a lease that ran out gives the job back, and somebody takes it again.  A job must
bear that: it begins anew or goes on where it was, and what it leaves is the same.

    @task()
    def write(export_id: str) -> None: …

    job = jobs.enqueue(write, str(export.pk))
    jobs.standing(job)                      # waiting, running with n of m, done, failed

A job of many minutes says `@task(queue_name=jobs.SLOW)`: such jobs have a thread of their own, so that nobody's
export waits for them.
"""

from __future__ import annotations

import contextvars
import logging
import os
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult, get_date_max

from jiying.exchange.models import Lease

log = logging.getLogger("jiying.jobs")

LEASE = timedelta(seconds=20)
BEAT_S = 4.0
LOOK_EVERY_S = 1.0
SAID_EVERY_S = 0.5
ATTEMPTS = 5
"""How often a job is begun before it counts as failed: one that kills its worker must not do so for ever."""
REST = timedelta(seconds=5)
"""How long a job that failed rests before it is tried again, times the attempts so far."""
TIDY_EVERY_S = 3600.0
USUAL, SLOW = "default", "slow"
"""The queues: what takes seconds, and what takes minutes."""
KEPT = timedelta(days=7)
"""How long it is remembered that a job is over."""

_bell = threading.Event()


class Interrupted(Exception):
    """The worker is to stop: the job goes back unfinished, and is taken up again after the next start."""


class LeaseLost(Exception):
    """Somebody else has this job by now; whatever was not finished is theirs."""


class Abandoned(Exception):
    """A job was begun `ATTEMPTS` times and each time its worker came to an end."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands: `waiting`, `running`, `done` or `failed`; `total` None: not known yet."""

    state: str
    done: int = 0
    total: int | None = None

    @property
    def percent(self) -> int | None:
        """0 to 100, rounded down; None where there is nothing to count against."""
        return min(100, 100 * self.done // self.total) if self.total else None


@dataclass(slots=True)
class _Holding:
    """The job that this thread works on."""

    job: uuid.UUID
    holder: str
    stop: threading.Event
    said: float = 0.0


_holding: contextvars.ContextVar[_Holding | None] = contextvars.ContextVar("holding", default=None)


def enqueue(task: Task[Any, Any], *args: Any) -> uuid.UUID:
    """Put a job in the queue, in the caller's transaction; returns its id.  Arguments are JSON."""
    job = uuid.UUID(task.enqueue(*args).id)
    transaction.on_commit(_bell.set)
    return job


def standing(job: uuid.UUID | None) -> Standing:
    """How a job stands; one that is not known (any more) counts as failed, since it will not be done."""
    row = DBTaskResult.objects.filter(pk=job).only("status").first() if job else None
    if job is None or row is None or row.status == TaskResultStatus.FAILED:
        return Standing("failed")
    if row.status == TaskResultStatus.SUCCESSFUL:
        return Standing("done")
    lease = Lease.objects.filter(pk=job).first()
    if lease is None:
        return Standing("waiting")
    return Standing("running", lease.done, lease.total)


def answer_of(job: uuid.UUID) -> Any:
    """What a job that is done gave back, as JSON holds it; None where it is not done or gave nothing."""
    return DBTaskResult.objects.filter(pk=job).values_list("return_value", flat=True).first()


def alive(task: Task[Any, Any], *args: Any) -> uuid.UUID | None:
    """The job of that task and arguments that waits or works; None where there is none (any more)."""
    return _latest(task, args, status__in=(TaskResultStatus.READY, TaskResultStatus.RUNNING))


def latest(task: Task[Any, Any], *args: Any) -> uuid.UUID | None:
    """The last job of that task and arguments that is remembered."""
    return _latest(task, args)


def _latest(task: Task[Any, Any], args: Sequence[Any], **more: Any) -> uuid.UUID | None:
    rows = DBTaskResult.objects.filter(task_path=task.module_path, **more).order_by("-enqueued_at")
    return next((row.pk for row in rows if row.task_result.args[: len(args)] == list(args)), None)


def progress(done: int, total: int | None) -> None:
    """Say from within a job, outside of any transaction, how far it is.  Where no job runs, nothing happens.

    Raises:
        Interrupted: the worker is to stop; leave everything so that the job can be run again.
        LeaseLost: somebody else has the job.
    """
    held = _holding.get()
    if held is None:
        return
    if held.stop.is_set():
        raise Interrupted
    now = time.monotonic()
    if now - held.said < SAID_EVERY_S and done != total:
        return
    held.said = now
    ours = Lease.objects.filter(pk=held.job, holder=held.holder)
    if not ours.update(done=done, total=total, until=timezone.now() + LEASE):
        raise LeaseLost


def worker_name() -> str:
    """A short name for whoever works in this thread: two that work on one job never write to one file."""
    held = _holding.get()
    return held.holder.rpartition(":")[2] if held else secrets.token_hex(4)


def run(stop: threading.Event) -> None:
    """Work on usual jobs until `stop`: at every call of the bell, and every second."""
    _work(stop, USUAL)


def run_slow(stop: threading.Event) -> None:
    """The same for slow ones."""
    _work(stop, SLOW)


def _work(stop: threading.Event, queue: str) -> None:
    name = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
    tidied = -TIDY_EVERY_S
    while not stop.is_set():
        try:
            close_old_connections()
            reap()
            work_off(stop, name, queue)
            if time.monotonic() - tidied > TIDY_EVERY_S:
                tidied = time.monotonic()
                _tidy_the_room(timezone.now())
        except Exception:
            # The database may be away for a moment; jobs wait until it is back.
            log.exception("jobs cannot be read; trying again")
        _bell.wait(LOOK_EVERY_S)
        _bell.clear()
    connection.close()


def work_off(stop: threading.Event | None = None, name: str = "here", queue: str = USUAL) -> int:
    """Run the jobs of a queue that are ready, in this thread; returns how many."""
    stop, count = stop or threading.Event(), 0
    while not stop.is_set() and (task := _take(name, queue)) is not None:
        _run(task, name, stop)
        count += 1
    return count


def reap(now: datetime | None = None) -> int:
    """Give back the jobs whose lease ran out; returns how many."""
    now, count = now or timezone.now(), 0
    for job in list(Lease.objects.filter(until__lt=now).values_list("pk", flat=True)):
        with transaction.atomic():
            # Whoever deletes it is the one who gives the job back; a lease renewed meanwhile stays.
            if not Lease.objects.filter(pk=job, until__lt=now).delete()[0]:
                continue
            task = DBTaskResult.objects.filter(pk=job, status=TaskResultStatus.RUNNING).first()
            if task is None:
                continue
            count += 1
            log.warning("job %s lost its worker", job)
            if len(task.worker_ids) >= ATTEMPTS:
                task.set_failed(Abandoned(f"begun {ATTEMPTS} times, each time the worker came to an end"))
            else:
                _wait(task)
    return count


def tidy(now: datetime) -> None:
    """Forget jobs that were over a week ago."""
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEPT).delete()


def _tidy_the_room(now: datetime) -> None:
    """What the room keeps for a time only: files of exports, rows of imports, jobs that are over."""
    from jiying.exchange import actions, exports, uploads

    exports.tidy(now)
    uploads.tidy(now)
    actions.forget_old(now)
    tidy(now)


def _take(holder: str, queue: str = USUAL) -> DBTaskResult[Any, Any] | None:
    # Asked first without a lock: most of the time there is nothing, and SQLite has one writer.
    ready = DBTaskResult.objects.ready().filter(queue_name=queue)
    if not ready.exists():
        return None
    with transaction.atomic():
        task = ready.get_locked()
        if task is not None:
            task.claim(holder)
            Lease.objects.update_or_create(
                job=task.pk, defaults={"holder": holder, "until": timezone.now() + LEASE, "done": 0, "total": None}
            )
    return task


def _run(task: DBTaskResult[Any, Any], holder: str, stop: threading.Event) -> None:
    over = threading.Event()
    beat = threading.Thread(target=_beat, args=(task.pk, holder, over), name="lease", daemon=True)
    token = _holding.set(_Holding(task.pk, holder, stop))
    beat.start()
    try:
        result = task.task_result
        answer = task.task.call(*result.args, **result.kwargs)
    except Interrupted:
        _end(task, holder, again=True)
    except LeaseLost:
        log.warning("job %s went to somebody else", task.pk)
    except Exception as error:
        log.exception("job %s failed", task.pk)
        _end(task, holder, error)
    else:
        _end(task, holder, answer=answer)
    finally:
        _holding.reset(token)
        over.set()
        beat.join()


def _end(
    task: DBTaskResult[Any, Any],
    holder: str,
    error: Exception | None = None,
    *,
    again: bool = False,
    answer: Any = None,
) -> None:
    """Write how it ended and let go of the lease, both or neither; if the lease is no longer ours, nothing."""
    with transaction.atomic():
        if not Lease.objects.filter(pk=task.pk, holder=holder).delete()[0]:
            log.warning("job %s had gone to somebody else", task.pk)
        elif again:
            task.worker_ids = task.worker_ids[:-1]
            _wait(task)
        elif error is None:
            task.set_successful(answer)
        elif len(task.worker_ids) >= ATTEMPTS:
            task.set_failed(error)
        else:
            _wait(task, timezone.now() + REST * len(task.worker_ids))


def _wait(task: DBTaskResult[Any, Any], until: datetime | None = None) -> None:
    task.status, task.run_after = TaskResultStatus.READY, until or get_date_max()
    task.save(update_fields=["status", "run_after", "worker_ids"])


def _beat(job: uuid.UUID, holder: str, over: threading.Event) -> None:
    """Renew the lease until the job is over: a job may be busy with one long step."""
    try:
        while not over.wait(BEAT_S):
            try:
                close_old_connections()
                Lease.objects.filter(pk=job, holder=holder).update(until=timezone.now() + LEASE)
            except OperationalError:
                log.warning("the lease of job %s could not be renewed; trying again", job, exc_info=True)
    finally:
        connection.close()
