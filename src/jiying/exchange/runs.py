"""Imports as jobs: applying and reverting, begun once however often somebody clicks, and gone on with after a crash."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils.translation import gettext as _
from django_tasks import task

from jiying.core.errors import BadInput
from jiying.exchange import actions, jobs
from jiying.exchange.models import Import, Stage

_BEGINS = {"apply": (Stage.STAGED, Stage.APPLYING), "revert": (Stage.APPLIED, Stage.REVERTING)}


@task()
def run_import(import_id: str, what: str) -> None:
    """Apply or revert an import; each can be run again and goes on where it stopped."""
    {"apply": actions.apply, "revert": actions.revert}[what](uuid.UUID(import_id), progress=_tell)


def _tell(_what: str, done: int, of: int) -> None:
    jobs.progress(done, of)


def begin(imported: Import, what: str) -> None:
    """Let a job `apply` or `revert` an import; where one is at it already, nothing happens.

    Raises:
        BadInput: `wrong_stage`.
    """
    before, under_way = _BEGINS[what]
    with transaction.atomic():
        row = Import.objects.select_for_update().get(pk=imported.pk)
        if row.stage not in (before, under_way):
            said = _("这次导入的状态是“%(stage)s”，现在不能这样做。") % {"stage": row.get_stage_display()}
            raise BadInput.of("import", "wrong_stage", said)
        if row.stage == under_way and job_of(row) is not None:
            return
        row.stage = under_way
        row.save(update_fields=["stage"])
        jobs.enqueue(run_import, str(row.pk), what)


def job_of(imported: Import) -> uuid.UUID | None:
    """The job that waits or works for an import; None where there is none (any more)."""
    return jobs.alive(run_import, str(imported.pk))
