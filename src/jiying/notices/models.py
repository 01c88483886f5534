"""What somebody was told, and whether it still wants an answer.

Written only by `follower` (from the event log) and `actions` (reading).  A row that is lost can be made
again from the log; its key is the event and the person.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jiying.core.ids import uuid7
from jiying.orders.models import Order
from jiying.people.models import User


class Notice(models.Model):
    """One person told of one event.

    `kind` is the event's verb, `why` the audience in which they were told (the words of `tells` in a ladder).
    `step` and `promise` name the rung and the clock where there is one; `ends_with` is the milestone that
    settles it.  `until`: when the answer is due; None where no clock runs.  Read is not done: `read_at` says
    that it was looked at, `done_at` that what it asks for has happened.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="notices", db_index=False)
    version = models.PositiveIntegerField()
    event = models.UUIDField()
    kind = models.CharField(max_length=16)
    why = models.CharField(max_length=12)
    step = models.CharField(max_length=40, blank=True)
    promise = models.CharField(max_length=12, blank=True)
    ends_with = models.CharField(max_length=12, blank=True)
    until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "order", "version"], name="notice_once")]
        indexes = [
            models.Index(fields=["user", "until"], name="notice_open", condition=Q(done_at=None)),
            models.Index(fields=["order"], name="notice_to_settle", condition=Q(done_at=None)),
            models.Index(fields=["user", "done_at"], name="notice_done", condition=Q(done_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id} → {self.user_id}"
