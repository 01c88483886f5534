"""Studies of the planner as jobs: they take minutes, and go on where they were after a crash."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils.translation import gettext as _
from django_tasks import task

from jiying.core.errors import BadInput
from jiying.exchange import jobs
from jiying.exchange.jobs import Standing
from jiying.people.models import User
from jiying.planning import actions
from jiying.planning.models import Study
from jiying.planning.study import Question

MOST_AT_ONCE = 5
"""So many studies of one person wait or run at once: whoever asks after them waits for all of these."""


@task(queue_name=jobs.SLOW)
def answer_study(study_id: str) -> None:
    """Answer a study; can be run again."""
    actions.run(uuid.UUID(study_id), jobs.progress)


def begin(district: str, question: Question, *, by: User) -> Study:
    """Put a question down and let a job answer it.  The same one while it is under way is one.

    Raises:
        BadInput: `too_many`: `MOST_AT_ONCE` others of theirs are under way.
    """
    with transaction.atomic():
        # The asker's row is the lock: two clicks at once are one after the other.
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        mine = Study.objects.filter(by=by, finished_at=None)
        for other in mine.filter(district=district, question=question.as_data()):
            if standing(other).state in ("waiting", "running"):
                return other
        newest = mine.order_by("-asked_at")[: 4 * MOST_AT_ONCE]
        if sum(standing(other).state in ("waiting", "running") for other in newest) >= MOST_AT_ONCE:
            raise BadInput.of(
                "days", "too_many", _("您已有 %(n)d 项测算在等或在算：请等一项算完再问。") % {"n": MOST_AT_ONCE}
            )
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
