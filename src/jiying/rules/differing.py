"""What changes from one rule pack to another, in words.  Needs a language, no database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from jiying.rules import words
from jiying.rules.pack import Category, Pack, PromiseRule


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of which promise ("": of none), what, and how it reads before and after (None: not there)."""

    promise: str
    what: str
    before: str | None
    after: str | None

    def as_json(self) -> dict[str, str | None]:
        """With the contract's keys."""
        return {"promise": self.promise, "what": self.what, "from": self.before, "to": self.after}


def changes(old: Pack, new: Pack) -> list[Change]:
    """Everything that differs in what is promised and counted; empty where two packs rule alike.

    Names, versions and sources are not rules; neither are keywords, which only suggest.
    """
    return [
        *_validity(old, new),
        *_promises(old, new),
        *_ladder(old, new),
        *_calendar(old, new),
        *_pauses(old, new),
        *_explanations(old, new),
        *_counting(old, new),
        *_categories(old, new),
    ]


def _differ(promise: str, what: str, before: object, after: object) -> Iterator[Change]:
    if before != after:
        yield Change(promise, what, None if before is None else str(before), None if after is None else str(after))


def _validity(old: Pack, new: Pack) -> Iterator[Change]:
    yield from _differ("", _("生效日"), old.valid_from, new.valid_from)
    yield from _differ("", _("失效日"), old.valid_to or _("不限"), new.valid_to or _("不限"))
    yield from _differ("", _("适用的区"), old.district or _("所有区"), new.district or _("所有区"))
    yield from _differ("", _("是否官方"), words.yes(old.official), words.yes(new.official))


def _promises(old: Pack, new: Pack) -> Iterator[Change]:
    pairs, gone, come = _paired(old, new)
    for before, after in pairs:
        yield from _rule(old, new, before, after)
    for rule in gone:
        yield Change(rule.promise, _("取消规则 %(rule)s") % {"rule": rule.id}, words.rule(rule, old), None)
    for rule in come:
        yield Change(rule.promise, _("新增规则 %(rule)s") % {"rule": rule.id}, None, words.rule(rule, new))


def _paired(old: Pack, new: Pack) -> tuple[list[tuple[PromiseRule, PromiseRule]], list[PromiseRule], list[PromiseRule]]:
    """Rules that are the same one in both packs, by id, else by whom they are for; those that went; those that came."""
    left = {rule.id: rule for rule in new.promises}
    pairs: list[tuple[PromiseRule, PromiseRule]] = []
    gone: list[PromiseRule] = []
    kept = {rule.id for rule in old.promises}
    for rule in old.promises:
        same = left.get(rule.id) or next(
            (r for r in left.values() if r.id not in kept and (r.promise, r.when) == (rule.promise, rule.when)), None
        )
        if same is None:
            gone.append(rule)
        else:
            pairs.append((rule, left.pop(same.id)))
    return pairs, gone, list(left.values())


def _rule(old: Pack, new: Pack, before: PromiseRule, after: PromiseRule) -> Iterator[Change]:
    told: tuple[tuple[str, Callable[[PromiseRule, Pack], str]], ...] = (
        (_("%(rule)s 的适用范围"), lambda rule, pack: words.condition(rule.when, pack)),
        (_("%(rule)s 的起止节点"), lambda rule, _pack: words.way(rule)),
        (_("%(rule)s 的时限"), lambda rule, _pack: words.limit(rule.limit)),
        (_("%(rule)s 能否暂停"), lambda rule, _pack: words.yes(rule.pausable)),
        (_("%(rule)s 返修后是否重新计时"), lambda rule, _pack: words.yes(rule.rounds)),
        (
            _("%(rule)s 的提前提醒"),
            lambda rule, _pack: words.minutes(rule.warn_before_min) if rule.warn_before_min else _("无"),
        ),
    )
    yield from _differ(after.promise, _("%(rule)s 属于哪项时限") % {"rule": after.id}, before.promise, after.promise)
    for what, say in told:
        yield from _differ(after.promise, what % {"rule": after.id}, say(before, old), say(after, new))


def _each(
    what: str, before: Mapping[str, Any], after: Mapping[str, Any], say: Callable[[Any], str], promise: str = ""
) -> Iterator[Change]:
    """Differences between two tables, line by line."""
    for code in dict.fromkeys((*before, *after)):
        old, new = before.get(code), after.get(code)
        told = (None if old is None else say(old), None if new is None else say(new))
        yield from _differ(promise, what % {"code": code}, *told)


def _ladder(old: Pack, new: Pack) -> Iterator[Change]:
    for promise in dict.fromkeys(step.promise for step in (*old.ladder, *new.ladder)):
        before, after = ({step.step: step for step in pack.ladder_for(promise)} for pack in (old, new))
        yield from _each(_("升级步骤 %(code)s"), before, after, words.step, promise)


def _calendar(old: Pack, new: Pack) -> Iterator[Change]:
    yield from _differ("", _("工作时间"), words.hours(old.calendar), words.hours(new.calendar))
    before, after = ({str(t.year): t for t in pack.calendar.tables} if pack.calendar else {} for pack in (old, new))
    yield from _each(
        _("%(code)s 年的节假日表"),
        before,
        after,
        lambda table: (
            _("休息 %(off)s；上班 %(work)s")
            % {"off": words.listed(sorted(table.off)), "work": words.listed(sorted(table.work))}
        ),
    )


def _pauses(old: Pack, new: Pack) -> Iterator[Change]:
    yield from _each(
        _("暂停原因 %(code)s 未经批准最长"), old.pauses, new.pauses, lambda reason: words.minutes(reason.max_min)
    )


def _explanations(old: Pack, new: Pack) -> Iterator[Change]:
    for promise in dict.fromkeys((*old.explanations, *new.explanations)):
        before, after = (pack.explanations.get(promise) for pack in (old, new))
        told = (None if given is None else words.explanation(given) for given in (before, after))
        yield from _differ(promise, _("失约说明"), *told)


def _counting(old: Pack, new: Pack) -> Iterator[Change]:
    before, after = ({rule.id: rule for rule in pack.silence} for pack in (old, new))
    yield from _each(
        _("无人答复时的规则 %(code)s"),
        before,
        after,
        lambda rule: f"{words.said(rule.names)} ({words.minutes(rule.after_min)})",
    )
    draws = [
        _("%(always)s 全部；其余抽 %(share)s%%")
        % {
            "always": words.listed(words.condition(when, pack) for when in pack.follow_up.always) or "–",
            "share": pack.follow_up.share_percent,
        }
        for pack in (old, new)
    ]
    yield from _differ("follow_up", _("回访范围"), *draws)
    for what, name in ((_("补报满多久算补报"), "claimed_after_min"), (_("到场多近算刚录入"), "typing_mark_min")):
        yield from _differ("", what, *(words.minutes(getattr(pack, name)) for pack in (old, new)))


def _categories(old: Pack, new: Pack) -> Iterator[Change]:
    def say(category: Category) -> str:
        flags = [
            word
            for word, on in (
                (_("涉及相邻"), category.between_neighbours),
                (_("须经中心认定"), category.approval),
                (_("完工须有照片"), category.photos == "required"),
                (_("完工请附照片"), category.photos == "asked"),
            )
            if on
        ]
        urgent = words.urgency(category.default_urgency)
        return _("、").join([words.said(category.names), urgent, words.part(category.part), *flags])

    yield from _each(_("类别 %(code)s"), old.categories, new.categories, say)
