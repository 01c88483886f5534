"""The lines of a timeline: who did what, when, how sure that is, and what they said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.dispatch import saying
from jiying.dispatch.plan import CALLED_AWAY, NEARER, SWAPPED
from jiying.pages import moved, words
from jiying.pages.peopletime import people_time
from jiying.pages.shown import erased, take

#: What the system notes by itself; shown small.
QUIET = frozenset({"warn", "escalate", "wrong_code", "attach", "erase", "ask_centre"})
_TONES = {"breach": "late", "warn": "soon", "escalate": "soon", "done": "good", "verify": "good", "confirm": "good"}
_TONES |= {"pause": "paused", "approve_pause": "paused", "reopen": "late", "wrong_code": "soon", "supervise": "soon"}
_ASKED = {
    "nobody": gettext_lazy("没有合适的人可派"),
    "not_departed": gettext_lazy("换过人了还没有人出发"),
    "stuck": gettext_lazy("派出的人迟迟没有到"),
    "engine": gettext_lazy("派工引擎出了故障，已按最近的人派出"),
}
#: Why somebody else is sent, by the mark that the dispatcher left.
_INSTEAD = {
    CALLED_AWAY: gettext_lazy("%(who)s 先去急修，换人"),
    NEARER: gettext_lazy("替换 %(who)s：能更早赶到"),
    SWAPPED: gettext_lazy("%(who)s 改去另一处急修，换人"),
}
_SAID = ("text", "note", "comment", "reason_text", "answer_text")


@dataclass(frozen=True, slots=True)
class Line:
    """One event as people read it."""

    words: str
    at: datetime
    tone: str
    milestone: bool
    quiet: bool
    details: tuple[str, ...]
    said: str


def lines(events: Iterable[Any]) -> Iterator[Line]:
    """The lines of `events`, in their order; see the `timeline` tag for what an event holds."""
    for event in events:
        verb, data = str(take(event, "verb")), take(event, "data", {})
        yield Line(
            words=words.past(verb, who_of(event)),
            at=take(event, "at"),
            tone=_TONES.get(verb, "brand"),
            milestone=bool(take(event, "milestone")),
            quiet=verb in QUIET,
            details=tuple(_details(event, verb, data)),
            said=_said(event, data),
        )


def who_of(event: Any) -> str:
    """A name where one is given, else the role."""
    given = take(event, "who") or take(event, "name")
    return str(given) if given else words.word("role", take(event, "role", ""))


def _said(event: Any, data: Any) -> str:
    """What they said: `said` or `texts` of the event, which hold what may be erased, else the open data."""
    direct = take(event, "said")
    if direct:
        return str(direct)
    texts = take(event, "texts", {})
    # A dated rule names itself by its code; the rule of a refusal is what the desk wrote.
    names = (*_SAID, "rule") if take(event, "verb") == "refuse" else _SAID
    found = next((str(found) for name in names if (found := take(texts, name) or take(data, name))), "")
    return found or (erased() if any(f"{name}_sm3" in data for name in names) else "")


def _of_assignment(data: Any) -> Iterator[str]:
    """Why this one, instead of whom, and against what."""
    if before := take(data, "instead_of_name"):
        reason = next((words for mark, words in _INSTEAD.items() if take(data, mark)), gettext_lazy("替换 %(who)s"))
        yield str(reason) % {"who": before}
    advice = take(data, "advice", {})
    if sentence := saying.why(advice) if advice else "":
        yield sentence
    if take(advice, "overrules"):
        reason = saying.OVERRULINGS.get(take(data, "overrule", ""))
        yield _("没有按建议派：%(why)s") % {"why": reason} if reason else _("没有按建议派")


def _of_asking(data: Any) -> Iterator[str]:
    """What for, and why nobody can go."""
    yield str(_ASKED.get(take(data, "step", ""), ""))
    if counts := saying.left_out(take(data, "left_out", {})):
        yield counts


def _details(event: Any, verb: str, data: Any) -> Iterator[str]:
    promise = take(data, "promise")
    if promise and verb in ("warn", "breach", "escalate"):
        yield words.word("promise", promise)
    if take(data, "tells"):
        yield _("已告知：%(who)s") % {"who": _("、").join(words.word("audience", who) for who in take(data, "tells"))}
    if (sent := take(data, "worker_name")) and sent != who_of(event):
        yield str(sent)
    if verb == "assign":
        yield from _of_assignment(data)
    if verb == "note" and take(data, "declines"):
        yield _("派去的人说去不了")
    if verb == "explain":
        yield words.word("why_late", take(data, "why", ""))
    if new_time := take(data, "new_time"):
        yield _("新的时间：最晚 %(time)s") % {"time": people_time(datetime.fromisoformat(new_time), ago=False)}
    if verb == "ask_centre":
        yield from _of_asking(data)
    if verb == "arrive" and take(data, "proof"):
        yield words.word("grade", take(data, "proof"))
    if take(data, "distance_m") is not None:
        yield _("离报修地点约 %(m)s 米") % {"m": take(data, "distance_m")}
    if verb == "attach":
        yield words.word("purpose", take(data, "purpose", ""))
    if number := len(take(data, "attachments", None) or ()):
        yield _("%(n)d 张照片") % {"n": number}
    if verb == "rate":
        yield words.word("satisfaction", take(data, "satisfaction", ""))
    if take(data, "solved") is not None:
        yield _("居民说解决了") if take(data, "solved") else _("居民说没有解决")
    if verb == "reclassify":
        yield from (words.word(name, take(data, name)) for name in ("kind", "urgency") if take(data, name))
    if (changed := take(event, "changed")) is not None:
        yield from moved.sentences(changed, data)
    if take(data, "on_behalf"):
        yield _("由坐席代为登记")
    if take(data, "soon_after_typing"):
        yield _("登记后两分钟内到场，已标记")
    if take(event, "claimed"):
        yield _("事后补报，时间为自报")
    if take(event, "role") == "rule" and verb in ("verify", "close", "resume", "assign"):
        yield _("按规则自动处理")
