"""Companies, contracts over time, shifts, and finding places."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jiying.core.errors import BadInput
from jiying.core.text import initials
from jiying.estates.actions import checked_uscc, hire, register_company, sign_contract
from jiying.estates.models import Company, Contract, Division, Estate, Shift, Worker
from jiying.estates.queries import candidates, find_places, on_duty, serving_companies, serving_company, zone_of
from jiying.orders.tests import build
from jiying.people.actions import leave
from jiying.people.models import User

SHANGHAI = ZoneInfo("Asia/Shanghai")
USCC = "91110000600037341L"


@pytest.fixture
def d(db):
    return build.district()


# -- the unified social credit code --------------------------------------------------------------------


@pytest.mark.parametrize("code", [USCC, USCC.lower(), f" {USCC[:9]} {USCC[9:]} "])
def test_a_credit_code_is_read_as_people_write_it(code):
    assert checked_uscc(code) == USCC


@pytest.mark.parametrize("code", ["", USCC[:-1], USCC[:-1] + "M", USCC.replace("6", "8", 1), "I" * 18, "公" * 18])
def test_a_credit_code_with_a_wrong_digit_is_refused(code):
    with pytest.raises(BadInput) as refusal:
        checked_uscc(code)
    assert refusal.value.first_code == "bad_uscc"


def test_a_company_is_registered_once(d):
    with pytest.raises(BadInput) as refusal:
        register_company(district="310115", uscc=USCC.lower(), name="又一家")
    assert refusal.value.first_code == "duplicate"
    assert Company.objects.count() == 2


# -- contracts -----------------------------------------------------------------------------------------


def test_the_company_serving_an_estate_changes_over_time(d):
    change = date(2026, 12, 1)
    sign_contract(d.company2, d.estate, since=change)
    assert serving_company(d.estate, change - timedelta(days=1)) == d.company
    assert serving_company(d.estate, change) == d.company2
    assert serving_company(d.estate, date(2019, 12, 31)) is None
    assert serving_companies([d.estate.pk, d.orphan.pk], change) == {d.estate.pk: d.company2.pk}


def test_two_contracts_never_run_on_one_day(d):
    sign_contract(d.company2, d.estate, since=date(2027, 1, 1))
    sign_contract(d.company, d.estate, since=date(2026, 6, 1))
    for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 12, 31), date(2027, 1, 1), date(2028, 1, 1)):
        assert Contract.objects.valid_on(day).filter(estate=d.estate).count() == 1, day
    assert serving_company(d.estate, date(2026, 12, 31)) == d.company
    assert serving_company(d.estate, date(2027, 1, 1)) == d.company2


def test_a_contract_that_ends_leaves_the_estate_without_a_company(d):
    sign_contract(d.company, d.orphan, since=date(2026, 1, 1), until=date(2026, 7, 1))
    assert serving_company(d.orphan, date(2026, 6, 30)) == d.company
    assert serving_company(d.orphan, date(2026, 7, 1)) is None


def test_a_contract_does_not_end_before_it_begins(d):
    with pytest.raises(BadInput):
        sign_contract(d.company, d.orphan, since=date(2026, 1, 1), until=date(2026, 1, 1))


# -- workers and shifts --------------------------------------------------------------------------------


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_a_night_shift_runs_past_midnight(d):
    night = hire(d.company, name="夜班", skills=["water"], shifts=[(22 * 60, 30 * 60)], known_skills=["water"])
    for at, there in (
        ("2026-11-24 21:59", False),
        ("2026-11-24 22:00", True),
        ("2026-11-25 00:00", True),
        ("2026-11-25 05:59", True),
        ("2026-11-25 06:00", False),
    ):
        assert night.on_duty(local(at), SHANGHAI) is there, at
        assert night.on_duty(local(at).astimezone(UTC), SHANGHAI) is there, at


def test_the_night_after_the_last_day_of_the_week_belongs_to_that_day():
    sunday = Shift(start_min=22 * 60, end_min=30 * 60, weekdays=1 << 6)
    assert sunday.covers(6, 23 * 60)
    assert sunday.covers(0, 5 * 60)
    assert not sunday.covers(6, 5 * 60)
    assert not sunday.covers(0, 23 * 60)


def test_a_whole_day_is_a_shift_and_a_shift_that_ends_before_it_starts_is_none(d):
    always = hire(d.company, name="全天", skills=[], shifts=[(0, 1440)], known_skills=[])
    assert always.on_duty(local("2026-11-24 00:00"), SHANGHAI)
    assert always.on_duty(local("2026-11-24 23:59"), SHANGHAI)
    for start, end in ((600, 600), (600, 500), (-1, 60), (1440, 1500), (600, 600 + 1441)):
        with pytest.raises(BadInput):
            hire(d.company, name="错", skills=[], shifts=[(start, end)], known_skills=[])
    assert not Worker.objects.filter(name="错").exists()


def test_an_unknown_skill_and_a_wrong_telephone_are_refused_and_the_right_one_is_sealed(d):
    with pytest.raises(BadInput):
        hire(d.company, name="甲", skills=["magic"], shifts=[], known_skills=["water"])
    with pytest.raises(BadInput):
        hire(d.company, name="甲", skills=[], shifts=[], known_skills=[], phone="1")
    hired = hire(d.company, name="甲", skills=[], shifts=[], known_skills=[], phone="13812345678")
    assert b"13812345678" not in bytes(Worker.objects.get(pk=hired.pk).phone)


def test_candidates_are_the_companys_active_workers_or_the_districts(d):
    Worker.objects.filter(pk=d.mate.pk).update(active=False)
    assert list(candidates(d.company, district="310115")) == [d.worker]
    assert set(candidates(None, district="310115")) == {d.worker, d.worker2}
    assert list(candidates(None, district="310104")) == []
    assert on_duty(candidates(d.company, district="310115"), datetime.now(UTC), SHANGHAI) == [d.worker]


def test_workers_are_seen_by_their_company_and_by_who_dispatches(d):
    def seen(role: str) -> set[str]:
        return {worker.name for worker in Worker.objects.visible_to(User.objects.get(pk=d.users[role].pk))}

    assert seen("company") == seen("manager") == {"王师傅", "赵师傅"}
    assert seen("operator") == {"王师傅", "赵师傅", "李师傅"}
    assert seen("company-2") == {"李师傅"}
    assert seen("resident") == seen("town") == set()


# -- places --------------------------------------------------------------------------------------------


def test_places_are_found_by_name_address_code_and_initials(d):
    for estate in Estate.objects.all():
        Estate.objects.filter(pk=estate.pk).update(initials=initials(estate.name), address="世纪大道 1 号")
    assert [estate.code for estate in find_places("潍坊")] == ["E1"]
    assert [estate.code for estate in find_places(" wfhy ")] == ["E1"]
    assert [estate.code for estate in find_places("WF")] == ["E1"]
    assert [estate.code for estate in find_places("E2")] == ["E2"]
    assert len(find_places("世纪大道")) == 3
    assert len(find_places("世纪大道", limit=2)) == 2
    assert find_places("潍坊", district="310104") == []


@pytest.mark.parametrize("words", ["", "  ", "\x00", "%", "_", "没有的", "\ud800", "'; drop"])
def test_what_is_no_name_finds_nothing_and_breaks_nothing(d, words):
    assert find_places(words) == []


def test_estates_are_seen_by_those_whom_they_concern(d):
    def seen(role: str) -> set[str]:
        return set(Estate.objects.visible_to(User.objects.get(pk=d.users[role].pk)).values_list("code", flat=True))

    assert seen("district") == seen("operator") == {"E1", "E2", "E3"}
    assert seen("town") == seen("committee") == {"E1", "E3"}
    assert seen("company") == seen("manager") == seen("worker") == {"E1"}
    assert seen("company-2") == {"E2"}
    assert seen("resident") == set()
    leave(d.users["town"].memberships.get(), on=date(2026, 1, 1))
    assert seen("town") == set()


def test_a_district_has_its_own_clock(db):
    assert zone_of("999999") == SHANGHAI, "unknown so far"
    Division.objects.create(code="999999", name="New York", level="district", timezone="America/New_York")
    assert zone_of("999999") == ZoneInfo("America/New_York")
