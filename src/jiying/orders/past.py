"""Orders that happened elsewhere: the door of imports, beside `intake` and `actions`.

What another system's ledger tells of an order becomes events of the same fold, said by the import in the
role `import`: the report, and each moment the ledger knows, at its own time and received now.  Most are
therefore `claimed`, which is what they are.  Steps that another system never says are skipped, not made up;
what was due before is judged, and nobody is told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from jiying.core.errors import BadInput, ImpossibleVerb, JiyingError
from jiying.core.text import clean
from jiying.orders import intake, store
from jiying.orders.actors import STRANGER, Actor
from jiying.orders.drafts import Draft, Numbers, write_drafts
from jiying.orders.intake import Accepted, NewOrder, make_draft
from jiying.orders.models import Order
from jiying.orders.places import Places
from jiying.orders.saying import Database, say
from jiying.orders.states import IMPORT, State, find
from jiying.orders.verbs import MAX_CELL

_DATABASE = Database()


@dataclass(frozen=True, slots=True)
class Passed:
    """One verb that was said elsewhere, and when; `data` as the verb wants it."""

    verb: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastOrder:
    """A report with its time, and what is known to have happened since, in its order."""

    new: NewOrder
    passed: tuple[Passed, ...] = ()


def importer(import_id: object) -> Actor:
    """The actor in whose name an import speaks; events say `import:ID`."""
    return Actor(STRANGER.scope, name="import", staff=True, importing=str(import_id))


def check(past: PastOrder, *, now: datetime, places: Places) -> None:
    """Whether `draft_past` would take an order, without the work of sealing it.

    Raises:
        As `draft_past`.
    """
    report = intake.check(past.new, by=importer(""), now=now, places=places)
    last = report.at
    for moment in past.passed:
        if moment.at > now or moment.at < last:
            raise BadInput.of(f"{moment.verb}.at", "bad_time", _("办理时间在将来，或早于前一个动作。"))
        last = moment.at
        for name, most in (("note", MAX_CELL), ("rule", 200)):
            if moment.data.get(name):
                clean(moment.data[name], field=f"data.{name}", max_chars=most)
    if not _possible(tuple(moment.verb for moment in past.passed), report.facts["kind"]):
        raise ImpossibleVerb(_("这些办理时间互相矛盾：先后次序不可能是这样。"))


@lru_cache(maxsize=4096)
def _possible(verbs: tuple[str, ...], kind: str) -> bool:
    """Whether an import may say `verbs` of a new order one after the other."""
    state, roles, reached = State.SUBMITTED, frozenset({IMPORT}), {"reported"}
    for verb in verbs:
        row = find(verb, state, roles, reached, kind)
        if row is None:
            return False
        state = State(row.target) if row.target else state
        reached |= {row.reaches} if row.reaches else set()
    return True


def draft_past(past: PastOrder, *, by: Actor, now: datetime, places: Places) -> Draft:
    """Check an order with its past whole; nothing is written yet.

    Raises:
        BadInput: with all wrong fields of the report, or the first wrong moment (`bad_time`: before the one
            before it, or in the future).  ImpossibleVerb: the moments contradict each other.
    """
    draft = make_draft(past.new, by=by, now=now, places=places)
    change = store.Change(order=draft.order, ledger=draft.ledger)
    _tell(change, past.passed, by, now)
    # What fell due while another system held it is written down now, and told to nobody.
    draft.ledger.fire(now, quiet=True)
    draft.texts = change.texts
    return draft


def accept_past(
    pasts: Sequence[PastOrder], *, by: Actor, now: datetime, places: Places, numbers: Numbers
) -> list[Accepted]:
    """Take many orders with their past in one transaction; one that is refused stops none of the others."""
    results = [_try_draft(past, by, now, places) for past in pasts]
    with transaction.atomic():
        write_drafts([draft for draft in results if isinstance(draft, Draft)], numbers)
    return [Accepted(order=result.order) if isinstance(result, Draft) else Accepted(error=result) for result in results]


def go_on(order: Order, passed: Iterable[Passed], *, by: Actor, now: datetime, dry: bool = False) -> None:
    """Say what happened meanwhile to an order that was imported before; `dry` only checks.

    The order must have been read with its estate, town, committee, company and worker, and outside a dry run
    with a lock.

    Raises:
        The errors of `actions.act`.
    """
    ledger = store.load(order)
    change = store.Change(order=order, ledger=ledger, before=store.clocks_before(ledger))
    _tell(change, passed, by, now)
    if not dry:
        store.write(change)


def _tell(change: store.Change, passed: Iterable[Passed], by: Actor, now: datetime) -> None:
    for moment in passed:
        say(change, moment.verb, by=by, at=moment.at, now=now, data=dict(moment.data), lookup=_DATABASE)


def _try_draft(past: PastOrder, by: Actor, now: datetime, places: Places) -> Draft | JiyingError:
    try:
        return draft_past(past, by=by, now=now, places=places)
    except JiyingError as error:
        return error
