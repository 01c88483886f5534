"""How a figure is shown: rounding, signs and the small history.  The numbers come from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from jiying.pages.shown import take
from jiying.pages.words import word


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """A figure in words."""

    name: str
    label: str
    value: str
    unit: str
    change: str
    tone: str
    points: str
    last: tuple[float, float] | None
    how: tuple[tuple[str, str], ...]


def percent(share: float | None, digits: int = 1) -> str:
    """A share 0..1 in percent without its sign; "—" for a share of nothing."""
    return "—" if share is None else number_format(round(share * 100, digits), digits)


def amount(value: Any) -> str:
    """A number as people read it: one digit after the point at most; "—" for None."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    return number_format(round(value, 1), 0 if float(value) == int(value) else 1, force_grouping=True)


def shown_figure(figure: Any) -> ShownFigure:
    """The words of a figure; see the `figure` tag for what it holds."""
    value = take(figure, "value")
    points, last = sparkline(take(figure, "history", ()))
    return ShownFigure(
        name=str(take(figure, "name", "")),
        label=str(take(figure, "label", "")),
        value=amount(value),
        unit=str(take(figure, "unit", "")) if value is not None else "",
        change=_change(figure),
        tone=_tone(take(figure, "change"), take(figure, "better", "up")),
        points=points,
        last=last,
        how=tuple(_how(figure)),
    )


def _change(figure: Any) -> str:
    change = take(figure, "change")
    if change is None:
        return ""
    if change == 0:
        return _("与基期持平")
    arrow = "↑" if change > 0 else "↓"
    unit = str(take(figure, "unit", ""))
    said = take(figure, "change_unit", _("个百分点") if unit == "%" else unit)
    return _("比基期 %(arrow)s %(amount)s %(unit)s") % {"arrow": arrow, "amount": amount(abs(change)), "unit": said}


def _tone(change: float | None, better: str) -> str:
    if not change:
        return "plain"
    return "good" if (change > 0) == (better == "up") else "late"


def _how(figure: Any) -> list[tuple[str, str]]:
    rows = [
        (_("公式"), take(figure, "formula")),
        (_("分子"), take(figure, "numerator")),
        (_("分母"), take(figure, "denominator")),
        (_("规则包"), take(figure, "pack")),
        (_("样本数"), take(figure, "n")),
    ]
    low, high = take(figure, "low"), take(figure, "high")
    if low is not None and high is not None:
        rows.append((_("95% 区间"), f"{percent(low)}–{percent(high)} %"))
    left_out = take(figure, "left_out", {})
    rows += [(word("left_out", name), f"{percent(share)} %") for name, share in left_out.items() if share is not None]
    return [(label, amount(text)) for label, text in rows if text is not None and text != ""]


def sparkline(values: Sequence[float | None]) -> tuple[str, tuple[float, float] | None]:
    """Points of a polyline in a 100 × 24 box and its last point; nothing for fewer than two numbers."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return "", None
    low, span = min(known), (max(known) - min(known)) or 1
    spots = [(100 * i / (len(known) - 1), 22 - 20 * (value - low) / span) for i, value in enumerate(known)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in spots), spots[-1]
