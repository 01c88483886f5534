"""The bulk twin of `act` and `accept`: the same fold, kept in memory and written together.

For simulations, seeding and syncing: one process that owns the orders it touches.  Tested equal to saying
the same things one by one.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from jiying.core import bulk
from jiying.core.errors import BadCode, JiyingError, NotFound
from jiying.estates.models import Worker
from jiying.orders import store
from jiying.orders.actors import Actor, sees
from jiying.orders.chain import Moment
from jiying.orders.drafts import Draft, Numbers, write_drafts
from jiying.orders.intake import NewOrder, make_draft
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order
from jiying.orders.places import Places
from jiying.orders.proof import Place, WrongCode
from jiying.orders.saying import Database, record_wrong_code, say

_DATABASE = Database()


@dataclass(frozen=True, slots=True)
class Command:
    """One verb about one order, as `act` takes it."""

    order: uuid.UUID
    verb: str
    by: Actor
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)
    received_at: datetime | None = None


class Batch:
    """Orders in memory, their changes waiting to be written.

    Use as a context manager; `flush` writes everything so far in one transaction, and leaving writes the rest.
    `watch(now)` fires what fell due on the orders in memory, punctually.
    """

    def __init__(self, *, numbers: Numbers | None = None, places: Places | None = None) -> None:
        self.places = places if places is not None else Places.everything()
        self._numbers = numbers or Numbers()
        self._held: dict[uuid.UUID, tuple[Order, Ledger]] = {}
        self._drafts: list[Draft] = []
        self._changes: dict[uuid.UUID, store.Change] = {}
        self._due: list[tuple[datetime, uuid.UUID]] = []
        self._workers: dict[str, Worker] = {}
        self._worker_of: dict[uuid.UUID, Worker] = {}
        self.written = 0
        self.on_moment: Callable[[Order, Ledger, Moment], None] | None = None

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        if kind is None:
            self.flush()

    # -- lookups that verbs need ------------------------------------------------------------------

    def _read_workers(self) -> None:
        for worker in Worker.objects.select_related("company"):
            self._workers[str(worker.id)] = worker
            if worker.user_id:
                self._worker_of[worker.user_id] = worker

    def worker(self, worker_id: str) -> Worker | None:
        if worker_id not in self._workers:
            self._read_workers()
        return self._workers.get(worker_id)

    def worker_of(self, user_id: uuid.UUID) -> Worker | None:
        if user_id not in self._worker_of:
            self._read_workers()
        return self._worker_of.get(user_id)

    def place(self, order: Order) -> Place:
        return _DATABASE.place(order)

    def photos(self, order: Order, ids: Sequence[str]) -> dict[str, str]:
        return _DATABASE.photos(order, ids)

    # -- doors --------------------------------------------------------------------------------------

    def accept(self, new: NewOrder, *, by: Actor, now: datetime) -> Order:
        """Like `intake.accept_one`; raises the same errors."""
        draft = make_draft(new, by=by, now=now, places=self.places)
        self._drafts.append(draft)
        self._held[draft.order.id] = (draft.order, draft.ledger)
        store.mirror(draft.order, draft.ledger)
        self._watch_over(draft.order.id, draft.ledger)
        self._tell(draft.order, draft.ledger, draft.ledger.moments)
        return draft.order

    def hold(self, orders: Iterable[Order]) -> None:
        """Read orders of the database into memory; joined as `act` joins them."""
        rows = list(orders)
        ledgers = store.load_many(rows)
        for order in rows:
            self._held[order.id] = (order, ledgers[order.id])
            self._watch_over(order.id, ledgers[order.id])

    def ledger(self, order: uuid.UUID) -> Ledger:
        return self._held[order][1]

    def act(self, command: Command) -> Order:
        """Like `actions.act`, after firing what fell due on this order before; raises the same errors."""
        now = command.received_at or command.at
        if command.order not in self._held:
            raise NotFound(_("没有找到这张工单。"))
        order, ledger = self._held[command.order]
        self._fire(order, ledger, now - timedelta.resolution)
        if not sees(order, command.by, ledger.state) and not _may_take(order, command):
            raise NotFound(_("没有找到这张工单。"))
        change = self._change(order, ledger)
        try:
            moment = say(
                change,
                command.verb,
                by=command.by,
                at=command.at,
                now=now,
                data=dict(command.data),
                lookup=self,
            )
        except WrongCode as error:
            self._after(order, ledger, [record_wrong_code(change, command.by, now)])
            raise BadCode(error.detail) from error
        if moment.verb in ("assign", "take", "return"):
            order.worker = self._workers.get(ledger.worker)
        self._after(order, ledger, [moment])
        return order

    def watch(self, now: datetime) -> None:
        """Fire everything due by `now` on the orders in memory, each at its due time."""
        while self._due and self._due[0][0] <= now:
            _at, order_id = heapq.heappop(self._due)
            order, ledger = self._held.get(order_id, (None, None))
            if order is not None and ledger is not None:
                self._fire(order, ledger, now)

    @property
    def next_due(self) -> datetime | None:
        """When the next step falls due; may be early, never late."""
        return self._due[0][0] if self._due else None

    def flush(self) -> int:
        """Write what waits, in one transaction; returns how many events."""
        fresh = {draft.order.id for draft in self._drafts}
        changes = [change for key, change in self._changes.items() if key not in fresh]
        events = sum(len(draft.ledger.moments) for draft in self._drafts) + sum(len(c.moments) for c in changes)
        with transaction.atomic():
            write_drafts(self._drafts, self._numbers)
            bulk.insert([text for key, change in self._changes.items() if key in fresh for text in change.texts])
            if changes:
                self._update(changes)
                store.write_log(changes)
        self._drafts, self._changes = [], {}
        self.written += events
        return events

    # -- inside -------------------------------------------------------------------------------------

    def _update(self, changes: list[store.Change]) -> None:
        for change in changes:
            store.mirror(change.order, change.ledger)
        bulk.update([change.order for change in changes], store.MOVING_FIELDS)

    def _change(self, order: Order, ledger: Ledger) -> store.Change:
        change = self._changes.get(order.id)
        if change is None:
            change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
            self._changes[order.id] = change
        return change

    def _fire(self, order: Order, ledger: Ledger, now: datetime) -> None:
        if ledger.next_at is None or ledger.next_at > now:
            return
        change = self._change(order, ledger)
        fired = ledger.fire(now, punctual=True)
        change.moments += fired
        self._after(order, ledger, fired)

    def _after(self, order: Order, ledger: Ledger, moments: list[Moment]) -> None:
        self._watch_over(order.id, ledger)
        self._tell(order, ledger, moments)

    def _tell(self, order: Order, ledger: Ledger, moments: list[Moment]) -> None:
        if self.on_moment:
            for moment in moments:
                self.on_moment(order, ledger, moment)

    def _watch_over(self, order_id: uuid.UUID, ledger: Ledger) -> None:
        due = ledger.next_at
        if due is not None:
            heapq.heappush(self._due, (due, order_id))


def _may_take(order: Order, command: Command) -> bool:
    """Whether a colleague says `take`, who is told what came of it even when somebody was first."""
    company = order.company
    return command.verb == "take" and company is not None and company.organisation_id in command.by.scope.works_for


def act_many(commands: Iterable[Command]) -> list[Order | JiyingError]:
    """Say many verbs in one transaction, in their order; what is refused stops none of the others."""
    wanted = list(commands)
    results: list[Order | JiyingError] = []
    with transaction.atomic(), Batch(places=Places(district=None)) as batch:
        rows = Order.objects.select_related("estate", "town", "committee", "company", "worker__company")
        batch.hold(
            rows.select_for_update(of=("self",), no_key=True).filter(pk__in={command.order for command in wanted})
        )
        for command in wanted:
            try:
                results.append(batch.act(command))
            except JiyingError as error:
                results.append(error)
    return results
