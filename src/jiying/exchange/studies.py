"""Studies of the planner as jobs: they take minutes, and go on where they were after a crash."""

from __future__ import annotations

import uuid

from django.db import transaction
from django_tasks import task

from jiying.exchange import jobs
from jiying.exchange.jobs import Standing
from jiying.people.models import User
from jiying.planning import actions
from jiying.planning.models import Study
from jiying.planning.study import Question


@task(queue_name=jobs.SLOW)
def answer_study(study_id: str) -> None:
    """Answer a study; can be run again."""
    actions.run(uuid.UUID(study_id), jobs.progress)


def begin(district: str, question: Question, *, by: User) -> Study:
    """Put a question down and let a job answer it.  The same one while it is under way is one."""
    with transaction.atomic():
        # The asker's row is the lock: two clicks at once are one after the other.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        same = Study.objects.filter(district=district, by=by, finished_at=None, question=question.as_data())
        for other in same:
            if standing(other).state in ("waiting", "running"):
                return other
        study = actions.ask(district, question, by=by)
        jobs.enqueue(answer_study, str(study.pk))
    return study


def again(study: Study) -> None:
    """Let a job take up a study that nobody is at any more; one that is answered or under way stays as it is."""
    with transaction.atomic():
        row = Study.objects.select_for_update().get(pk=study.pk)
        if row.finished_at is None and jobs.alive(answer_study, str(row.pk)) is None:
            jobs.enqueue(answer_study, str(row.pk))


def standing(study: Study) -> Standing:
    """How a study stands: `waiting`, `running` with days done of days, `done` or `failed`."""
    if study.finished_at is not None:
        return Standing("failed" if study.problem else "done")
    return jobs.standing(jobs.latest(answer_study, str(study.pk)))
