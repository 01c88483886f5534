"""What each verb wants with it, checked and turned into the data of its event.

A verb without an entry takes no data.  Checks that need the database get it through `Context.lookup`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from django.utils.translation import gettext as _

from jiying.core.errors import BadInput
from jiying.core.text import clean
from jiying.core.times import parse_rfc3339
from jiying.orders.ledger import Ledger
from jiying.orders.proof import Place, arrival_data, typed_on_arrival
from jiying.orders.states import IMPORT, OPEN, RULE, State

if TYPE_CHECKING:
    from jiying.estates.models import Worker
    from jiying.orders.models import Order

OVERRULINGS = ("knows_place", "on_the_way", "nearer_now", "not_reached", "asked_for", "skill", "other")
"""Why a person sends somebody else than was suggested."""

SATISFACTION = ("satisfied", "fairly", "dissatisfied")
MAX_TEXT = 4000
MAX_CELL = 32_767
"""Characters that a cell of a spreadsheet holds."""
MAX_PHOTOS = 20
LONGEST_NEW_TIME = timedelta(days=30)
MAY_EXPLAIN = frozenset({"worker", "manager", "company", "operator"})
"""Who may tell a resident of a new time: those who can keep it, or see to it."""


class Lookup(Protocol):
    """What verbs ask of the database."""

    def worker(self, worker_id: str) -> Worker | None:
        """A worker by id, with company."""

    def worker_of(self, user_id: uuid.UUID) -> Worker | None:
        """The worker a user is."""

    def place(self, order: Order) -> Place:
        """Where the order is."""

    def photos(self, order: Order, ids: Sequence[str]) -> dict[str, str]:
        """Of the photos named, those that are this order's: id → SM3 of the file."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a verb's check may look at.  `noted`: what the system adds by itself, ids and numbers alone.

    `helping`: the companies that were asked for help, of those that whoever speaks speaks for.
    """

    order: Order
    ledger: Ledger
    role: str
    user_id: uuid.UUID | None
    data: dict[str, Any]
    at: datetime
    now: datetime
    lookup: Lookup
    noted: Mapping[str, Any] = field(default_factory=dict)
    helping: frozenset[uuid.UUID] = frozenset()


Prepare = Callable[[Context], dict[str, Any]]


def prepare(verb: str, context: Context) -> dict[str, Any]:
    """The data of `verb`'s event (personal text still in it).

    Raises:
        BadInput: a field is missing or wrong; the fields are named `data.NAME`.
    """
    check = _CHECKS.get(verb)
    data = check(context) if check else {}
    if context.role == "operator" and verb in _BEHALF:
        data["on_behalf"] = True
    return data


_BEHALF = frozenset({"depart", "contact", "arrive", "make_safe", "done"})


def _text(context: Context, name: str, *, required: bool, max_chars: int = MAX_TEXT) -> str:
    value = context.data.get(name)
    if value is None and not required:
        return ""
    return clean(value, field=f"data.{name}", max_chars=max_chars, required=required)


def _with_text(name: str, *, required: bool) -> Prepare:
    def check(context: Context) -> dict[str, Any]:
        text = _text(context, name, required=required)
        return {name: text} if text else {}

    return check


def _reason(context: Context) -> dict[str, Any]:
    """A reason in words; personal text, so it is kept apart under `reason_text`."""
    return {"reason_text": _text(context, "reason", required=True)}


def _refuse(context: Context) -> dict[str, Any]:
    return {"rule": clean(context.data.get("rule"), field="data.rule", max_chars=200, single_line=True)}


def _assign(context: Context) -> dict[str, Any]:
    wanted = context.data.get("worker")
    if not wanted:
        raise BadInput.of("data.worker", "required", _("请选择派给哪位维修工。"))
    worker = context.lookup.worker(str(wanted))
    company = context.order.company_id
    district = context.order.district
    if worker is None or not worker.active or worker.company.district != district:
        raise BadInput.of("data.worker", "unknown_worker", _("没有这位维修工。"))
    if context.role == "helper":
        if worker.company.organisation_id not in context.helping:
            raise BadInput.of("data.worker", "unknown_worker", _("支援只能派本企业的维修工。"))
    elif context.role not in ("operator", RULE) and worker.company_id != company:
        raise BadInput.of("data.worker", "unknown_worker", _("这位维修工不属于本小区的服务企业。"))
    data: dict[str, Any] = {"worker": str(worker.id), **context.noted}
    before = context.ledger.worker
    if before and before != data["worker"]:
        data["instead_of"] = before
    return {**data, **_overruling(context)}


def _overruling(context: Context) -> dict[str, Any]:
    """Why somebody else is sent than was suggested: a code of `OVERRULINGS`, and words that are kept apart."""
    data: dict[str, Any] = {}
    code = context.data.get("overrule")
    if code:
        if code not in OVERRULINGS:
            raise BadInput.of("data.overrule", "unknown_reason", _("没有这个改派理由。"))
        data["overrule"] = code
    text = _text(context, "reason", required=False)
    if text:
        data["reason_text"] = text
    return data


def _take(context: Context) -> dict[str, Any]:
    worker = context.lookup.worker_of(context.user_id) if context.user_id else None
    if worker is None or worker.company_id != context.order.company_id:
        raise BadInput.of("data.worker", "unknown_worker", _("您的账号没有关联本企业的维修工。"))
    return {"worker": str(worker.id)}


def _arrive(context: Context) -> dict[str, Any]:
    data = arrival_data(
        context.ledger,
        context.data,
        place=context.lookup.place(context.order),
        by_centre=context.role == "operator",
    )
    if context.role != IMPORT and typed_on_arrival(context.ledger, context.at):
        data["soon_after_typing"] = True
    return data


def _done(context: Context) -> dict[str, Any]:
    photos = _attachments(context)
    category = context.ledger.pack.categories.get(context.order.category)
    wanted = category is not None and category.photos == "required" and context.ledger.kind == "repair"
    # Who telephones has no camera in the hand, and a table from elsewhere holds none; the event names who says it.
    if wanted and not photos and context.role not in ("operator", IMPORT):
        raise BadInput.of("data.attachments", "required", _("这类维修要附修后照片才能报完工，请先拍一张。"))
    # What another system answered is kept whole: a cell of a spreadsheet holds that much.
    longest = MAX_CELL if context.role == IMPORT else MAX_TEXT
    note = _text(context, "note", required=False, max_chars=longest)
    return {**({"note": note} if note else {}), **photos}


def _cancel(context: Context) -> dict[str, Any]:
    """Cancelled by its reporter; or, as an import tells, since it said the same as another order."""
    return {"merged": True} if context.role == IMPORT and context.data.get("merged") is True else {}


def _attachments(context: Context) -> dict[str, Any]:
    """The photos a verb names, each once, with the SM3 of their files: a file that is swapped later shows."""
    named = context.data.get("attachments") or []
    if not isinstance(named, list) or len(named) > MAX_PHOTOS:
        raise BadInput.of("data.attachments", "invalid", _("照片应为一个列表，最多 20 张。"))
    ids = list(dict.fromkeys(str(one).lower()[:64] for one in named))
    if not ids:
        return {}
    known = context.lookup.photos(context.order, ids)
    if missing := [one for one in ids if one not in known]:
        text = _("这张工单没有这张照片：%(which)s。请先上传，再附上它的编号。")
        raise BadInput.of("data.attachments", "unknown_attachment", text % {"which": missing[0][:40]})
    return {"attachments": ids, "attachments_sm3": [known[one] for one in ids]}


def _pause(context: Context) -> dict[str, Any]:
    reasons = context.ledger.pack.pauses
    reason = context.data.get("reason")
    if not isinstance(reason, str) or reason not in reasons:
        known = "、".join(reasons)
        raise BadInput.of("data.reason", "unknown_reason", _("挂起原因应为其中之一：%(known)s") % {"known": known})
    until = parse_rfc3339(context.data.get("until"), "data.until")
    if until <= context.at:
        raise BadInput.of("data.until", "bad_time", _("挂起的结束时间应晚于开始时间。"))
    if until > context.at + timedelta(days=366):
        raise BadInput.of("data.until", "bad_time", _("挂起不能超过一年。"))
    data: dict[str, Any] = {"reason": reason, "until": until.isoformat(), **_attachments(context)}
    if until - context.at > timedelta(minutes=reasons[reason].max_min):
        data["needs_approval"] = True
    return data


def _solved(context: Context) -> dict[str, Any]:
    solved = context.data.get("solved", True)
    if not isinstance(solved, bool):
        raise BadInput.of("data.solved", "invalid", _("“是否解决”应为 true 或 false。"))
    return {"solved": solved}


def _rate(context: Context) -> dict[str, Any]:
    satisfaction = context.data.get("satisfaction")
    if satisfaction not in SATISFACTION:
        raise BadInput.of("data.satisfaction", "invalid", _("请选择满意、基本满意或不满意。"))
    data = {"satisfaction": satisfaction, **_solved(context)}
    comment = _text(context, "comment", required=False)
    return {**data, "comment": comment} if comment else data


def _reclassify(context: Context) -> dict[str, Any]:
    pack = context.ledger.pack
    facts = context.ledger.judge.facts
    assert facts is not None, "an order has its report"
    out: dict[str, Any] = {}
    kind, category, urgency = (context.data.get(name) for name in ("kind", "category", "urgency"))
    if kind is not None:
        out["kind"] = checked_kind(kind, "data.kind")
    if category is not None:
        out["category"] = checked_category(category, pack.categories, "data.category")
        out["part"] = pack.categories[category].part
    if urgency is not None:
        out["urgency"] = checked_urgency(urgency, "data.urgency")
    if not any(out.get(name, getattr(facts, name)) != getattr(facts, name) for name in ("kind", "category", "urgency")):
        raise BadInput.of("data", "unchanged", _("没有改动：类型、类别和紧急程度都与原来相同。"))
    if out.get("urgency") == "ordinary" and facts.urgency == "emergency":
        out["downgraded"] = True
    return out


def _supervise(context: Context) -> dict[str, Any]:
    answer_by = parse_rfc3339(context.data.get("answer_by"), "data.answer_by")
    if answer_by <= context.now:
        raise BadInput.of("data.answer_by", "bad_time", _("答复期限应晚于现在。"))
    if answer_by > context.now + timedelta(days=36_600):
        raise BadInput.of("data.answer_by", "bad_time", _("答复期限太远了。"))
    return {"text": _text(context, "text", required=True), "answer_by": answer_by.isoformat()}


def _note(context: Context) -> dict[str, Any]:
    data: dict[str, Any] = {"text": _text(context, "text", required=True)}
    if context.data.get("declines"):
        if context.role != "worker" or context.ledger.state is not State.ASSIGNED:
            raise BadInput.of("data.declines", "not_yours", _("只有派给您、还没出发的单可以说去不了。"))
        data["declines"] = context.ledger.worker
    if context.data.get("new_time") is not None:
        data["new_time"] = _new_time(context)
    answers = context.data.get("answers")
    if answers is not None:
        asked = {str(moment.id) for moment in context.ledger.moments if moment.verb == "supervise"}
        if str(answers) not in asked:
            raise BadInput.of("data.answers", "unknown_event", _("没有这条督办。"))
        data["answers"] = str(answers)
    return data


def _new_time(context: Context) -> str:
    """By when somebody will be there after all, which the resident is told."""
    if context.role not in MAY_EXPLAIN or context.ledger.state not in OPEN:
        raise BadInput.of("data.new_time", "not_yours", _("只有办理这张工单的人，在完工之前，可以告诉居民新的时间。"))
    new_time = parse_rfc3339(context.data.get("new_time"), "data.new_time")
    if not context.now < new_time <= context.now + LONGEST_NEW_TIME:
        raise BadInput.of("data.new_time", "bad_time", _("新的时间应晚于现在，并在三十天以内。"))
    return new_time.isoformat()


def _solve_remotely(context: Context) -> dict[str, Any]:
    return {"remote": True, "note": _text(context, "note", required=True)}


def checked_kind(value: Any, field: str) -> str:
    """A kind of order (BadInput `unknown_kind`)."""
    if value not in KINDS:
        raise BadInput.of(field, "unknown_kind", _("没有这种类型：%(what)s") % {"what": str(value)[:40]})
    return str(value)


def checked_urgency(value: Any, field: str) -> str:
    """An urgency (BadInput `unknown_urgency`)."""
    if value not in URGENCIES:
        raise BadInput.of(field, "unknown_urgency", _("紧急程度应为 emergency 或 ordinary。"))
    return str(value)


def checked_category(value: Any, known: Any, field: str) -> str:
    """A category of the pack (BadInput `unknown_category`)."""
    if not isinstance(value, str) or value not in known:
        raise BadInput.of(field, "unknown_category", _("没有这个类别：%(what)s") % {"what": str(value)[:40]})
    return value


KINDS = ("repair", "complaint", "enquiry", "suggestion", "praise", "rectification")
URGENCIES = ("emergency", "ordinary")

_CHECKS: dict[str, Prepare] = {
    "return": _reason,
    "refuse": _refuse,
    "assign": _assign,
    "take": _take,
    "arrive": _arrive,
    "make_safe": _with_text("note", required=False),
    "done": _done,
    "cancel": _cancel,
    "pause": _pause,
    "confirm": _solved,
    "verify": _solved,
    "reopen": _reason,
    "rate": _rate,
    "reclassify": _reclassify,
    "solve_remotely": _solve_remotely,
    "supervise": _supervise,
    "urge": _with_text("text", required=False),
    "note": _note,
}


def stopped_by_unsolved(verb: str, data: dict[str, Any]) -> bool:
    """Whether "not solved" was said, which is a reopening rather than a verification."""
    return verb in ("confirm", "verify") and data.get("solved") is False
