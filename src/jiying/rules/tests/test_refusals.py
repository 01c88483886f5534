"""A pack that cannot be used is refused with the line that is wrong."""

from __future__ import annotations

import pytest

from jiying.rules import loader, packs
from jiying.rules.faults import PackError

EXAMPLE = (packs.SHIPPED / "example.yaml").read_text(encoding="utf-8")


def refusal(text: str | bytes) -> PackError:
    with pytest.raises(PackError) as caught:
        loader.parse(text if isinstance(text, bytes) else text.encode())
    return caught.value


def codes_and_lines(error: PackError) -> list[tuple[str, int]]:
    return [(fault["code"], fault["line"]) for fault in error.errors]


def changed(old: str, new: str, after: str = "") -> str:
    """The example with one passage replaced: the first `old` behind the first `after`."""
    start = EXAMPLE.index(after)
    place = EXAMPLE.index(old, start)
    return EXAMPLE[:place] + new + EXAMPLE[place + len(old) :]


def test_the_example_is_accepted_as_it_stands():
    assert loader.parse(EXAMPLE.encode())[0].name == "example"


@pytest.mark.parametrize(
    ("old", "new", "after", "code"),
    [
        ("rounds: true", "rounds: true\n    roundz: 1", "id: respond_30", "unknown_key"),
        ("claimed_after_min: 5", "clamed_after_min: 5", "", "unknown_key"),
        ("to: arrived", "to: arived", "id: respond_30", "unknown_milestone"),
        ("from: reported", "from: answer", "id: respond_30", "unknown_milestone"),
        ("unless: departed", "unless: left", "ladder:", "unknown_milestone"),
        ("unit: emergency_minutes", "unit: minutes", "id: sign.emergency", "unknown_unit"),
        ("tells: [town, centre]", "tells: [town, mayor]", "", "unknown_audience"),
        ("[repair]", "[repairs]", "", "unknown_kind"),
        ("[emergency]", "[urgent]", "", "unknown_urgency"),
        ("part: private", "part: mine", "", "unknown_part"),
        ("skill: water", "skill: wet", "", "unknown_skill"),
        ("category: leak", "category: lava", "keywords:", "unknown_category"),
        ("weight: 4", "weight: 40", "keywords:", "out_of_range"),
        ("weight: 4", "wait: 4", "keywords:", "unknown_key"),
        ("urgency: ordinary", "urgency: slow", "keywords:", "unknown_urgency"),
        ("{category: leak, weight: 4}", "{weight: 4}", "keywords:", "missing_key"),
        ("漏水:", "' 漏水':", "keywords:", "bad_text"),
        ("渗水:", "漏水:", "keywords:", "duplicate_key"),
        ("verb: verify", "verb: rate", "", "unknown_verb"),
        ("from_state: done", "from_state: paused", "", "unknown_state"),
        ("from_state: done", "from_state: verified", "", "unknown_state"),
        ("{kinds: [repair], urg", "{categories: [lava], urg", "", "unknown_category"),
        ("{between_neighbours: true}", "{categories: [lava]}", "follow_up:\n  always", "unknown_category"),
        ("sign: water_pipe", "sign: lava", "code: heating", "unknown_category"),
        ("sign: water_pipe", "sign: pests", "code: heating", "unknown_category"),
        ("promise: sign", "promise: sing", "", "unknown_promise"),
        ("promise: respond_30", "promise: respond_3", "ladder:", "unknown_promise"),
        ("after_min: 5", "after_min: 3", "ladder:", "ladder_not_rising"),
        ("after_min: 30", "after_min: 12", "ladder:", "ladder_not_rising"),
        ("valid_to: null", "valid_to: 1999-12-31", "", "dates_reversed"),
        ("valid_from: 2026-01-01", "valid_from: 2026-02-30", "", "bad_date"),
        ("valid_to: null", "valid_to: 明年", "", "bad_date"),
        ("code: other", "code: water_pipe", "", "duplicate_code"),
        ("id: sign.ordinary", "id: sign.emergency", "", "duplicate_code"),
        ("step: unsigned_5", "step: unsigned_3", "", "duplicate_code"),
        ("id: verified_24_hours", "id: no_objection_7_days", "", "duplicate_code"),
        ("pausable: false", "pausable: true", "id: respond_30", "never_paused"),
        ("to: signed", "to: reported", "", "same_milestone"),
        ("warn_before_min: 10", "warn_before_min: 30", "", "out_of_range"),
        ("amount: 30,", "amount: 0,", "", "out_of_range"),
        ("amount: 30,", "amount: -30,", "", "out_of_range"),
        ("amount: 30,", "amount: 99999999,", "", "out_of_range"),
        ("amount: 30,", "amount: thirty,", "", "wrong_type"),
        ("amount: 30,", "amount: true,", "", "wrong_type"),
        ("amount: 30,", "amount: .inf,", "", "wrong_type"),
        ("share_percent: 20", "share_percent: 101", "", "out_of_range"),
        ('version: "2026.2"', "version: 2026.2", "", "wrong_type"),
        ("tells: [centre]", "tells: []", "", "too_few"),
        ("tells: [centre]", "tells: [centre, centre]", "", "repeated"),
        ('zh: "水管"', 'zh: " "', "categories:\n  - code", "bad_text"),
        ("code: leak", "code: Leak!", "", "bad_text"),
        ("to: signed", "to: signed\n    to: done", "", "duplicate_key"),
        ("hours: [09:00-12:00", "hours: [09:00-08:00", "", "bad_hours"),
        ("hours: [09:00-12:00", "hours: [9-12", "", "bad_hours"),
        ("13:30-17:30]", "11:30-17:30]", "", "bad_hours"),
        ("[09:00-12:00, 13:30-17:30]", "[09:00-09:30]", "", "bad_hours"),
        ("approved: true", "estate_types: [castle]", "", "unknown_estate_type"),
    ],
)
def test_each_mistake_is_named_with_its_line(old, new, after, code):
    text = changed(old, new, after)
    place = EXAMPLE.index(old, EXAMPLE.index(after))
    line = text.count("\n", 0, place + len(new)) + 1
    assert (code, line) in codes_and_lines(refusal(text))


@pytest.mark.parametrize(
    ("old", "after"),
    [
        ("    assumption: true\n", "id: sign.ordinary"),
        ("    assumption: true\n", "step: company_20"),
        (", assumption: true", "code: weather"),
        ("  assumption: true\n", "share_percent"),
    ],
)
def test_a_line_says_where_it_comes_from_or_that_it_is_assumed(old, after):
    assert [code for code, _ in codes_and_lines(refusal(changed(old, "\n", after)))] == ["missing_source"]


def test_assumption_false_is_no_source():
    text = changed("assumption: true", "assumption: false", "id: sign.ordinary")
    assert [code for code, _ in codes_and_lines(refusal(text))] == ["missing_source"]


def test_a_missing_key_is_named():
    error = refusal(changed("    to: signed\n", ""))
    [fault] = error.errors
    assert fault["code"] == "missing_key" and "'to'" in fault["message"]


def test_two_rules_that_can_meet_in_one_order_are_refused_and_both_are_named():
    text = changed("urgencies: [ordinary]", "parts: [common]", "id: complete.ordinary")
    [fault] = refusal(text).errors
    assert fault["code"] == "rival_rules"
    assert fault["line"] == text.count("\n", 0, text.index("- id: complete.ordinary")) + 1
    first = text.count("\n", 0, text.index("- id: complete.emergency")) + 1
    assert "complete.ordinary" in fault["message"] and f"complete.emergency (line {first})" in fault["message"]


def test_between_neighbours_narrows_a_rule_to_those_categories():
    text = changed("between_neighbours: false", "categories: [leak, drain]", "id: follow_up.others")
    [fault] = refusal(text).errors
    assert fault["code"] == "rival_rules" and "follow_up.neighbours" in fault["message"]


def test_two_meanings_of_one_silence_are_refused():
    text = changed("verb: close\n    from_state: verified", "verb: verify\n    from_state: done")
    assert [code for code, _ in codes_and_lines(refusal(text))] == ["rival_rules"]


def test_all_mistakes_of_a_stage_are_told_at_once():
    text = changed("to: signed", "to: singed").replace("unit: calendar_days", "unit: days")
    found = codes_and_lines(refusal(text))
    assert [code for code, _ in found] == ["unknown_milestone", "unknown_unit", "unknown_unit"]
    assert [line for _, line in found] == sorted(line for _, line in found)


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"", "not_yaml", 1),
        (b"name: a\n---\nname: b\n", "not_yaml", 2),
        (b"name: a\nlabel: {zh: x\n", "not_yaml", 3),
        (b"name: a\nversion: \xff\n", "not_utf8", 2),
        (b"name: a\nversion: \x00\n", "not_yaml", 2),
        (b"name: &a x\nversion: *a\n", "alias", 2),
        (b"name: !!python/object/apply:os.system [x]\n", "missing_key", 1),
        (b"name: !!python/name:os.system ''\n", "not_yaml", 1),
        (b"name: a\nname: b\n", "duplicate_key", 2),
        (b"- just\n- a list\n", "wrong_type", 1),
        (b"just words\n", "wrong_type", 1),
        (b"claimed_after_min: " + b"9" * 5000, "not_yaml", 1),
        (b"[" * 1200, "not_yaml", 1),
    ],
)
def test_what_is_no_pack_at_all_is_refused_in_words(raw, code, line):
    assert (code, line) in codes_and_lines(refusal(raw))


def test_a_long_wrong_value_is_quoted_in_short():
    error = refusal(changed("unit: emergency_minutes", "unit: " + "x" * 100_000))
    assert len(error.errors[0]["message"]) < 500


def with_holidays(*lines: str) -> str:
    return changed("  hours:", "  holidays:\n" + "".join(f"    {line}\n" for line in lines) + "  hours:", "calendar:")


@pytest.mark.parametrize(
    ("lines", "code", "which"),
    [
        (("2027: {off: [2027-01-01], work: []}", "2029: {off: [2029-01-01], work: []}"), "missing_year", 1),
        (("2027: {off: [2027-13-01], work: []}",), "bad_date", 0),
        (("2027: {off: [2026-12-31], work: []}",), "wrong_year", 0),
        (("2027: {off: [2027-10-09], work: [2027-10-09]}",), "day_twice", 0),
        (("soon: {off: [2027-10-09], work: []}",), "bad_date", 0),
        (("2027: {off: [2027-01-01]}",), "missing_key", 0),
    ],
)
def test_a_mistake_in_the_table_of_holidays_is_named_with_its_line(lines, code, which):
    text = with_holidays(*lines)
    line = text.count("\n", 0, text.index(lines[which])) + 1
    assert (code, line) in codes_and_lines(refusal(text))


def test_a_table_of_consecutive_years_is_taken():
    text = with_holidays("2027: {off: [2027-01-01], work: [2027-01-02]}", "2028: {off: [], work: []}")
    assert [table.year for table in loader.parse(text.encode())[0].calendar.tables] == [2027, 2028]


@pytest.mark.parametrize(
    ("old", "new", "after", "meant"),
    [
        ("to: arrived", "to: arived", "id: respond_30", "arrived"),
        ("claimed_after_min: 5", "clamed_after_min: 5", "", "claimed_after_min"),
        ("promise: sign", "promise: sing", "", "sign"),
        ("between_neighbours: true", "categories: [leek]", "id: follow_up.neighbours", "leak"),
    ],
)
def test_a_word_that_is_nearly_right_is_answered_with_the_one_that_was_meant(old, new, after, meant):
    error = refusal(changed(old, new, after))
    assert any(f"Did you mean “{meant}”?" in fault["message"] for fault in error.errors)


def test_an_approval_that_no_category_wants_would_never_come():
    error = refusal(changed("approval: true", "approval: false"))
    [fault] = error.errors
    assert fault["code"] == "never_applies" and "reply.complex_complaint" in fault["message"]


def test_a_category_in_a_condition_stands_for_those_beneath_it():
    text = changed("kinds: [complaint], approved: false", "kinds: [complaint], categories: [complaint]", "id: reply.")
    [fault] = refusal(text).errors
    assert fault["code"] == "rival_rules", "complaint.complex is beneath complaint, so both rules could apply to one"
    alone = text.replace("approved: true}", "categories: [leak]}")
    [rule] = [rule for rule in loader.parse(alone.encode())[0].promises if rule.id == "reply.complaint"]
    assert rule.when.categories == {"complaint", "complaint.complex"}
