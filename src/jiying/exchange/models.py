"""Imports: a file that was read, what was found in each of its rows, and what came of them.  Exports and jobs.

Rows hold what people wrote in their ledgers, telephones among it, and are therefore sealed; those that were
taken forget it once the import is over, those that were refused keep it for their rejects file for a while.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jiying.core.crypto import seal, unseal
from jiying.core.ids import uuid7
from jiying.people.models import User
from jiying.people.scopes import scope_of


class ImportKind(models.TextChoices):
    DIVISIONS = "divisions", _("区划")
    COMPANIES = "companies", _("物业企业")
    ESTATES = "estates", _("小区")
    WORKERS = "workers", _("维修工")
    ORDERS = "orders", _("工单")


class Stage(models.TextChoices):
    """How far an import has come.  `staged`: checked whole, nothing applied."""

    STAGED = "staged", _("待确认")
    APPLYING = "applying", _("写入中")
    APPLIED = "applied", _("已完成")
    REVERTING = "reverting", _("撤销中")
    REVERTED = "reverted", _("已撤销")
    DISCARDED = "discarded", _("已放弃")


class Verdict(models.TextChoices):
    CREATE = "create", _("新增")
    UPDATE = "update", _("更新")
    UNCHANGED = "unchanged", _("无变化")
    REJECT = "reject", _("拒收")


class Outcome(models.TextChoices):
    """What became of a row that was to be written."""

    WAITING = "", _("待写入")
    DONE = "done", _("已写入")
    REVERTED = "reverted", _("已撤销")
    KEPT = "kept", _("未能撤销")


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: Any) -> ImportQuerySet:
        """Imports of the districts that somebody sees whole, and a town officer's own."""
        scope = scope_of(user)
        if scope.user_id is None:
            return self.none()
        if scope.roles & {"district", "supervisor"}:
            return self.filter(district__in=scope.districts)
        return self.filter(by_id=scope.user_id) if "town" in scope.roles else self.none()


class Import(models.Model):
    """One file on its way in.  `mapping` is the mapping file as it was used; `names` are the file's columns.

    The four counts are of rows of the file; `rejected` grows while applying where the world has changed
    since the rows were checked.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20, blank=True)
    kind = models.CharField(max_length=10, choices=ImportKind)
    file = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    sheet = models.CharField(max_length=80, blank=True)
    mapping_name = models.CharField(max_length=200)
    mapping = models.TextField()
    names = models.JSONField(default=list)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.STAGED)
    read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    dropped = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    reverted_at = models.DateTimeField(null=True)
    removed = models.PositiveIntegerField(default=0)
    removed_head = models.CharField(max_length=64, blank=True)
    forgotten = models.BooleanField(default=False)

    objects = ImportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["district", "began_at"], name="import_list")]

    def __str__(self) -> str:
        return f"{self.file} → {self.kind}"


class ImportRow(models.Model):
    """What was found in one row: a verdict, and for a reject the first thing that is wrong.

    `position` counts what the import writes, in the order of writing; `line` is the file's, 0 for what the
    mapping creates beside it (towns).  `what` is the kind of thing, `key` its own number or code.
    """

    id = models.BigAutoField(primary_key=True)
    imported = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    what = models.CharField(max_length=10, choices=ImportKind)
    key = models.CharField(max_length=120, blank=True)
    verdict = models.CharField(max_length=10, choices=Verdict)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default="")
    field = models.CharField(max_length=60, blank=True)
    code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=400, blank=True)
    target = models.UUIDField(null=True)
    sealed = models.BinaryField(default=b"")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["imported", "position"], name="import_row_once")]
        indexes = [models.Index(fields=["imported", "verdict", "outcome", "position"], name="import_row_next")]

    def __str__(self) -> str:
        return f"{self.line}: {self.verdict}"

    def keep(self, content: dict[str, Any]) -> None:
        """Seal what the row says: `values` to write, the `source` record of a reject, `before` of an update."""
        self.sealed = seal(json.dumps(content, ensure_ascii=False), context=f"import:{self.imported_id}")

    @property
    def content(self) -> dict[str, Any]:
        """What `keep` kept; empty once it is forgotten."""
        blob = bytes(self.sealed)
        return json.loads(unseal(blob, context=f"import:{self.imported_id}")) if blob else {}


class Link(models.Model):
    """What a source calls something, and what it is here: by this the same row is known when it comes again.

    `fixed` is the digest of what can never change about it (an order's report), `whole` of all its values.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=ImportKind)
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=60)
    target = models.UUIDField()
    fixed = models.CharField(max_length=64, blank=True)
    whole = models.CharField(max_length=64)
    imported = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="links")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "source", "external_id"], name="link_once")]
        indexes = [models.Index(fields=["target"], name="link_target")]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}"


class Lease(models.Model):
    """Who works on a job, and until when that is believed; `done` of `total` is how far they are.

    `job` is the id of the task that django-tasks keeps.  The row is there while somebody holds the job.
    """

    job = models.UUIDField(primary_key=True)
    holder = models.CharField(max_length=64)
    until = models.DateTimeField(db_index=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.job} by {self.holder}"


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: Any) -> ExportQuerySet:
        """An export belongs to who asked for it, and to nobody else."""
        return self.filter(by=user) if user.is_authenticated else self.none()


class Export(models.Model):
    """One table that somebody asked for: `kind` by `query`, the query of the page they saw.

    It is written when `finished_at` is set; `reach` is a digest of what its asker could see then.  The file is
    there until `expires_at`; the row stays.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20, blank=True)
    by = models.ForeignKey(User, models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=20)
    query = models.CharField(max_length=1000, blank=True)
    format = models.CharField(max_length=4)
    language = models.CharField(max_length=10)
    origin = models.CharField(max_length=60, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    job = models.UUIDField(null=True)
    problem = models.CharField(max_length=300, blank=True)
    rows = models.PositiveIntegerField(null=True)
    size = models.PositiveBigIntegerField(null=True)
    reach = models.CharField(max_length=64, blank=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["by", "asked_at"], name="export_by"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.format} {self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def is_there(self) -> bool:
        """Whether the file can be downloaded now."""
        return self.expires_at is not None and timezone.now() < self.expires_at
