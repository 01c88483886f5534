"""Orders, their events and clocks, and the texts that may be erased.

Written only by `intake`, `actions` and `watcher`, through `store`.  `district` stands on every table that
grows, so that it can be in every key when a city is spread over machines.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from jiying.core.ids import uuid7
from jiying.estates.models import Building, Company, Division, Estate, Worker
from jiying.orders.ledger import Ledger
from jiying.orders.states import BEFORE_ARRIVAL, State
from jiying.orders.xid import CurrentTransaction
from jiying.people.models import Organisation, User
from jiying.people.scopes import Scope, scope_of


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, user: Any) -> OrderQuerySet:
        """Orders that `user` may see today; a stranger sees none (a tracking link is another door)."""
        return self.in_scope(scope_of(user))

    def in_scope(self, scope: Scope) -> OrderQuerySet:
        """The same for a scope at hand."""
        if scope.user_id is None:
            return self.none()
        if len(scope.districts) == 1 and not scope.reaches_parts:
            # One plain column, so that an index gives a whole district in the order of a list.
            return self.filter(district=min(scope.districts))
        reach = Q(reporter_id=scope.user_id)
        if scope.districts:
            reach |= Q(district__in=scope.districts)
        if scope.towns:
            reach |= Q(town__code__in=scope.towns)
        if scope.committees:
            reach |= Q(committee__code__in=scope.committees)
        if scope.owned:
            reach |= Q(estate__code__in=scope.owned)
        if scope.companies:
            reach |= Q(company__organisation_id__in=scope.companies)
        for organisation, places in scope.managed.items():
            mine = Q(company__organisation_id=organisation)
            reach |= mine & Q(estate__code__in=places) if places else mine
        if bodies := scope.bodies:
            reach |= Q(pk__in=Ask.objects.open_to(bodies).values("order_id"))
        if scope.works_for:
            reach |= Q(worker__user_id=scope.user_id)
            reach |= Q(company__organisation_id__in=scope.works_for, state=State.SIGNED, worker=None)
        return self.filter(reach)

    def with_names(self) -> OrderQuerySet:
        """With what a row shows, in one query."""
        return self.select_related("estate", "building", "town", "committee", "company", "worker", "text")


class Order(models.Model):
    """One matter to be handled.  Columns mirror what the events say, for finding and sorting.

    `ledger` is there on an order that was written a moment ago, so that its answer asks nothing again.
    """

    ledger: Ledger | None = None

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    number = models.CharField(max_length=20, unique=True)
    external_id = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=14)
    category = models.CharField(max_length=30)
    urgency = models.CharField(max_length=10)
    channel = models.CharField(max_length=12, default="page")
    town = models.ForeignKey(Division, models.PROTECT, null=True, related_name="+", db_index=False)
    committee = models.ForeignKey(Division, models.PROTECT, null=True, related_name="+", db_index=False)
    estate = models.ForeignKey(Estate, models.PROTECT, null=True, related_name="orders", db_index=False)
    building = models.ForeignKey(Building, models.PROTECT, null=True, related_name="+", db_index=False)
    company = models.ForeignKey(Company, models.PROTECT, null=True, related_name="orders", db_index=False)
    worker = models.ForeignKey(Worker, models.PROTECT, null=True, related_name="orders", db_index=False)
    reporter = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    reported_at = models.DateTimeField()

    state = models.CharField(max_length=10, default=State.SUBMITTED)
    state_since = models.DateTimeField()
    version = models.PositiveIntegerField(default=0)
    acted_version = models.PositiveIntegerField(default=0)
    head = models.CharField(max_length=64)
    pack = models.CharField(max_length=60)
    reopened = models.PositiveSmallIntegerField(default=0)
    track = models.CharField(max_length=64, unique=True)
    next_at = models.DateTimeField(null=True)
    poisoned_until = models.DateTimeField(null=True)

    headline_promise = models.CharField(max_length=12, blank=True)
    headline_due = models.DateTimeField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], name="order_next", condition=Q(next_at__isnull=False)),
            models.Index(fields=["district", "state", "headline_due"], name="order_district"),
            # A district's queue, by time left and without sorting: the orders that still have something due.
            models.Index(
                fields=["district", "urgency", "headline_due", "state"],
                name="order_queue",
                condition=Q(headline_due__isnull=False),
            ),
            models.Index(fields=["town", "state", "headline_due"], name="order_town"),
            models.Index(fields=["committee", "state", "headline_due"], name="order_committee"),
            models.Index(fields=["company", "state", "headline_due"], name="order_company"),
            models.Index(fields=["estate", "state", "headline_due"], name="order_estate"),
            models.Index(fields=["worker", "state"], name="order_worker"),
            models.Index(fields=["reporter"], name="order_reporter", condition=Q(reporter__isnull=False)),
            models.Index(fields=["district", "reported_at"], name="order_reported"),
            models.Index(fields=["company", "reported_at"], name="order_company_reported"),
            models.Index(fields=["town", "reported_at"], name="order_town_reported"),
            models.Index(fields=["external_id"], name="order_external", condition=~Q(external_id="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def open_to(self) -> frozenset[uuid.UUID]:
        """The organisations asked for help that see it now: `AskQuerySet.open_to` for an order at hand."""
        sent = self.worker.company.organisation_id if self.worker is not None else None
        waits = self.state in BEFORE_ARRIVAL
        return frozenset(
            ask.organisation_id
            for ask in self.asks.all()
            if ask.organisation_id == sent or (waits and ask.round == self.reopened)
        )


class AskQuerySet(models.QuerySet["Ask"]):
    def open_to(self, bodies: Iterable[uuid.UUID]) -> AskQuerySet:
        """Asks by which one of `bodies` sees an order: nobody has arrived in that round, or their own worker has it."""
        waits = Q(order__state__in=sorted(BEFORE_ARRIVAL), order__reopened=F("round"))
        theirs = Q(order__worker__company__organisation_id=F("organisation_id"))
        return self.filter(waits | theirs, organisation_id__in=bodies)


class Ask(models.Model):
    """`organisation` was asked to help with an order by a rung of the ladder (`event`), as a `tier` (`asking`).

    Written with the event.  Whoever was asked sees the order until somebody has arrived, and as long as their own
    worker has it; `round` counts the reopenings before it.
    """

    id = models.BigAutoField(primary_key=True)
    district = models.CharField(max_length=20)
    order = models.ForeignKey(Order, models.CASCADE, related_name="asks")
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+", db_index=False)
    event = models.UUIDField()
    tier = models.CharField(max_length=8)
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    objects = AskQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "organisation"], name="ask_once")]
        indexes = [models.Index(fields=["organisation", "order"], name="ask_organisation")]

    def __str__(self) -> str:
        return f"{self.order_id} → {self.organisation_id}"


class OrderText(models.Model):
    """What people said and who they are: the part of an order that can be erased.

    Contacts are sealed.  `salt` opens the commitments in the report event.  `last4_failures` guards the
    delicate actions on the tracking page.  `erased_at`: the rest is empty because it was erased (`erasure`).
    """

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="text")
    description = models.TextField(blank=True)
    unit = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=200, blank=True)
    name = models.BinaryField(default=b"", blank=True)
    phone = models.BinaryField(default=b"", blank=True)
    phone_hash = models.CharField(max_length=64, blank=True)
    salt = models.CharField(max_length=64, blank=True)
    last4_failures = models.PositiveSmallIntegerField(default=0)
    last4_locked_until = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["phone_hash"], name="text_phone", condition=~Q(phone_hash=""))]

    def __str__(self) -> str:
        return self.description[:40]


class OrderWords(models.Model):
    """What an order is found by (`search`): its words between blanks.  Kept by a follower, made anew at will.

    Each database has an index beside it, made by a migration: an FTS5 table, or a column `tokens`.  Ids follow the
    time of the report, so that the index gives the latest answers first.
    """

    id = models.BigIntegerField(primary_key=True)
    order = models.OneToOneField(Order, models.CASCADE, related_name="words")
    district = models.CharField(max_length=20)
    words = models.TextField()

    def __str__(self) -> str:
        return self.words


class Event(models.Model):
    """One line of the log.  `canonical` is what was hashed; the columns repeat some of it for finding.

    `seq` counts, but becomes visible out of order on PostgreSQL: followers read by (`xid`, `seq`).
    """

    seq = models.BigAutoField(primary_key=True)
    xid = models.BigIntegerField(db_default=CurrentTransaction())
    id = models.UUIDField(unique=True, default=uuid7)
    district = models.CharField(max_length=20)
    order = models.ForeignKey(Order, models.PROTECT, related_name="events", db_index=False)
    version = models.PositiveIntegerField()
    verb = models.CharField(max_length=16)
    milestone = models.CharField(max_length=12, null=True)
    by = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=12)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    claimed = models.BooleanField(default=False)
    canonical = models.TextField()
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "version"], name="event_order_version")]
        indexes = [
            models.Index(fields=["xid", "seq"], name="event_cursor"),
            # Figures look for the few verbs of a period; a partial index cannot be used with bound values on SQLite.
            models.Index(fields=["verb", "at"], name="event_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.version} {self.verb}"

    @property
    def data(self) -> dict[str, Any]:
        """The event's data as it was hashed (commitments in place of personal text)."""
        kept: dict[str, Any] | None = self.__dict__.get("_data")
        if kept is None:
            kept = self.__dict__["_data"] = json.loads(self.canonical)["data"]
        return kept


class EventText(models.Model):
    """A text or position that an event committed to: erasable, and checked against the commitment."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, models.CASCADE, related_name="event_texts")
    version = models.PositiveIntegerField()
    field = models.CharField(max_length=20)
    text = models.TextField()
    salt = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "version", "field"], name="event_text_once")]

    def __str__(self) -> str:
        return self.text[:40]


class Attachment(models.Model):
    """A photo of an order.  Its files lie in the store, under names made of the id (`photofiles`).

    `sm3` is that of the file as kept, and stands in the log; `source` that of the bytes as they were sent, by which
    the same photo sent twice is known.  `taken_at`, `distance_m` (from the order's place, metres) and `point`
    (sealed) are what the camera noted: for those who check, and for nobody else.  `kept`: the files are still there;
    an erased photo (`erased_at`) is `kept` until they are gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    order = models.ForeignKey(Order, models.CASCADE, related_name="attachments", db_index=False)
    purpose = models.CharField(max_length=10)
    by = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=12)
    at = models.DateTimeField()
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sm3 = models.CharField(max_length=64)
    source = models.CharField(max_length=64, blank=True)
    taken_at = models.DateTimeField(null=True)
    distance_m = models.PositiveIntegerField(null=True)
    point = models.BinaryField(default=b"", blank=True)
    erased_at = models.DateTimeField(null=True)
    kept = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "purpose", "by", "source"], name="attachment_once", condition=~Q(source="")
            )
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="attachment_order"),
            models.Index(
                fields=["erased_at"], name="attachment_to_delete", condition=Q(erased_at__isnull=False, kept=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"


class Clock(models.Model):
    """A promise's clock as judged at the order's last event (`promises.Clock`), for figures and lists."""

    id = models.BigAutoField(primary_key=True)
    district = models.CharField(max_length=20)
    order = models.ForeignKey(Order, models.CASCADE, related_name="clocks", db_index=False)
    promise = models.CharField(max_length=12)
    round = models.PositiveSmallIntegerField()
    rule = models.CharField(max_length=40)
    state = models.CharField(max_length=8)
    from_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reached_at = models.DateTimeField(null=True)
    limit_minutes = models.PositiveIntegerField()
    paused_minutes = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=20, blank=True)
    claimed = models.BooleanField(default=False)
    grade = models.CharField(max_length=1, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "promise", "round"], name="clock_once")]
        indexes = [models.Index(fields=["district", "promise", "due_at"], name="clock_due")]

    def __str__(self) -> str:
        return f"{self.promise} {self.round} {self.state}"

    @property
    def present_state(self) -> str:
        """The state now: a running clock past its due time is missed, whether or not it was written down."""
        return "missed" if self.state == "running" and timezone.now() > self.due_at else self.state


class Withdrawal(models.Model):
    """The record of an order that was taken out whole, with its chain: its id, how many events it had, its head."""

    order = models.UUIDField(primary_key=True)
    district = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    head = models.CharField(max_length=64)
    by = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.order)


class IdempotencyKey(models.Model):
    """What an `Idempotency-Key` was used for, by whom, for 24 hours."""

    id = models.BigAutoField(primary_key=True)
    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return self.key


class Cursor(models.Model):
    """How far a follower has read the event log."""

    follower = models.CharField(max_length=30, primary_key=True)
    xid = models.BigIntegerField(default=0)
    seq = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.follower} at {self.xid}-{self.seq}"
