"""Writes of the planner: a question is asked, days are kept while it runs, the answer is written."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterator, MutableMapping
from dataclasses import fields

import numpy as np
from django.db import transaction
from django.utils import timezone

from jiying.core.errors import BadInput
from jiying.dispatch.engine import outlook
from jiying.estates.queries import zone_of
from jiying.people.models import User
from jiying.planning.history import USUAL_DAYS, read_district
from jiying.planning.model import Model
from jiying.planning.models import RunDay, Study
from jiying.planning.outcome import Outcome
from jiying.planning.study import Question, answer
from jiying.planning.sweep import Key, Progress, Sweep

MOST_PROCESSES = 8


def ask(district: str, question: Question, *, by: User, seed: int = 1, history_days: int = USUAL_DAYS) -> Study:
    """Put a question down; `run` answers it."""
    return Study.objects.create(
        district=district,
        by=by,
        question=question.as_data(),
        seed=seed,
        history_days=history_days,
        until=timezone.now().astimezone(zone_of(district)).date(),
    )


def run(study_id: uuid.UUID, progress: Progress, processes: int | None = None) -> None:
    """Answer a study, in niced processes of their own; one that is answered stays as it is.

    Can be run again at any time and goes on where it was, unless the past that it is drawn from has changed since.
    What cannot be answered is put down with its code.  `progress` is called outside of any transaction and may raise.
    """
    study = Study.objects.get(pk=study_id)
    if study.finished_at is not None:
        return
    try:
        question = Question.of_data(study.question)
        model = read_district(study.district, study.history_days, study.until)
        memo = _begun(study, model)
        with Sweep(model, study.seed, processes or usual_processes(), apart=True, memo=memo) as sweep:
            # By way of JSON, so that what is kept is what `jiying plan --json` prints.
            found = json.loads(json.dumps(answer(model, question, sweep, progress)))
    except BadInput as error:
        study.problem, study.detail = error.first_code[:40], error.detail[:300]
    else:
        study.answer = found
    with transaction.atomic():
        study.finished_at = timezone.now()
        study.save(update_fields=["answer", "problem", "detail", "finished_at"])
        RunDay.objects.filter(study=study).delete()


def usual_processes() -> int:
    """One processor stays for those who work."""
    return min(max((os.cpu_count() or 2) - 1, 1), MOST_PROCESSES)


def _begun(study: Study, model: Model) -> Kept:
    """The days that were run already; none where the past is another by now."""
    told = fingerprint(model)
    if told != study.fingerprint:
        with transaction.atomic():
            RunDay.objects.filter(study=study).delete()
            study.fingerprint = told
            study.save(update_fields=["fingerprint"])
    return Kept(study)


def fingerprint(model: Model) -> str:
    """The same for the same past, staff and places, and the same engine."""
    engine = (outlook.VERSION, outlook.PRICES, outlook.ROAD)
    told = repr((engine, model.skills, model.towns, model.staff, model.days, model.spread))
    mark = hashlib.blake2b(told.encode(), digest_size=20)
    for one in fields(model.past):
        mark.update(np.ascontiguousarray(getattr(model.past, one.name)).tobytes())
    return mark.hexdigest()


class Kept(MutableMapping[Key, Outcome]):
    """The days of a study, in the database and at hand."""

    def __init__(self, study: Study) -> None:
        self.study = study
        rows = RunDay.objects.filter(study=study).values_list("change", "number", "outcome")
        self.at_hand = {(change, number): Outcome.of_data(data) for change, number, data in rows}

    def __getitem__(self, key: Key) -> Outcome:
        return self.at_hand[key]

    def __setitem__(self, key: Key, outcome: Outcome) -> None:
        # Somebody else may have been at it with a lease that ran out: the day is the same.
        RunDay.objects.update_or_create(
            study=self.study, change=key[0], number=key[1], defaults={"outcome": outcome.as_data()}
        )
        self.at_hand[key] = outcome

    def __delitem__(self, key: Key) -> None:
        RunDay.objects.filter(study=self.study, change=key[0], number=key[1]).delete()
        del self.at_hand[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.at_hand)

    def __len__(self) -> int:
        return len(self.at_hand)
