"""The pack that ships keeps what the domain promises, for every order there can be."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass, replace
from itertools import product

import pytest

from jiying.rules import packs, words
from jiying.rules.pack import KINDS, PARTS, URGENCIES, Names, Pack, PromiseRule, Traits

SIGNS = (
    "water_pipe", "leak", "drain", "power", "lift", "door_lock",
    "access_control", "fire_safety", "public_facility", "environment", "complaint", "other",
)  # fmt: skip


@pytest.fixture(scope="module")
def pack() -> Pack:
    return packs.named("example", "2026.2")


def every_rule(pack: Pack, **given: object) -> list[tuple[PromiseRule, ...]]:
    """The rules of every combination of traits there can be, some of them given."""
    traits = {
        "kind": KINDS,
        "urgency": URGENCIES,
        "category": tuple(pack.categories),
        "part": PARTS,
        "drawn": (True, False),
        "approved": (True, False),
        **{trait: (value,) for trait, value in given.items()},
    }
    return [pack.rules_for(Traits(**dict(zip(traits, values, strict=True)))) for values in product(*traits.values())]


def rule_of(pack: Pack, promise: str, **traits: object) -> PromiseRule | None:
    order = {"kind": "repair", "urgency": "ordinary", "category": "drain", "part": "common", "drawn": False}
    return next((rule for rule in pack.rules_for(Traits(**order | traits)) if rule.promise == promise), None)


def test_no_order_has_two_rules_for_one_promise(pack):
    for rules in every_rule(pack):
        assert max(Counter(rule.promise for rule in rules).values()) == 1


def test_every_order_is_to_be_signed_for(pack):
    assert all("sign" in [rule.promise for rule in rules] for rules in every_rule(pack))


def test_every_emergency_repair_is_promised_somebody_on_the_spot_in_30_minutes(pack):
    for rules in every_rule(pack, kind="repair", urgency="emergency"):
        [rule] = [rule for rule in rules if rule.promise == "respond_30"]
        assert (rule.start, rule.target, rule.limit.minutes) == ("reported", "arrived", 30)
        assert rule.limit.unit == "emergency_minutes"
        assert rule.rounds and not rule.pausable


@pytest.mark.parametrize("traits", [{"urgency": "ordinary"}, {"kind": "complaint", "urgency": "emergency"}])
def test_only_emergency_repairs_have_the_30_minutes(pack, traits):
    assert rule_of(pack, "respond_30", **traits) is None


@pytest.mark.parametrize(
    ("promise", "traits", "start", "target", "minutes", "warning"),
    [
        ("sign", {"urgency": "emergency"}, "reported", "signed", 5, None),
        ("sign", {"kind": "praise"}, "reported", "signed", 30, None),
        ("respond_30", {"urgency": "emergency"}, "reported", "arrived", 30, 10),
        ("contact", {"urgency": "emergency"}, "reported", "contacted", 30, 10),
        ("contact", {"kind": "complaint"}, "reported", "contacted", 30, 10),
        ("made_safe", {"urgency": "emergency"}, "reported", "made_safe", 2 * 60, 30),
        ("complete", {"urgency": "emergency"}, "reported", "done", 24 * 60, 240),
        ("complete", {}, "reported", "done", 3 * 24 * 60, 240),
        ("reply", {"kind": "enquiry"}, "reported", "done", 24 * 60, None),
        ("reply", {"kind": "suggestion"}, "reported", "done", 24 * 60, None),
        ("reply", {"kind": "complaint"}, "reported", "done", 5 * 24 * 60, 480),
        ("reply", {"kind": "complaint", "approved": True}, "reported", "done", 15 * 24 * 60, 1440),
        ("follow_up", {"urgency": "emergency", "drawn": True}, "done", "answer", 24 * 60, None),
        ("follow_up", {"category": "leak", "drawn": True}, "done", "answer", 24 * 60, None),
        ("follow_up", {"drawn": True}, "done", "answer", 7 * 24 * 60, None),
    ],
)
def test_the_table_of_promises_is_the_domains(pack, promise, traits, start, target, minutes, warning):
    rule = rule_of(pack, promise, **traits)
    assert rule is not None
    assert (rule.start, rule.target, rule.limit.minutes) == (start, target, minutes)
    assert rule.warn_before_min == warning


@pytest.mark.parametrize(
    ("promise", "traits"),
    [
        ("contact", {"kind": "enquiry"}),
        ("complete", {"kind": "complaint"}),
        ("reply", {"kind": "repair"}),
        ("reply", {"kind": "praise"}),
        ("made_safe", {"urgency": "ordinary"}),
        ("follow_up", {"urgency": "emergency", "drawn": False}),
    ],
)
def test_what_is_not_promised_has_no_clock(pack, promise, traits):
    assert rule_of(pack, promise, **traits) is None


def test_each_promise_is_counted_in_the_unit_of_the_domain(pack):
    units = {(rule.promise, rule.limit.unit) for rule in pack.promises}
    assert {unit for promise, unit in units if promise == "reply"} == {"working_days"}
    assert {unit for promise, unit in units if promise == "contact"} == {"emergency_minutes", "working_minutes"}
    for rule in pack.promises:
        if rule.when.urgencies == {"emergency"}:
            assert rule.limit.unit == "emergency_minutes", "an emergency's clock never stops for the night"


def test_the_seven_promises_of_the_domain_are_all_there(pack):
    seven = {"sign", "respond_30", "contact", "made_safe", "complete", "reply", "follow_up"}
    assert {rule.promise for rule in pack.promises} == seven


def test_the_version_before_judges_days_of_the_past_as_it_always_did(pack):
    before = packs.named("example", "2026.1")
    assert before.calendar is None and pack.calendar is not None
    assert before.valid_to is not None and (pack.valid_from - before.valid_to).days == 1

    def terms(judge: Pack) -> dict[str, tuple[object, ...]]:
        return {r.id: (r.limit, r.start, r.target, r.pausable, r.rounds, r.warn_before_min) for r in judge.promises}

    assert terms(before).items() < terms(pack).items()


def test_every_drawn_order_is_promised_its_follow_up(pack):
    for rules in every_rule(pack, drawn=True):
        assert "follow_up" in [rule.promise for rule in rules]


def test_emergencies_and_works_between_neighbours_are_always_followed_up(pack):
    def always(urgency: str, category: str) -> bool:
        order = {
            "kind": "repair",
            "urgency": urgency,
            "category": category,
            "part": "private",
            "drawn": False,
        }
        return any(condition.matches(Traits(**order)) for condition in pack.follow_up.always)

    assert all(always("emergency", category) for category in pack.categories)
    assert [category for category in pack.categories if always("ordinary", category)] == ["leak"]
    assert pack.follow_up.share_percent == 20


def test_the_ladder_climbs_as_the_domain_says(pack):
    steps = [(step.step, step.after_min, step.unless, step.tells) for step in pack.ladder_for("respond_30")]
    assert steps == [
        ("unsigned_3", 3, "signed", ("front_desk", "manager")),
        ("unsigned_5", 5, "signed", ("centre",)),
        ("not_departed_10", 10, "departed", ("next_tier",)),
        ("company_20", 20, "arrived", ("company",)),
        ("town_centre_30", 30, "arrived", ("town", "centre")),
        ("supervisor_45", 45, "arrived", ("supervisor",)),
        ("district_90", 90, "arrived", ("district",)),
    ]
    assert pack.ladder_for("sign") == ()


def test_silence_verifies_after_seven_days_and_closes_a_day_later(pack):
    assert [(rule.verb, rule.from_state, rule.after_min) for rule in pack.silence] == [
        ("verify", "done", 7 * 24 * 60),
        ("close", "verified", 24 * 60),
    ]


def test_the_report_page_has_its_twelve_signs_in_order(pack):
    assert tuple(code for code, category in pack.categories.items() if category.sign == code) == SIGNS
    assert {category.sign for category in pack.categories.values()} == set(SIGNS)


def test_every_category_that_is_an_emergency_says_what_to_do_first(pack):
    urgent = [c for c in pack.categories.values() if c.default_urgency == "emergency"]
    assert {"leak", "power", "lift", "fire_safety", "gas"} <= {category.code for category in urgent}
    assert [category.code for category in urgent if category.safety is None] == []


def names_in(value: object) -> list[Names]:
    """Every name anywhere in a pack."""
    if isinstance(value, Names):
        return [value]
    if is_dataclass(value):
        return [name for part in fields(value) for name in names_in(getattr(value, part.name))]
    if isinstance(value, dict):
        return [name for part in value.values() for name in names_in(part)]
    if isinstance(value, tuple):
        return [name for part in value for name in names_in(part)]
    return []


def test_every_name_is_there_in_chinese_and_in_english(pack):
    names = names_in(pack)
    assert len(names) > 40
    for name in names:
        assert any("一" <= letter <= "鿿" for letter in name.zh), name
        assert name.en.isascii() and name.en.strip(), name


def test_each_promise_has_a_name_for_readers(pack):
    assert {rule.promise for rule in pack.promises} == set(pack.promise_names)


def test_the_pack_says_that_it_is_only_an_example(pack):
    assert not pack.official
    assert pack.label == Names("示例，非官方", "Example, not official")
    assert words.named(pack) == "example@2026.2 (示例，非官方)"
    assert words.named(replace(pack, official=True)) == "example@2026.2"


def test_no_line_hides_where_it_comes_from(pack):
    lines = [*pack.promises, *pack.ladder, *pack.silence, *pack.pauses.values(), *pack.categories.values()]
    assert [line for line in [*lines, pack.follow_up] if not (line.source or line.assumption)] == []


def test_a_paused_order_has_the_domains_reasons(pack):
    assert set(pack.pauses) == {
        "waiting_parts", "resident_absent", "weather", "maintenance_fund",
        "committee_handover", "third_party", "under_warranty",
    }  # fmt: skip
