"""Small things that the figures' templates draw."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jiying.pages.figures import percent

register = template.Library()


@register.simple_tag
def share(value: float | None) -> str:
    """A share 0..1 in percent; "—" for a share of nothing."""
    return "—" if value is None else f"{percent(value)}%"


@register.simple_tag
def spot(height: float, more: float, late: bool) -> SafeString:
    """A column of a chart in a box of 10 × 100: `height` from the ground, `more` above it in the colour of lateness."""
    return format_html(
        '<rect x="1" width="8" y="{}" height="{}" class="{}"/>'
        '<rect x="1" width="8" y="{}" height="{}" class="bar-missed"/>',
        *(f"{100 - height:.1f}", f"{height:.1f}", "bar-missed" if late else "bar-fill"),
        *(f"{100 - height - more:.1f}", f"{more:.1f}"),
    )
