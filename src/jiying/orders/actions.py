"""The one door: whatever happens to an order, whoever does it, goes through `act`.

One transaction checks that this person may do this to this order now, appends one event, and brings the
order's columns and clocks to what its events say.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core import journal
from jiying.core.errors import BadCode, JiyingError, NotFound
from jiying.estates.models import Worker
from jiying.orders import idempotency, store
from jiying.orders.actors import JUDGING, Actor, roles_for
from jiying.orders.chain import Moment
from jiying.orders.contacts import last4_of
from jiying.orders.models import Order, OrderQuerySet, OrderText
from jiying.orders.proof import WrongCode
from jiying.orders.saying import Database, record, record_wrong_code, say
from jiying.orders.states import OBSERVATIONS, VERBS, State, find
from jiying.people.scopes import NOBODY

LAST4_TRIES = 5
LAST4_LOCK = timedelta(hours=1)


_DATABASE = Database()


def act(
    order_id: uuid.UUID,
    verb: str,
    *,
    by: Actor,
    at: datetime | None = None,
    data: dict[str, Any] | None = None,
    expected_version: int | None = None,
    key: str = "",
    now: datetime | None = None,
    noted: Mapping[str, Any] | None = None,
) -> Order:
    """Say `verb` about an order, after writing what fell due on it before, as a watcher in time would have.

    Args:
        by: who says it; an order out of their scope does not exist for them.
        at: when it happened (aware); None means now.  Must lie between the last action and now.
        data: what the verb wants (`verbs`).
        expected_version: the version the person saw; the watcher's events since then do not matter.
        noted: what the asker's system adds to the event of an `assign`, ids and numbers alone; no part of what was
            asked, so that a repeat under one key stays one.
        key: an idempotency key; the same key and input again changes nothing and returns the order.

    Raises:
        NotFound, UnknownVerb, NotYours, StaleVersion, ImpossibleVerb, BadInput, BadCode, KeyReused.
    """
    now = now or timezone.now()
    data = dict(data or {})
    refused: JiyingError | None = None
    with transaction.atomic():
        order = locked(order_id, verb, by)
        caller, body = by.code or f"track:{order_id}", [str(order_id), verb, data]
        if key and idempotency.earlier(caller, key, body, now) is not None:
            return order
        journal.note(order=order.number, verb=verb)
        ledger = store.load(order)
        change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
        # What falls due in this very instant is still in time.
        change.moments += ledger.fire(now - timedelta.resolution)
        try:
            say(
                change,
                verb,
                by=by,
                at=at,
                now=now,
                data=data,
                lookup=_DATABASE,
                expected_version=expected_version,
                noted=noted,
            )
        except WrongCode as error:
            refused = BadCode(error.detail)
            record_wrong_code(change, by, now)
        except JiyingError as error:
            # What fell due is written whatever becomes of the verb: the refusal speaks of the order as it then is.
            refused = error
        if change.moments:
            store.write(change)
        if key and refused is None:
            idempotency.keep(caller, key, body, order, now)
    if refused is not None:
        raise refused
    order.ledger = ledger
    return order


def observe(
    order_id: uuid.UUID, verb: str, *, rule: str, data: dict[str, Any], now: datetime | None = None
) -> Moment | None:
    """Keep what a rule noticed about an order (one of `OBSERVATIONS`); it moves nothing and makes nobody stale.

    Once for each `step` in `data` until the order changes hands: None when it was kept before.

    Raises:
        NotFound: there is no such order.
        StaleVersion: somebody wrote in the same instant.
    """
    if verb not in OBSERVATIONS:
        raise ValueError(f"{verb} is no observation")
    with transaction.atomic():
        order = locked(order_id, verb, Actor(scope=NOBODY, rule=rule))
        ledger = store.load(order)
        change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
        moment = record(change, verb, rule=rule, data=data, now=now or timezone.now())
        if moment is not None:
            store.write(change)
        return moment


def within_reach(order_id: uuid.UUID, by: Actor) -> Order:
    """The order, joined with all that tells roles towards it, but not locked (NotFound: none in their scope)."""
    return _found(_reach("", by).filter(pk=order_id).first())


def locked(order_id: uuid.UUID, verb: str, by: Actor) -> Order:
    """The order, locked until the transaction ends; `take` looks past what others took meanwhile (NotFound).

    Its key stays free (`no_key`): followers that write rows about it do not wait for whoever holds it.
    """
    order = _found(_reach(verb, by).select_for_update(of=("self",), no_key=True).filter(pk=order_id).first())
    if order.worker_id != (order.worker.pk if order.worker else None):
        # Whoever held the lock before changed the worker: the row is read again after waiting, joined rows are not.
        taken = order.worker_id
        order.worker = Worker.objects.select_related("company").get(pk=taken) if taken else None
    return order


def _reach(verb: str, by: Actor) -> OrderQuerySet:
    rows = Order.objects.select_related("estate", "town", "committee", "company", "worker__company")
    if by.track or by.rule:
        return rows
    scope = rows.in_scope(by.scope)
    if verb == "take" and by.scope.works_for:
        scope = scope | rows.filter(company__organisation_id__in=by.scope.works_for)
    return scope


def _found(order: Order | None) -> Order:
    if order is None:
        raise NotFound(_("没有找到这张工单。"))
    return order


def check_last4(order: Order, last4: str | None, *, now: datetime | None = None) -> None:
    """The holder of a link proves to be the reporter by the last four digits of the telephone.

    Orders without a telephone ask for nothing.  After five wrong tries the link is closed for an hour.

    Raises:
        BadCode: missing, wrong, or closed.
    """
    now = now or timezone.now()

    expected = last4_of(order)
    if not expected:
        if OrderText.objects.filter(pk=order.pk, erased_at__isnull=False).exists():
            # Who held the link can no longer prove to be the reporter.
            raise BadCode(_("报修人的信息已按规定删除，请致电物业或指挥中心办理。"))
        return
    with transaction.atomic():
        text = OrderText.objects.select_for_update().get(pk=order.pk)
        if text.last4_locked_until and now < text.last4_locked_until:
            raise BadCode(_("号码后四位输错次数过多，请一小时后再试，或拨打物业电话办理。"))
        if last4 == expected:
            if text.last4_failures:
                OrderText.objects.filter(pk=order.pk).update(last4_failures=0, last4_locked_until=None)
            return
        if last4:
            failures = text.last4_failures + 1
            locked = now + LAST4_LOCK if failures >= LAST4_TRIES else None
            OrderText.objects.filter(pk=order.pk).update(
                last4_failures=0 if locked else failures, last4_locked_until=locked
            )
    raise BadCode(_("请输入报修电话的后四位。") if not last4 else _("电话后四位不对。"))


def possible_verbs(order: Order, reached: set[str], by: Actor) -> list[str]:
    """The verbs `by` may say about `order` now; `reached` are the milestones of its present round."""
    roles, judging = roles_for("note", order, by), roles_for("verify", order, by)
    state = State(order.state)
    return [verb for verb in VERBS if find(verb, state, judging if verb in JUDGING else roles, reached, order.kind)]
