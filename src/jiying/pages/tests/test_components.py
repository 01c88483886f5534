"""Components escape what people wrote, and say what is the case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils import timezone
from django.utils.translation import override

from jiying.core.errors import BadInput
from jiying.orders.states import OBSERVATIONS, VERBS, State
from jiying.pages import samples, timelines, verbforms, words
from jiying.pages.figures import shown_figure, sparkline
from jiying.pages.peopletime import people_time
from jiying.rules import packs

EVIL = '<script>alert("1")</script>'


def _render(source: str, **context: object) -> str:
    return Template("{% load jiying %}" + source).render(Context(context))


def _order(**changes: object) -> dict[str, object]:
    return {**samples.orders(timezone.now())[0], **changes}


def test_a_row_shows_place_words_and_who_has_it():
    row = _render('{% order_row order "/desk/orders/1" %}', order=_order())
    for text in (
        "东园新村 · 12 号楼 · 402 室",
        "厨房水管爆裂",
        "王师傅",
        "急修",
        "已出发",
        "还剩",
        'data-test="order-row"',
    ):
        assert text in row


@pytest.mark.parametrize("field", ["description", "estate", "building", "unit", "worker"])
def test_what_people_wrote_is_escaped_in_a_row(field):
    row = _render('{% order_row order "/x" %}', order=_order(**{field: EVIL}))
    assert "<script>" not in row
    assert "&lt;script&gt;" in row


def test_what_people_wrote_is_escaped_in_a_timeline():
    event = {"verb": "note", "role": "resident", "who": EVIL, "at": timezone.now(), "data": {"text": EVIL}}
    assert "<script>" not in _render("{% timeline events %}", events=[event])


@pytest.mark.parametrize(
    ("mark", "zh", "en"),
    [
        ("called_away", "王师傅 先去急修，换人", "instead of 王师傅, who goes to an emergency"),
        ("nearer", "替换 王师傅：能更早赶到", "instead of 王师傅: can be there sooner"),
        ("swapped", "王师傅 改去另一处急修，换人", "instead of 王师傅, who goes to another emergency"),
        ("", "替换 王师傅", "instead of 王师傅"),
    ],
)
def test_a_timeline_tells_why_somebody_else_is_sent(mark, zh, en):
    data = {"instead_of_name": "王师傅", **({mark: True} if mark else {})}
    event = {"verb": "assign", "role": "rule", "at": timezone.now(), "data": data}
    for language, said in (("zh-hans", zh), ("en", en)):
        with override(language):
            assert said in next(timelines.lines([event])).details


def test_a_row_of_an_order_as_the_database_holds_it_needs_no_clock_of_its_own():
    order = SimpleNamespace(
        number="1", category="leak", urgency="ordinary", state="submitted", reported_at=timezone.now(),
        estate=SimpleNamespace(name="东园"), building=None, text=SimpleNamespace(unit="402", description="漏"),
        headline_promise="sign", headline_due=timezone.now() + timedelta(minutes=29.5), channel="phone",
    )  # fmt: skip
    row = _render('{% order_row order "/x" %}', order=order)
    assert "还剩 29 分" in row
    assert "东园 · 402" in row


def test_a_clock_carries_what_the_browser_needs_to_count_on():
    clock = samples.clocks(timezone.now())[0]
    html = _render('{% clock clock "page" %}', clock=clock)
    assert 'data-test="countdown"' in html
    assert f'data-due="{int(clock["due_at"].timestamp() * 1000)}"' in html


def test_every_state_and_verb_of_an_order_has_its_words():
    assert set(words.STATES) == set(words.RESIDENT_STATES) == set(words.STATE_TONES) == set(State)
    assert set(VERBS) | OBSERVATIONS <= set(words.VERBS)


def test_no_two_verbs_share_a_key_nor_take_those_that_move():
    keys = [entry.key for entry in words.VERBS.values() if entry.key]
    assert len(keys) == len(set(keys))
    assert not set(keys) & {"j", "k", "/", "?", "."}


def test_every_category_has_a_sign_in_the_sprite():
    sprite = (Path(words.__file__).parent / "static/pages/icons.svg").read_text("utf-8")
    for category in packs.in_force(timezone.localdate()).categories.values():
        assert f'id="{category.sign}"' in sprite


def test_the_likely_verb_is_the_button_and_the_others_stand_in_the_menu():
    bar = _render(
        '{% verb_bar order verbs "/desk/orders/1/" %}', order=_order(state="submitted"), verbs=["note", "sign"]
    )
    assert bar.index('data-test="action-sign"') < bar.index("<details") < bar.index('data-test="action-note"')
    assert 'action="/desk/orders/1/sign"' in bar
    assert 'name="version" value="3"' in bar


def test_a_form_becomes_the_data_of_its_verb():
    assert verbforms.data_from("verify", {"solved": "no", "extra": "x"}) == {"solved": False}
    assert verbforms.data_from("arrive", {"code": " 4071 ", "point": "121.5,31.2,12"}) == {
        "code": "4071",
        "point": {"lon": 121.5, "lat": 31.2, "crs": "WGS-84"},
        "accuracy_m": 12.0,
    }
    paused = verbforms.data_from("pause", {"reason": "weather", "until": "2026-11-25T09:00"})
    assert paused == {"reason": "weather", "until": "2026-11-25T09:00:00+08:00"}


@pytest.mark.parametrize(("verb", "posted"), [("pause", {"until": "soon"}), ("arrive", {"point": "here"})])
def test_a_form_that_cannot_be_read_is_refused_with_its_field(verb, posted):
    with pytest.raises(BadInput):
        verbforms.data_from(verb, posted)


def test_a_figure_of_nothing_is_a_dash():
    shown = shown_figure({"name": "x", "value": None, "unit": "%"})
    assert (shown.value, shown.unit, shown.change) == ("—", "", "")


def test_more_complaints_are_worse_and_more_satisfaction_is_better():
    assert shown_figure({"value": 2, "change": 1, "better": "down"}).tone == "late"
    assert shown_figure({"value": 2, "change": 1, "better": "up"}).tone == "good"


def test_a_history_of_one_number_draws_nothing():
    assert sparkline([3]) == ("", None)
    assert sparkline([1, None, 3])[0] == "0.0,22.0 100.0,2.0"


@pytest.mark.parametrize(
    ("minutes", "words_"),
    [(0, "刚刚"), (12, "12 分钟前"), (75, "今天 12:45"), (14 * 60 + 30, "昨天 23:30"), (-24 * 60, "明天 14:00"),
     (60 * 24 * 30, "10月25日 14:00"), (60 * 24 * 365, "2025年11月24日 14:00")],
)  # fmt: skip
def test_times_are_said_as_people_say_them(minutes, words_):
    now = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    assert people_time(now - timedelta(minutes=minutes), now) == words_


@pytest.mark.parametrize(
    ("verb", "said"), [("refuse", "自用部位"), ("resume", "")], ids=["a desk's words", "a dated rule's code"]
)
def test_a_timeline_tells_the_rule_of_a_refusal_and_no_code_of_a_dated_rule(verb, said):
    event = {"verb": verb, "role": "company", "at": timezone.now(), "data": {"rule": "自用部位"}}
    assert [line.said for line in timelines.lines([event])] == [said]
