"""One order as a fold over its events: what `act`, the bulk twins, the watcher and `verify-chain` share.

Pure.  A `Ledger` is rebuilt from events and advanced by one event at a time; it holds the state, the clocks
and what fired, and nothing that the events do not say.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from jiying.core.errors import BadInput, ImpossibleVerb, NotYours, StaleVersion, UnknownVerb
from jiying.core.ids import uuid7
from jiying.orders import ladder
from jiying.orders.chain import GENESIS, Moment, link
from jiying.orders.moving import Moved, compared, standing
from jiying.orders.promises import Judge
from jiying.orders.states import (
    IMPORT,
    MESSAGES,
    OBSERVATIONS,
    RESUMED,
    RULE,
    State,
    Transition,
    find,
    possible,
    roles_of,
    rows_of,
)
from jiying.rules.pack import Pack

DAWN = datetime.min.replace(tzinfo=UTC)
"""Before everything: where a ledger without events stands."""


@dataclass(slots=True)
class Ledger:
    """The present truth about one order, derived from its events.

    `acted_version` is the version of the last event that makes an older version stale: the watcher's
    observations do not, nor does the assignment by a rule, which a person may always overrule.  `last_at`
    bounds the `at` of the next event from below.
    """

    order: uuid.UUID
    judge: Judge
    state: State = State.SUBMITTED
    state_since: datetime = DAWN
    paused_from: State | None = None
    worker: str = ""
    version: int = 0
    acted_version: int = 0
    last_at: datetime = DAWN
    head: str = GENESIS
    fired: set[tuple[str, str, str, int]] = field(default_factory=set)
    wrong_codes: int = 0
    reopened: int = 0
    explained_round: int = 0
    """The last round in which a person told the resident of a new time, and that time."""
    new_time: datetime = DAWN
    resumed_at: datetime = DAWN
    """When the last pause ended."""
    told: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    """Whom the ladder has told, by promise and round."""
    repacked_at: datetime | None = None
    """When the order came under another rule pack than that of its report, the last time."""
    moments: list[Moment] = field(default_factory=list)
    _step: tuple[int, ladder.Step | None] = (-1, None)
    """The step that is due first, and the version it was derived at: only an event changes it."""

    @classmethod
    def new(cls, order: uuid.UUID, pack: Pack) -> Ledger:
        """An order before its first event; `pack` is that of its report."""
        return cls(order=order, judge=Judge(pack))

    @classmethod
    def of(cls, order: uuid.UUID, pack: Pack, moments: Iterable[Moment]) -> Ledger:
        """An order from all its events, in their order."""
        ledger = cls.new(order, pack)
        for moment in moments:
            ledger.advance(moment)
        return ledger

    @property
    def pack(self) -> Pack:
        """By which the order is judged now."""
        return self.judge.pack

    @property
    def imported_at(self) -> datetime | None:
        """When an import brought the order in; None for one that was reported here."""
        first = self.moments[0] if self.moments else None
        return first.received_at if first is not None and first.role == IMPORT else None

    # -- deciding --------------------------------------------------------------------------------

    def permit(self, verb: str, roles: frozenset[str], expected_version: int | None) -> Transition:
        """The row of the table by which somebody holding `roles` may say `verb` now.

        Raises:
            UnknownVerb, NotYours, StaleVersion, ImpossibleVerb: in this order of precedence.
        """
        if not rows_of(verb):
            raise UnknownVerb(_("没有“%(verb)s”这个动作。") % {"verb": verb[:40]})
        if not roles_of(verb) & roles:
            raise NotYours(_("这个动作不由您来做。"), possible_verbs=self.possible(roles))
        # A rule decided on what it read, to the last event; a person is not held up by what a rule did meanwhile.
        oldest = self.version if roles == {RULE} else self.acted_version
        if expected_version is not None and not oldest <= expected_version <= self.version:
            raise StaleVersion(_("这张工单刚刚有人处理过，请看最新情况后再操作。"))
        row = find(verb, self.state, roles, set(self.judge.reached), self.kind)
        if row is None:
            raise ImpossibleVerb(_("工单现在的状态不能做这个动作。"), possible_verbs=self.possible(roles))
        return row

    def possible(self, roles: frozenset[str]) -> list[str]:
        """The verbs that somebody holding `roles` may say now."""
        return possible(self.state, roles, set(self.judge.reached), self.kind)

    @property
    def kind(self) -> str:
        """The kind of the order as it stands now."""
        assert self.judge.facts is not None, "an order has its report"
        return self.judge.facts.kind

    def check_time(self, at: datetime, received_at: datetime) -> None:
        """Refuse an `at` that lies after its receipt or before what happened last (BadInput `bad_time`)."""
        if at > received_at:
            raise BadInput.of("at", "bad_time", _("发生时间在将来，请检查手机的时间。"))
        if at < self.last_at:
            raise BadInput.of("at", "bad_time", _("发生时间早于工单的上一个动作，请检查手机的时间。"))

    # -- writing ---------------------------------------------------------------------------------

    def append(
        self,
        verb: str,
        *,
        milestone: str | None,
        by: str,
        role: str,
        at: datetime,
        received_at: datetime,
        data: dict[str, Any],
        judged: bool = False,
    ) -> Moment:
        """Seal the next event behind the last one and take it in; `judged`: the clocks have taken it in already."""
        moment = Moment(
            order=self.order,
            version=self.version + 1,
            verb=verb,
            milestone=milestone,
            by=by,
            role=role,
            at=at,
            received_at=received_at,
            claimed=received_at - at > timedelta(minutes=self.pack.claimed_after_min),
            data=data,
            id=uuid7(),
        )
        link(moment, self.head)
        if judged:
            self._take(moment)
        else:
            self.advance(moment)
        return moment

    def advance(self, moment: Moment) -> None:
        """Take one event in: state, clocks, versions, what fired."""
        self.judge.feed(moment)
        self._take(moment)

    def _take(self, moment: Moment) -> None:
        self.version, self.head = moment.version, moment.hash
        self.moments.append(moment)
        verb, data = moment.verb, moment.data
        if verb in OBSERVATIONS:
            self.fired.add(ladder.key_of(verb, data))
            self.wrong_codes += verb == "wrong_code"
            if verb == "escalate":
                self.told.setdefault((data["promise"], data["round"]), set()).update(data["tells"])
            elif verb == "repack":
                self.repacked_at = moment.at
            return
        if not (verb == "assign" and moment.role == RULE):
            self.acted_version = moment.version
        if verb not in MESSAGES:
            self.last_at = max(self.last_at, moment.at) if self.version > 1 else moment.at
        if verb in ("assign", "take"):
            self.worker = data["worker"]
        elif verb == "return":
            self.worker = ""
        elif verb == "resume":
            self.resumed_at = moment.at
        elif verb == "note" and "new_time" in data:
            self.explained_round, self.new_time = self.judge.round, datetime.fromisoformat(data["new_time"])
        elif verb == "reopen":
            self.wrong_codes = 0
            self.reopened += 1
        self._move(moment)

    def _move(self, moment: Moment) -> None:
        target = self._target(moment)
        if target is None or target == self.state:
            return
        if target is State.PAUSED:
            self.paused_from = self.state
        self.state, self.state_since = target, moment.at

    def _target(self, moment: Moment) -> State | None:
        if moment.verb == "report":
            self.state_since = moment.at
            return State.SUBMITTED
        row = next((row for row in rows_of(moment.verb) if self.state in row.sources), None)
        if row is None or row.target is None:
            return None
        if row.target == RESUMED:
            return self.paused_from
        if moment.verb == "reopen" and not self.worker:
            return State.SIGNED
        return State(row.target)

    # -- another rule pack ----------------------------------------------------------------------------

    def repacked(self, pack: Pack, at: datetime, told: dict[str, Any]) -> list[Moved]:
        """Let `pack` judge from `at` on, and say what changes; `told` as for `Judge.change_pack`.

        Without its event a ledger can tell what would be, and is of no use afterwards.
        """
        before = standing(self.judge.clocks)
        self.judge.change_pack(pack, at, told)
        return compared(before, self.judge.clocks)

    def repack(self, pack: Pack, *, by: str, now: datetime, told: dict[str, Any]) -> Moment:
        """Seal that from `now` on `pack` judges the order, and what that changes of its clocks."""
        at, former = max(now, self.last_at), self.pack.stamp
        changed = [one.as_data() for one in self.repacked(pack, at, told)]
        data = {"pack": pack.stamp, "from": former, "changed": changed, **told}
        # What changes had to be known to be sealed, so the judge knows it already.
        return self.append("repack", milestone=None, by=by, role=RULE, at=at, received_at=at, data=data, judged=True)

    # -- what happens by itself --------------------------------------------------------------------

    @property
    def next_step(self) -> ladder.Step | None:
        """The step that falls due first; None when nothing is left to wait for."""
        if self._step[0] != self.version:
            self._step = (self.version, ladder.next_step(self))
        return self._step[1]

    @property
    def next_at(self) -> datetime | None:
        """When the next step falls due; None when nothing is left to wait for."""
        step = self.next_step
        return step.due_at if step else None

    def fire(self, now: datetime, *, punctual: bool = False, quiet: bool = False) -> list[Moment]:
        """Write every step due by `now`, each once, earliest first.

        The event's `at` is `now`, with `due_at` in its data; `punctual` dates it at its due time instead,
        for a virtual clock that is never late.  `quiet` marks what is written down of the past: nobody is told.
        """
        fired: list[Moment] = []
        while (step := self.next_step) is not None and step.due_at <= now:
            at = step.due_at if punctual else now
            milestone = {"verify": "verified", "close": "closed"}.get(step.verb)
            data = {**step.data, "due_at": step.due_at.isoformat(), **({"quiet": True} if quiet else {})}
            if step.verb == "explain":
                data["new_time"] = (at + timedelta(minutes=data.pop("new_time_min"))).isoformat()
            fired.append(
                self.append(
                    step.verb,
                    milestone=milestone,
                    by=f"rule:{step.rule}",
                    role="rule",
                    at=at,
                    received_at=at,
                    data=data,
                )
            )
        return fired
