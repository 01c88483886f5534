"""Figures kept ready: what each order adds, summed by place and by days.

Written only by `actions`, in the transaction that moves the follower's cursor.  No row holds personal data:
counts, minutes, places and the ids of orders.  Every row belongs to an edition, so that all of it can be made
anew beside the one that is read.
"""

from __future__ import annotations

from django.db import models

from jiying.core.ids import uuid7
from jiying.estates.models import Company, Division, Estate


class Edition(models.Model):
    """One complete set of counts.  `upto` is the last order a rebuilding has taken; `xid` and `seq` where the log
    ended when it began."""

    class State(models.TextChoices):
        BUILDING = "building"
        SERVING = "serving"
        OLD = "old"

    id = models.BigAutoField(primary_key=True)
    state = models.CharField(max_length=8, choices=State)
    xid = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    upto = models.UUIDField(null=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="serving"), name="edition_serving_once")
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class Grain(models.TextChoices):
    """How fine a place is: the whole district, a town, a company, or what one company serves in one estate."""

    ALL = "all"
    TOWN = "town"
    COMPANY = "company"
    CELL = "cell"


class Cell(models.Model):
    """A place that is counted; `id` follows from the rest, so that writers need not ask for it."""

    id = models.UUIDField(primary_key=True, editable=False)
    district = models.CharField(max_length=20)
    grain = models.CharField(max_length=7, choices=Grain)
    town = models.ForeignKey(Division, models.PROTECT, null=True, related_name="+", db_index=False)
    committee = models.ForeignKey(Division, models.PROTECT, null=True, related_name="+", db_index=False)
    estate = models.ForeignKey(Estate, models.PROTECT, null=True, related_name="+", db_index=False)
    company = models.ForeignKey(Company, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["grain", "town"], name="cell_town"),
            models.Index(fields=["grain", "company"], name="cell_company"),
            models.Index(fields=["grain", "estate"], name="cell_estate"),
        ]

    def __str__(self) -> str:
        return f"{self.grain} {self.id}"


class Rollup(models.Model):
    """What the orders of a cell add up to on `span` days from the day with the ordinal `start`.

    `counts` is JSON, `{name: n}` with the names of `counting`, without noughts.
    """

    id = models.BigAutoField(primary_key=True)
    edition = models.BigIntegerField()
    district = models.CharField(max_length=20)
    grain = models.CharField(max_length=7)
    cell = models.ForeignKey(Cell, models.PROTECT, related_name="+", db_index=False)
    span = models.PositiveSmallIntegerField()
    start = models.PositiveIntegerField()
    counts = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "cell", "span", "start"], name="rollup_once")]
        indexes = [models.Index(fields=["edition", "grain", "span", "start"], name="rollup_days")]

    def __str__(self) -> str:
        return f"{self.cell_id} {self.start}+{self.span}"


class Counted(models.Model):
    """What one order has added, so that exactly that can be taken away again.

    `parts` is JSON, `{instant: {name: n}}` with instants in microseconds since 1970.  `order` is no foreign key:
    counts may outlive an order that was taken back.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    edition = models.BigIntegerField()
    district = models.CharField(max_length=20)
    order = models.UUIDField()
    version = models.PositiveIntegerField()
    cell = models.ForeignKey(Cell, models.PROTECT, related_name="+", db_index=False)
    parts = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "order"], name="counted_once")]

    def __str__(self) -> str:
        return f"{self.order} {self.version}"


class Waiting(models.Model):
    """What the passing of time will add though nothing happens: see `counting.Wait`."""

    id = models.BigAutoField(primary_key=True)
    edition = models.BigIntegerField()
    district = models.CharField(max_length=20)
    order = models.UUIDField()
    cell = models.ForeignKey(Cell, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    since = models.DateTimeField()
    adds = models.CharField(max_length=120, blank=True)
    grows = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["edition", "at"], name="waiting_at"),
            models.Index(fields=["edition", "order"], name="waiting_order"),
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.adds or self.grows}"
