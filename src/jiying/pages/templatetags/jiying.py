"""The components of all pages, as template tags and filters: `{% load jiying %}`.

Every component takes plain objects, model rows or dictionaries.  /styleguide of a demo shows them all.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jiying.core.phones import spaced
from jiying.pages import clockface, figures, shown, timelines, verbforms, words
from jiying.pages.peopletime import exact_time
from jiying.pages.peopletime import people_time as say_time
from jiying.pages.rings import clock_html
from jiying.pages.rings import ring as ring_svg

register = template.Library()


@register.simple_tag
def clock(promise: Any, size: str = "row", ended: bool = False, test: str | None = None) -> SafeString:
    """A promise's half ring with its words, right without a script and kept right by clock.js.

    `promise`: `promise round state from_at due_at reached_at limit_minutes`; None draws nothing.  `size`: row, card,
    page or wall (page and wall fill their column).  `ended`: the order is over.  `test`: the `data-test` name
    (default `countdown`, none in rows).
    """
    if promise is None or promise == "":
        return SafeString("")
    name = ("" if size == "row" else "countdown") if test is None else test
    return clock_html(promise, size, ended=ended, test=name)


@register.simple_tag
def ring(share: int = 62, phase: str = "running") -> SafeString:
    """The half ring as an ornament: `share` percent filled."""
    return format_html('<span class="ornament tone-{}">{}</span>', phase, ring_svg(share, phase, large=True))


@register.simple_tag
def icon(name: str, large: bool = False) -> SafeString:
    """A sign of the sprite (static/pages/icons.svg), without words: say the words beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        " icon-large" if large else "",
        static("pages/icons.svg"),
        name,
    )


@register.inclusion_tag("pages/parts/order_row.html")
def order_row(
    order: Any, href: str = "", selected: bool = False, audience: str = "staff", fresh: bool = False
) -> dict[str, Any]:
    """A row of a queue: ring, place, category sign, words of the report, state, who has it, channel.

    `order`: `number kind category urgency state estate building unit address town company worker channel description
    reported_at`, and `clock` or `headline_promise headline_due`.  Put rows into `<div class="order-list" data-rows>`.
    `audience` resident uses the residents' words; `fresh` marks a row that arrived by itself.
    """
    state = str(shown.take(order, "state"))
    return {
        "order": order,
        "href": href,
        "selected": selected,
        "fresh": fresh,
        "clock": shown.headline_of(order),
        "ended": shown.is_ended(order),
        "place": shown.place_of(order).line,
        "sign": shown.sign_of(order),
        "category": shown.category_name(order),
        "said": shown.words_of(order),
        "state": words.word("resident_state" if audience == "resident" else "state", state),
        "tone": words.STATE_TONES.get(state, "plain"),
        "emergency": shown.take(order, "urgency") == "emergency",
        "urgency": words.word("urgency", shown.take(order, "urgency")),
        "who": shown.name_of(shown.take(order, "worker")) or shown.name_of(shown.take(order, "company")),
        "channel": words.word("channel", shown.take(order, "channel")),
    }


@register.inclusion_tag("pages/parts/timeline.html")
def timeline(events: Iterable[Any], newest_first: bool = False) -> dict[str, Any]:
    """What happened, in plain words.

    An event: `verb milestone role at claimed data` and, where known, `who` (a name; else the role is said), `said` or
    `texts` (what may be erased: `{"note": "…"}`).  From `data`: proof, distance_m, promise, tells, worker_name,
    satisfaction, solved, on_behalf.
    """
    found = list(timelines.lines(events))
    return {"lines": found[::-1] if newest_first else found}


@register.inclusion_tag("pages/parts/figure.html")
def figure(figure: Any, href: str = "") -> dict[str, Any]:
    """A number with its meaning.

    `figure`: `name label value` (None: nothing to count) and, where known, `unit change` (a number, against the
    baseline) `change_unit better` (up or down: the good direction) `history` (numbers, oldest first) `formula
    numerator denominator pack low high n left_out` ({returned: share 0..1, …}).  `href` opens its orders.
    """
    return {"f": figures.shown_figure(figure), "href": href}


@register.inclusion_tag("pages/parts/who.html", takes_context=True)
def who(context: Mapping[str, Any], person: Any, role: str = "", reveal_url: str = "") -> dict[str, Any]:
    """A person: `name organisation role phone` (already masked: this tag hides nothing).

    A whole number (E.164) is a link to ring.  `reveal_url`: where a POST with `reason` shows it; the reason is asked
    for and goes on the audit there.
    """
    phone = "" if isinstance(person, str) else str(shown.take(person, "phone", ""))
    dial = phone if phone.startswith("+") and "*" not in phone else ""
    return {
        "name": shown.name_of(person),
        "organisation": shown.name_of(shown.take(person, "organisation") or shown.take(person, "company")),
        "role": words.word("role", role or shown.take(person, "role", "")),
        "phone": spaced(dial) if dial else phone,
        "dial": dial,
        "reveal_url": reveal_url,
        "reasons": [str(words.word("reveal", code)) for code in words.REVEAL],
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("pages/parts/place.html")
def place(order: Any, heading: bool = True) -> dict[str, Any]:
    """Where an order is: estate, building and unit large, address and town below, a link into the phone's map."""
    return {"place": shown.place_of(order), "heading": heading}


@register.inclusion_tag("pages/parts/verb_bar.html", takes_context=True)
def verb_bar(
    context: Mapping[str, Any],
    order: Any,
    verbs: Sequence[str],
    base_url: str,
    choices: Mapping[str, Sequence[tuple[str, Any]]] | None = None,
    wide: bool = False,
    likely: str | None = None,
    last4: bool = False,
) -> dict[str, Any]:
    """What can be done now: the next likely verb as the button, the others in a menu, each with its key.

    `order`: `state version`.  `verbs`: the possible ones.  A form is posted to `base_url` + verb with `version`,
    `idempotency_key` and the fields of `verbforms.FIELDS`; read it with `verbforms.data_from(verb, request.POST)`.
    `choices`: options of selects by field name (`worker`, `reason`, `category`) as (value, word) pairs.  `wide`: the
    phone's full-width form.  `likely` overrides which verb is the button.  `last4` asks delicate verbs for the digits.
    """
    first = verbforms.next_verb(str(shown.take(order, "state")), verbs) if likely is None else likely
    delicate = ("cancel", "confirm", "reopen", "rate")
    items = [
        {
            "verb": verb,
            "words": words.VERBS[verb],
            "url": f"{base_url}{verb}",
            "fields": verbforms.fields_of(verb, choices, last4=last4 and verb in delicate),
            "sure": verbforms.SURE.get(verb, ""),
            "key": uuid.uuid4().hex,
        }
        for verb in verbs
    ]
    return {
        "first": next((item for item in items if item["verb"] == first), None),
        "others": [item for item in items if item["verb"] != first],
        "version": shown.take(order, "version", 0),
        "wide": wide,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("pages/parts/album.html")
def album(album: Any) -> dict[str, Any]:
    """The photos of an order (`albums.Album`): before beside after, the others below."""
    return {"album": album}


@register.inclusion_tag("pages/parts/photo_input.html")
def photo_input(
    label: str, purpose: str, url: str = "", hint: str = "", camera: bool = False, kept: str = ""
) -> dict[str, Any]:
    """Choosing and sending photos; put it into a multipart form and load `pages/js/photos.js`.

    `url`: where each is sent; none: they wait for the form, and go to `/photos` below the page that follows.
    `camera` opens the camera at once.  `kept`: what is safe, said where a photo breaks off.
    """
    return {"label": label, "purpose": purpose, "url": url, "hint": hint, "camera": camera, "kept": kept}


@register.inclusion_tag("pages/parts/empty.html")
def empty(title: str, todo: str = "", href: str = "", label: str = "") -> dict[str, str]:
    """Nothing here: what would stand here, what to do, and a link that does it."""
    return {"title": title, "todo": todo, "href": href, "label": label}


@register.inclusion_tag("pages/parts/problem.html")
def problem(title: str = "", safe: str = "", todo: str = "", error: Any = None) -> dict[str, Any]:
    """What went wrong: what happened, what is safe, what to do.  `error`: a JiyingError brings title and fields."""
    return {
        "title": title or shown.take(error, "detail", ""),
        "safe": safe,
        "todo": todo,
        "errors": [item.message for item in shown.take(error, "errors", ())],
    }


@register.simple_tag
def idempotency_key(value: str = "") -> SafeString:
    """The hidden field that lets a form be sent twice and count once; `value` keeps the key of a failed try."""
    return format_html('<input type="hidden" name="idempotency_key" value="{}">', value or uuid.uuid4().hex)


@register.simple_tag
def state_tag(order: Any, audience: str = "staff") -> SafeString:
    """The state of an order as a tag: `order` has `state`, or is the state itself."""
    state = order if isinstance(order, str) else str(shown.take(order, "state"))
    table = "resident_state" if audience == "resident" else "state"
    return format_html(
        '<span class="tag tone-{}">{}</span>', words.STATE_TONES.get(state, "plain"), words.word(table, state)
    )


@register.simple_tag
def urgency_tag(order: Any) -> SafeString:
    """急修 as a full tag; nothing for ordinary orders, which are most."""
    if shown.take(order, "urgency") != "emergency":
        return SafeString("")
    return format_html('<span class="tag tag-full tone-late">{}</span>', words.word("urgency", "emergency"))


@register.simple_tag
def clock_phrases() -> str:
    """The phrases that clock.js speaks, as JSON for a `meta` element."""
    return clockface.phrases_json()


@register.simple_tag
def server_time() -> str:
    """The server's time in ms since 1970, from which pages count."""
    return str(int(timezone.now().timestamp() * 1000))


@register.simple_tag(takes_context=True)
def switch_url(context: Mapping[str, Any], name: str, value: str) -> str:
    """This page's address with `?name=value` set: the switches for lang, type and theme."""
    request = context.get("request")
    if request is None:
        return f"?{name}={value}"
    query = request.GET.copy()
    query[name] = value
    return f"?{query.urlencode()}"


@register.filter
def people_time(at: datetime | None) -> SafeString:
    """今天 14:05, 12 分钟前; the exact time in the title; kept up to date by clock.js."""
    return _time(at, ago=True)


@register.filter
def clock_time(at: datetime | None) -> SafeString:
    """The same, but never "… ago": for times that are compared with others."""
    return _time(at, ago=False)


def _time(at: datetime | None, *, ago: bool) -> SafeString:
    if at is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        timezone.localtime(at).isoformat(timespec="seconds"),
        exact_time(at),
        format_html(' data-ago="{}"', say_time(at, ago=False)) if ago else "",
        say_time(at, ago=ago),
    )


@register.filter
def word(code: object, table: str) -> str:
    """`{{ order.state|word:"state" }}`: tables are those of pages/words.py (state verb role kind urgency …)."""
    return words.word(table, code)


@register.filter
def category_name(order: Any) -> str:
    """The name of an order's category in the page's language."""
    return shown.category_name(order)


@register.filter
def said(order: Any) -> str:
    """What the reporter said, or that it was erased."""
    return shown.words_of(order)


@register.filter
def place_line(order: Any) -> str:
    """An order's place in one line."""
    return shown.place_of(order).line
