"""Jobs: whoever holds the lease works; whatever happens to a worker, the job is done once it can be."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from jiying.exchange import jobs
from jiying.exchange.models import Lease

pytestmark = pytest.mark.django_db

ran: list[str] = []
faults: list[Exception] = []
seen: list[jobs.Standing] = []


@pytest.fixture(autouse=True)
def _fresh():
    ran.clear()
    faults.clear()
    seen.clear()


@task()
def note(word: str) -> None:
    ran.append(word)
    if faults:
        raise faults.pop()


@task()
def count_to(total: int) -> None:
    for done in range(total):
        jobs.progress(done, total)
        ran.append(str(done))
    jobs.progress(total, total)
    seen.append(jobs.standing(DBTaskResult.objects.get().pk))


def now_ready() -> None:
    """Let rests be over."""
    DBTaskResult.objects.filter(status="READY").update(run_after=timezone.now())


def taken(job, by: str = "another", until: timedelta = jobs.LEASE) -> None:
    """As a worker elsewhere has it."""
    DBTaskResult.objects.get(pk=job).claim(by)
    Lease.objects.create(job=job, holder=by, until=timezone.now() + until)


def test_a_job_waits_until_a_worker_takes_it_and_is_done_once():
    job = jobs.enqueue(note, "a")
    assert jobs.standing(job).state == "waiting"
    assert jobs.work_off() == 1
    assert (ran, jobs.standing(job).state) == (["a"], "done")
    assert jobs.work_off() == 0
    assert not Lease.objects.exists()


def test_a_job_of_a_transaction_that_is_undone_never_was():
    with transaction.atomic():
        jobs.enqueue(note, "a")
        transaction.set_rollback(True)
    assert jobs.work_off() == 0


def test_a_page_sees_how_far_a_job_is():
    job = jobs.enqueue(count_to, 4)
    jobs.work_off()
    assert seen == [jobs.Standing("running", 4, 4)]
    assert seen[0].percent == 100
    assert jobs.standing(job) == jobs.Standing("done")
    assert jobs.Standing("running", 1, 3).percent == 33
    assert jobs.Standing("running").percent is None


def test_a_job_that_somebody_holds_is_not_taken():
    job = jobs.enqueue(note, "a")
    taken(job)
    assert (jobs.reap(), jobs.work_off(), ran) == (0, 0, [])
    assert jobs.standing(job).state == "running"


def test_a_job_whose_worker_was_killed_is_given_back_when_its_lease_runs_out():
    job = jobs.enqueue(note, "a")
    taken(job, until=-timedelta(seconds=1))
    assert jobs.reap() == 1
    assert jobs.standing(job).state == "waiting"
    assert jobs.work_off() == 1
    assert ran == ["a"]
    assert jobs.standing(job).state == "done"


def test_two_reapers_give_a_job_back_once():
    job = jobs.enqueue(note, "a")
    taken(job, until=-timedelta(seconds=1))
    assert (jobs.reap(), jobs.reap()) == (1, 0)


def test_a_job_that_kills_its_worker_every_time_is_given_up():
    job = jobs.enqueue(note, "a")
    for _n in range(jobs.ATTEMPTS):
        assert jobs.standing(job).state == "waiting"
        taken(job, until=-timedelta(seconds=1))
        jobs.reap()
    assert jobs.standing(job).state == "failed"
    assert jobs.work_off() == 0


def test_a_job_that_fails_is_tried_again_later():
    faults.append(ZeroDivisionError())
    job = jobs.enqueue(note, "a")
    assert jobs.work_off() == 1
    assert jobs.standing(job).state == "waiting"
    assert jobs.work_off() == 0, "it rests first"
    now_ready()
    assert jobs.work_off() == 1
    assert (ran, jobs.standing(job).state) == (["a", "a"], "done")


def test_a_job_that_always_fails_is_given_up():
    faults.extend(ZeroDivisionError() for _n in range(10))
    job = jobs.enqueue(note, "a")
    for _n in range(jobs.ATTEMPTS):
        now_ready()
        jobs.work_off()
    assert jobs.standing(job).state == "failed"
    assert len(ran) == jobs.ATTEMPTS


def test_a_worker_that_is_to_stop_gives_its_job_back_untried():
    job, stop = jobs.enqueue(count_to, 3), threading.Event()
    task_row = jobs._take("me")
    stop.set()
    jobs._run(task_row, "me", stop)
    assert ran == []
    assert jobs.standing(job).state == "waiting"
    assert DBTaskResult.objects.get().worker_ids == []
    assert jobs.work_off() == 1
    assert ran == ["0", "1", "2"]


def test_a_worker_that_was_away_too_long_leaves_the_job_to_its_successor():
    job = jobs.enqueue(count_to, 3)
    task_row = jobs._take("slow")
    # Its lease ran out, and another took the job, before it came to its first word.
    Lease.objects.filter(job=job).update(holder="quick")
    jobs._run(task_row, "slow", threading.Event())
    assert ran == []
    assert DBTaskResult.objects.get().status == "RUNNING"
    assert Lease.objects.get().holder == "quick"


def test_what_a_slow_worker_ends_after_all_is_not_taken_for_the_end():
    job = jobs.enqueue(note, "a")
    task_row = jobs._take("slow")
    Lease.objects.filter(job=job).update(holder="quick")
    jobs._run(task_row, "slow", threading.Event())
    assert ran == ["a"]
    assert DBTaskResult.objects.get().status == "RUNNING"


def test_a_job_that_is_forgotten_counts_as_failed():
    job = jobs.enqueue(note, "a")
    jobs.work_off()
    jobs.tidy(timezone.now() + jobs.KEPT + timedelta(minutes=1))
    assert jobs.standing(job).state == "failed"
    assert jobs.standing(None).state == "failed"


@pytest.mark.django_db(transaction=True)
def test_many_workers_run_each_job_once():
    for n in range(12):
        jobs.enqueue(note, str(n))
    stop = threading.Event()
    workers = [threading.Thread(target=jobs.run, args=(stop,)) for _n in range(3)]
    for worker in workers:
        worker.start()
    done = threading.Event()
    for _n in range(600):
        if DBTaskResult.objects.filter(status="SUCCESSFUL").count() == 12:
            break
        done.wait(0.05)
    stop.set()
    jobs._bell.set()
    for worker in workers:
        worker.join(10)
    assert sorted(ran, key=int) == [str(n) for n in range(12)]
    assert not Lease.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_one_long_step_lasts(monkeypatch):
    monkeypatch.setattr(jobs, "BEAT_S", 0.02)
    job = jobs.enqueue(note, "a")
    row = jobs._take("me")
    Lease.objects.filter(job=job).update(until=timezone.now() + timedelta(seconds=1))
    over = threading.Event()
    beat = threading.Thread(target=jobs._beat, args=(row.pk, "me", over))
    beat.start()
    limit = timezone.now() + jobs.LEASE - timedelta(seconds=1)
    waiting = threading.Event()
    for _n in range(500):
        if Lease.objects.get().until > limit:
            break
        waiting.wait(0.02)
    over.set()
    beat.join()
    assert Lease.objects.get().until > limit
