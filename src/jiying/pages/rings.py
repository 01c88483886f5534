"""The half ring as SVG, in the sizes row, card, page and wall.

Attributes only, no `style`: pages forbid inline styles.  Written by hand instead of by a template because a
queue draws hundreds of them.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from jiying.pages.clockface import SIGNS, Face, face
from jiying.pages.peopletime import exact_time, people_time
from jiying.pages.shown import take
from jiying.pages.words import word

TRACK = "M4 24A20 20 0 0 1 44 24"
LEFT = "M44 24A20 20 0 0 0 4 24"
SIZES = ("row", "card", "page", "wall")


def _on_ring(share: float, radius: float) -> tuple[float, float]:
    """The point of the ring where `share` percent are left: 100 lies left, 0 right."""
    angle = math.pi * share / 100
    return 24 + radius * math.cos(angle), 24 - radius * math.sin(angle)


def _ticks() -> str:
    """Cuts across the ring at every sixth: five minutes each, for thirty minutes."""
    marks = []
    for step in range(1, 6):
        (x1, y1), (x2, y2) = _on_ring(step * 100 / 6, 17.5), _on_ring(step * 100 / 6, 22.5)
        marks.append(f"M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}")
    return "".join(marks)


TICKS = _ticks()


def ring(share: int, phase: str, *, large: bool = False) -> SafeString:
    """The ring alone: `share` percent filled, with the sign of `phase`; large ones have cuts and a hand."""
    if large:
        x, y = _on_ring(share, 20)
        inner = f'<path class="ring-ticks" d="{TICKS}"/>'
        hand = f'<circle class="ring-hand" cx="{x:.2f}" cy="{y:.2f}" r="2"/>' if phase in ("running", "soon") else ""
    else:
        inner, hand = "", f'<path class="ring-sign" d="{SIGNS[phase]}"/>'
    # Numbers and constants only: nothing here needs escaping.
    return mark_safe(
        '<svg class="ring" viewBox="0 0 48 27" aria-hidden="true" focusable="false">'
        f'<path class="ring-track" d="{TRACK}"/>'
        f'<path class="ring-left" pathLength="100" stroke-dasharray="{share} 200" d="{LEFT}"/>{inner}{hand}</svg>'
    )


def clock_html(clock: Any, size: str, *, ended: bool, test: str, now: datetime | None = None) -> SafeString:
    """A promise's clock; see the `clock` tag for the inputs."""
    if size not in SIZES:
        raise ValueError(f"a clock is one of {', '.join(SIZES)}, not {size}")
    from_at, due_at, reached_at = take(clock, "from_at"), take(clock, "due_at"), take(clock, "reached_at")
    limit, state = float(take(clock, "limit_minutes", 0)), str(take(clock, "state"))
    shown = face(state, from_at, due_at, reached_at, limit, now or timezone.now(), ended=ended)
    promise = word("promise", take(clock, "promise", ""))
    due = _("%(promise)s：应在%(time)s 前") % {"promise": promise, "time": people_time(due_at, now, ago=False)}
    large = size in ("page", "wall")
    attributes = format_html(
        'class="clock clock-{} tone-{}" data-clock="{}" data-state="{}" data-from="{}" data-due="{}" data-reached="{}"'
        ' data-limit="{}" data-ended="{}" title="{} ({})"{}',
        size,
        shown.phase,
        size,
        state,
        _ms(from_at),
        _ms(due_at),
        _ms(reached_at),
        f"{limit:g}",
        "1" if ended else "",
        due,
        exact_time(due_at),
        format_html(' data-test="{}"', test) if test else "",
    )
    if not large:
        return format_html(
            '<span {}>{}<span class="clock-words">{}</span></span>',
            attributes,
            ring(shown.share, shown.phase),
            shown.words,
        )
    return format_html(
        '<div {} role="timer">{}<div class="clock-face" aria-hidden="true">{}</div>'
        '<span class="clock-words visually-hidden">{}</span></div><p class="clock-due centred">{}</p>',
        attributes,
        ring(shown.share, shown.phase, large=True),
        _middle(shown),
        shown.words,
        due,
    )


def _middle(shown: Face) -> SafeString:
    if not shown.number:
        return format_html('<span class="sign-only" data-part="caption">{}</span>', shown.caption)
    return format_html(
        '<span class="clock-caption" data-part="caption">{}</span><span class="clock-number">'
        '<span data-part="number">{}</span><span class="clock-unit" data-part="unit">{}</span></span>',
        shown.caption,
        shown.number,
        shown.unit,
    )


def _ms(at: datetime | None) -> str:
    return "" if at is None else str(int(at.timestamp() * 1000))
