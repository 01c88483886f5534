"""`jiying rules …`: checked, loaded, compared, asked; and an order explained."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jiying.orders import intake
from jiying.orders.actions import act
from jiying.orders.intake import NewOrder
from jiying.orders.rulecommands import rules
from jiying.orders.tests.build import report, walk
from jiying.rules import calendars, loading, packs

EXAMPLE = (packs.SHIPPED / "example.yaml").read_text("utf-8")


@pytest.fixture(autouse=True)
def library_of_2026(monkeypatch):
    """The library as it is before the notice for 2027, whatever is installed."""
    monkeypatch.setattr(calendars, "library_knows", lambda year: 2004 <= year <= 2026)


def say(*words: object) -> Result:
    return CliRunner().invoke(rules, [str(word) for word in words])


def told(*words: object, code: int = 0) -> dict:
    answer = say(*words, "--json")
    assert answer.exit_code == code, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An installation into which nothing was loaded yet."""
    monkeypatch.setenv("JIYING_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    packs._in_use.cache_clear()


def written(folder: Path, *changes: tuple[str, str], file: str = "own.yaml") -> Path:
    """The example with passages replaced, each once."""
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / file
    path.write_text(text, encoding="utf-8")
    return path


def own(
    folder: Path, *changes: tuple[str, str], version="1", since="2026-06-01", until="null", file="own.yaml"
) -> Path:
    named = (
        ("name: example", "name: district"),
        ('version: "2026.2"', f'version: "{version}"'),
        ("valid_from: 2026-01-01", f"valid_from: {since}"),
        ("valid_to: null", f"valid_to: {until}"),
        ("official: false", "official: true"),
    )
    return written(folder, *named, *changes, file=file)


# -- check ---------------------------------------------------------------------------------------------------


def test_what_ships_and_what_is_right_is_checked_without_a_fault(home, tmp_path):
    for pack in ("example", "example@2026.1", packs.SHIPPED / "example.yaml", own(tmp_path)):
        assert told("check", pack) == {"errors": []}


def test_a_typo_is_named_with_its_line_and_what_was_meant(home, tmp_path):
    path = written(tmp_path, ("to: arrived", "to: arived"))
    [fault] = told("check", path, code=1)["errors"]
    line = path.read_text("utf-8").splitlines().index("    to: arived") + 1
    assert (fault["line"], fault["code"]) == (line, "unknown_milestone")
    assert "Did you mean “arrived”?" in fault["message"]
    assert f"{path}:{line}: unknown_milestone" in say("check", path).stdout


def test_a_pack_that_shares_days_with_one_in_use_is_refused_with_the_line(home, tmp_path):
    path = written(
        tmp_path, ('version: "2026.2"', 'version: "2026.3"'), ("valid_from: 2026-01-01", "valid_from: 2026-09-01")
    )
    line = (
        path.read_text("utf-8")
        .splitlines()
        .index(
            "valid_from: 2026-09-01      # days before are judged by 2026.1, which counts working time as plain time"
        )
        + 1
    )
    [fault] = told("check", path, code=1)["errors"]
    assert (fault["line"], fault["code"]) == (line, "overlapping_packs")
    assert "2026.2" in fault["message"]


@pytest.mark.parametrize("words", [("check", "nowhere.yaml"), ("check", "nobody"), ("diff", "example", "nobody@1")])
def test_what_cannot_be_found_is_wrong_use(home, words):
    answer = say(*words, "--json")
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_a_pack_without_a_calendar_is_warned_of_and_taken(home, tmp_path):
    start, end = EXAMPLE.index("calendar:\n"), EXAMPLE.index("promise_names:\n")
    path = tmp_path / "plain.yaml"
    path.write_text(EXAMPLE[:start] + EXAMPLE[end:], "utf-8")
    answer = say("check", path)
    assert answer.exit_code == 0
    assert "has no calendar: working_days, working_minutes are counted as plain time" in answer.stderr


# -- load -----------------------------------------------------------------------------------------------------


def test_a_loaded_pack_is_in_force_from_its_day_at_once_and_loading_it_again_does_nothing(home, tmp_path):
    path = own(tmp_path, since="2027-01-01")
    assert packs.in_force(date(2027, 1, 1)).name == "example"
    assert told("load", path, "--by", "李工")["loaded"] is True
    assert packs.in_force(date(2026, 12, 31)).name == "example"
    assert packs.in_force(date(2027, 1, 1)).name == "district"
    assert told("load", path)["loaded"] is False
    assert [(line.pack, line.by) for line in loading.journal()] == [("district@1", "李工")]
    assert sorted(file.name for file in (home / "packs").iterdir()) == ["district@1.yaml", "loaded.jsonl"]


def test_other_content_under_a_loaded_version_is_refused_and_the_first_stays(home, tmp_path):
    told("load", own(tmp_path))
    changed = own(tmp_path, ("amount: 30,", "amount: 45,"))
    [fault] = told("load", changed, code=1)["errors"]
    assert fault["code"] == "changed_version"
    assert "version" in changed.read_text("utf-8").splitlines()[fault["line"] - 1]
    assert packs.named("district", "1").promises[1].limit.amount == 30


def test_a_pack_is_given_an_end_for_its_successor(home, tmp_path):
    told("load", own(tmp_path))
    successor = own(tmp_path, ("amount: 30,", "amount: 45,"), version="2", since="2027-01-01", file="two.yaml")
    assert told("load", successor, code=1)["errors"][0]["code"] == "overlapping_packs"
    told("load", own(tmp_path, until="2026-12-31"))
    told("load", successor)
    assert [packs.in_force(date(year, month, 1)).version for year, month in ((2026, 12), (2027, 1))] == ["1", "2"]


def test_a_faulty_pack_is_not_loaded(home, tmp_path):
    assert told("load", written(tmp_path, ("to: arrived", "to: arived")), code=1)["errors"]
    assert not (home / "packs").exists()


def test_a_file_that_was_spoilt_afterwards_is_left_out_and_told(home, tmp_path):
    told("load", own(tmp_path))
    (home / "packs" / "spoilt.yaml").write_text("name: [", "utf-8")
    assert packs.in_force(date(2026, 7, 1)).name == "district"
    [fault] = packs.faulty_files()
    assert fault.file == "spoilt.yaml"


# -- diff -----------------------------------------------------------------------------------------------------


def test_the_difference_is_said_in_words(home, tmp_path):
    path = written(
        tmp_path,
        ("amount: 5, unit: working_days", "amount: 3, unit: working_days"),
        ("after_min: 3\n", "after_min: 2\n"),
        ("max_min: 4320", "max_min: 1440"),
        ("13:30-17:30", "13:00-17:00"),
    )
    changes = told("diff", "example", path, "--lang", "en")["changes"]
    assert [(change["promise"], change["what"]) for change in changes] == [
        ("reply", "reply.complaint: limit"),
        ("respond_30", "step unsigned_3 of the ladder"),
        ("", "working hours".capitalize()),
        ("", "pause for waiting_parts, longest without approval"),
    ]
    assert (changes[0]["from"], changes[0]["to"]) == ("5 working days", "3 working days")
    assert (changes[3]["from"], changes[3]["to"]) == ("3 d", "1 d")
    assert "个工作日" in say("diff", "example", path).stdout


def test_packs_that_rule_alike_do_not_differ(home):
    assert told("diff", "example", packs.SHIPPED / "example.yaml") == {"changes": []}


# -- due -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promise", "begins", "more", "due", "rule"),
    [
        ("respond_30", "2026-11-24T23:50:00+08:00", (), "2026-11-25T00:20:00+08:00", "respond_30.emergency"),
        ("contact", "2026-11-24T23:50:00+08:00", (), "2026-11-25T09:30:00+08:00", "contact.ordinary"),
        ("reply", "2026-02-13T16:00:00+08:00", (), "2026-02-14T16:00:00+08:00", "reply.enquiry"),
        ("reply.complaint", "2026-02-13T08:00:00Z", (), "2026-02-27T16:00:00+08:00", "reply.complaint"),
        (
            "reply.complaint", "2026-11-24T10:00:00+08:00",
            ("--pause", "2026-11-24T11:00:00+08:00/2026-11-24T14:00:00+08:00"),
            "2026-12-01T11:30:00+08:00", "reply.complaint",
        ),
        (
            "contact", "2026-11-24T10:00:00+08:00", ("--pause", "2026-11-24T10:10:00+08:00/2026-11-24T11:10:00+08:00"),
            "2026-11-24T10:30:00+08:00", "contact.ordinary",
        ),
    ],
)  # fmt: skip
def test_when_a_promise_is_due_can_be_asked_without_an_order(home, promise, begins, more, due, rule):
    answer = told("due", "--pack", "example", "--promise", promise, "--from", begins, *more)
    assert (answer["due_at"], answer["rule"]) == (due, rule)
    assert answer.keys() == {"due_at", "limit", "unit", "rule"}


@pytest.mark.parametrize(
    "wrong",
    [
        ("--promise", "reply", "--from", "2026-11-24T10:00:00"),
        ("--promise", "reply", "--from", "tomorrow"),
        ("--promise", "sing", "--from", "2026-11-24T10:00:00+08:00"),
        ("--promise", "reply", "--from", "2026-11-24T10:00:00+08:00", "--pause", "2026-11-24T11:00:00+08:00"),
        (
            "--promise", "reply", "--from", "2026-11-24T10:00:00+08:00",
            "--pause", "2026-11-24T12:00:00+08:00/2026-11-24T11:00:00+08:00",
        ),
        ("--promise", "reply", "--from", "9999-12-31T10:00:00+08:00"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_is_wrong_use(home, wrong):
    answer = say("due", "--pack", "example", *wrong, "--json")
    assert (answer.exit_code, answer.stdout) == (2, ""), answer.exception
    assert answer.stderr.startswith("jiying: ")


def test_a_year_without_known_holidays_is_warned_of(home):
    answer = say("due", "--pack", "example", "--promise", "reply", "--from", "2026-12-31T10:00:00+08:00", "--json")
    assert json.loads(answer.stdout)["due_at"] == "2027-01-01T10:00:00+08:00"
    assert "2027 are not known: Monday to Friday is assumed" in answer.stderr


def test_a_table_in_the_pack_takes_the_guess_away(home, tmp_path):
    path = own(tmp_path, ("  hours:", "  holidays: {2027: {off: [2027-01-01], work: [2027-01-02]}}\n  hours:"))
    answer = say("due", "--pack", path, "--promise", "reply", "--from", "2026-12-31T10:00:00+08:00", "--json")
    assert json.loads(answer.stdout)["due_at"] == "2027-01-02T10:00:00+08:00"
    assert "not known" not in answer.stderr


@pytest.mark.django_db
def test_the_clock_of_a_district_can_be_asked_by_its_code(home, d):
    words = ("due", "--pack", "example", "--promise", "contact", "--from", "2026-11-24T23:50:00+08:00")
    assert told(*words, "--district", d.division.code)["due_at"] == "2026-11-25T09:30:00+08:00"
    assert say(*words, "--district", "nowhere").exit_code == 2


# -- explain ---------------------------------------------------------------------------------------------------

NIGHT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""Friday, 20:00 in Shanghai."""


def clock_of(answer: dict, promise: str) -> dict:
    return next(one for one in answer["promises"] if one["promise"] == promise)


@pytest.mark.django_db
def test_an_order_is_explained_promise_by_promise(home, d):
    order = report(d, now=NIGHT, category="drain", urgency="ordinary")
    answer = told("explain", order.number, "--lang", "en")
    assert {one["promise"] for one in answer["promises"]} == {"sign", "contact", "complete"}
    contact = clock_of(answer, "contact")
    assert contact["rule"] == "contact.ordinary"
    assert (contact["from_at"], contact["due_at"]) == ("2026-11-20T20:00:00+08:00", "2026-11-23T09:30:00+08:00")
    assert "30 working minutes" in contact["sentence"] and "2026-11-23 09:30" in contact["sentence"]
    assert contact.keys() == {"promise", "round", "rule", "from_at", "pauses", "due_at", "state", "sentence"}


@pytest.mark.django_db
def test_each_pause_is_told_with_what_counted_of_it_and_why(home, d):
    order = walk(d, report(d, now=NIGHT, category="drain", urgency="ordinary"), "sign", "assign", now=NIGHT)
    start, end = NIGHT + timedelta(hours=1), NIGHT + timedelta(hours=3)
    act(order.pk, "pause", by=d.actor("manager"), now=start, data={"reason": "weather", "until": end.isoformat()})
    act(order.pk, "resume", by=d.actor("manager"), now=start + timedelta(hours=1))
    answer = told("explain", order.pk, "--lang", "en")
    complete, contact = clock_of(answer, "complete"), clock_of(answer, "contact")
    [pause] = complete["pauses"]
    assert (pause["from"], pause["to"]) == ("2026-11-20T21:00:00+08:00", "2026-11-20T22:00:00+08:00")
    assert (pause["reason"], pause["counted"]) == ("weather", 60)
    assert complete["due_at"] == "2026-11-23T21:00:00+08:00"
    assert [pause["counted"] for pause in contact["pauses"]] == [0]
    assert "cannot be paused" in contact["sentence"] and "60 minutes left out" in complete["sentence"]


@pytest.mark.django_db
def test_another_pack_says_what_it_would_have_judged(home, d, tmp_path):
    order = report(d, now=NIGHT, category="drain", urgency="ordinary")
    old = told("explain", order.number, "--pack", "example@2026.1")
    assert clock_of(old, "contact")["due_at"] == "2026-11-20T20:30:00+08:00"
    mine = own(tmp_path, ("amount: 3, unit: calendar_days", "amount: 1, unit: working_days"))
    found = clock_of(told("explain", order.number, "--pack", mine), "complete")
    assert (found["rule"], found["due_at"]) == ("complete.ordinary", "2026-11-24T09:00:00+08:00")


@pytest.mark.django_db
def test_an_order_keeps_the_pack_of_its_day_when_another_is_loaded(home, d, tmp_path):
    order = report(d, now=NIGHT, category="drain", urgency="ordinary")
    told("load", own(tmp_path, ("amount: 3, unit: calendar_days", "amount: 2, unit: calendar_days")))
    later = report(d, now=NIGHT + timedelta(minutes=1), category="drain", urgency="ordinary")
    assert (order.pack, later.pack) == ("example@2026.2", "district@1")
    days = [clock_of(told("explain", one.number), "complete")["due_at"][:10] for one in (order, later)]
    assert days == ["2026-11-23", "2026-11-22"]


@pytest.mark.django_db
def test_an_order_that_is_not_there_cannot_be_explained(home):
    assert say("explain", "nothing").exit_code == 2


# -- what intake notes for judging ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_replay_of_a_place_without_a_calendar_is_judged_in_plain_time(home, d):
    new = NewOrder(category="drain", urgency="ordinary", description="堵了", estate=d.estate.code, plain_time=True)
    order, _fresh = intake.accept_one(new, by=d.actor("operator"), now=NIGHT)
    due = {clock.promise: clock.due_at for clock in order.clocks.all()}
    assert due["contact"] == NIGHT + timedelta(minutes=30)
