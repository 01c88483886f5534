"""What somebody was told, whether it still wants an answer, and what goes out of the house to tell them.

Notices and messages are written only by the follower (from the event log), `actions` and `sending`.  A row that
is lost can be made again from the log; its key is the event and the person, for a message the channel too.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jiying.core.ids import uuid7
from jiying.dispatch.models import Surge
from jiying.orders.models import Order
from jiying.people.models import User


class Notice(models.Model):
    """One person told of one event.

    `kind` is the event's verb, `why` the audience in which they were told (the words of `tells` in a ladder).
    `on_duty`: the duty roster named them, so that no quiet hours hold.  `step` and `promise` name the rung and the
    clock where there is one, `step` of who need not go any more the reason; `ends_with` is the milestone that settles
    it.  `until`: when the answer is due; None where no clock runs.  Read is not done: `read_at` says that it was looked
    at, `done_at` that what it asks for has happened.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    order = models.ForeignKey(Order, models.CASCADE, related_name="notices", db_index=False)
    version = models.PositiveIntegerField()
    event = models.UUIDField()
    kind = models.CharField(max_length=16)
    why = models.CharField(max_length=12)
    on_duty = models.BooleanField(default=False, db_default=False)
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


class Message(models.Model):
    """One row of the outbox: one recipient told of one event by one channel.  docs/notices.md draws its states.

    `recipient` is a user's id, `resident`, or `hook:NAME`; `user` is set for users alone.  Nothing personal stands
    here: address and words are made when it is sent.  `due_at`: when to look at it next (to send, to try again, to
    ask whether a call was acknowledged).  `attempts`: since it last went out; `calls`: how often it went out.
    `claimed_until`: who sends it holds it until then.  `parcel` is what it may be put together with, `leader` the
    message that carried it.  `reason`: why it failed, is spared, or is tried again.
    """

    WAITING, SENDING, SENT, ACKNOWLEDGED = "waiting", "sending", "sent", "acknowledged"
    CARRIED, SPARED, FAILED = "carried", "spared", "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    order = models.ForeignKey(Order, models.CASCADE, related_name="messages")
    event = models.UUIDField()
    version = models.PositiveIntegerField()
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", db_index=False)
    recipient = models.CharField(max_length=60)
    channel = models.CharField(max_length=20)
    urgent = models.BooleanField()
    kind = models.CharField(max_length=16)
    why = models.CharField(max_length=12)
    step = models.CharField(max_length=40, blank=True)
    promise = models.CharField(max_length=12, blank=True)
    parcel = models.CharField(max_length=160)
    state = models.CharField(max_length=12, default=WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    calls = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    leader = models.ForeignKey("self", models.SET_NULL, null=True, related_name="carried")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "recipient", "channel"], name="message_once")]
        indexes = [
            models.Index(fields=["channel", "due_at"], name="message_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["channel", "parcel"], name="message_parcel", condition=Q(state="waiting")),
            models.Index(fields=["channel", "claimed_until"], name="message_held", condition=Q(state="sending")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.order_id} → {self.recipient} ({self.channel})"


class Wishes(models.Model):
    """How somebody wants to be told; without a row the defaults of `outgoing.Wish` hold.

    Telephone and address are sealed.  `quiet_from`, `quiet_to`: minutes of the day, the same: no quiet hours.
    `digest`: `now`, `hour` or `day`, for what is not urgent.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="wishes")
    phone = models.BinaryField(default=b"", blank=True)
    email = models.BinaryField(default=b"", blank=True)
    urgent = models.JSONField(default=list)
    ordinary = models.JSONField(default=list)
    quiet_from = models.PositiveSmallIntegerField()
    quiet_to = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=4)
    language = models.CharField(max_length=8)

    def __str__(self) -> str:
        return str(self.user_id)


class Stopped(models.Model):
    """A channel that somebody stopped: what is due waits until it is started again."""

    channel = models.CharField(primary_key=True, max_length=20)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.channel


class SurgeSeen(models.Model):
    """Somebody who was told of a surge knows of it: it leaves their inbox."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    surge = models.ForeignKey(Surge, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["surge", "user"], name="surge_seen_once")]

    def __str__(self) -> str:
        return f"{self.surge_id} {self.user_id}"
