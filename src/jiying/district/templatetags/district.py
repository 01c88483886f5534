"""Small things that the figures' templates draw."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from jiying.pages.figures import percent

register = template.Library()


@register.simple_tag
def share(value: float | None) -> str:
    """A share 0..1 in percent; "—" for a share of nothing."""
    return "—" if value is None else f"{percent(value)}%"


_BAR = (
    '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
    '<rect width="100" height="4" class="{}"/><rect width="{}" height="4" class="bar-fill"/></svg>'
)


@register.simple_tag
def cell(shown: dict[str, Any]) -> SafeString:
    """One cell of the table, as `shown.cells` makes it.

    Written here and not in a template: a page has hundreds, and each would be three quarters of its time.
    """
    missed, n = shown.get("missed", 0), shown["n"]
    parts = [format_html('<td class="number tone-{}" data-figure="{}">', shown.get("tone", "brand"), shown["name"])]
    if shown["href"] and n is not None:
        title = _("分母 %(n)s") % {"n": n}
        parts.append(format_html('<a href="{}" data-n="{}" title="{}">{}</a>', shown["href"], n, title, shown["said"]))
    elif shown["href"]:
        parts.append(format_html('<a href="{}">{}</a>', shown["href"], shown["said"]))
    else:
        parts.append(format_html("<span>{}</span>", shown["said"]))
    if shown["bar"] is not None:
        parts.append(format_html(_BAR, "bar-missed" if missed else "bar-track", f"{shown['bar']:.1f}"))
    if missed:
        late = _("%(n)s 超时") % {"n": missed}
        parts.append(format_html('<a class="cell-missed" href="{}">{}</a>', shown["missed_href"], late))
    return SafeString("".join([*parts, "</td>"]))


@register.simple_tag
def spot(height: float, more: float, late: bool) -> SafeString:
    """A column of a chart in a box of 10 × 100: `height` from the ground, `more` above it in the colour of lateness."""
    return format_html(
        '<rect x="1" width="8" y="{}" height="{}" class="{}"/>'
        '<rect x="1" width="8" y="{}" height="{}" class="bar-missed"/>',
        *(f"{100 - height:.1f}", f"{height:.1f}", "bar-missed" if late else "bar-fill"),
        *(f"{100 - height - more:.1f}", f"{more:.1f}"),
    )
