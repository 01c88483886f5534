"""`/desk/roster`: seen and filled by those of the organisation, and by nobody else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone

from jiying.estates.queries import nights_of
from jiying.orders.tests.build import District, district
from jiying.people.actions import join, leave, put_on_duty
from jiying.people.models import Membership, NightDuty, Organisation, User

MONDAY = date(2036, 11, 24)
"""A week to come, whenever this is run."""


@pytest.fixture
def d(db) -> District:
    return district()


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _form(d: District, *people: User, **more: object) -> dict[str, object]:
    nights = [str(MONDAY + timedelta(days=n)) for n in range(7)]
    body = d.company.organisation.pk
    form = {"body": str(body), "week": str(MONDAY), "duty": "front_desk", "night": nights}
    return {**form, "person": [str(user.pk) for user in people], **more}


def _fill(d: District, *people: User, by: str = "company", **more: object):
    return _client(d.users[by]).post("/desk/roster/fill", _form(d, *people, **more))


def test_every_night_of_a_week_is_filled_in_one_go_and_stands_on_the_page(d):
    answer = _fill(d, d.users["company"], d.users["manager"])
    assert answer.status_code == 302
    assert NightDuty.objects.count() == 14
    nights = nights_of("310115")
    assert {(row.starts_at, row.ends_at) for row in NightDuty.objects.all()} == {
        nights.night(MONDAY + timedelta(days=n)) for n in range(7)
    }
    page = _client(d.users["company"]).get(answer["Location"]).content.decode()
    assert page.count('data-test="roster-off"') == 14
    assert 'data-test="roster-gap"' not in page


def test_a_month_is_filled_in_one_go(d):
    _fill(d, d.users["company"], weeks="4")
    assert NightDuty.objects.count() == 28


def test_the_second_click_doubles_nothing(d):
    _fill(d, d.users["company"])
    client = _client(d.users["company"])
    answer = client.post("/desk/roster/fill", _form(d, d.users["company"]), follow=True)
    assert "7 班原来就有" in answer.content.decode()
    assert NightDuty.objects.count() == 7


def test_the_same_person_twice_at_one_time_is_refused_and_nothing_is_written(d):
    _fill(d, d.users["company"], night=[str(MONDAY)])
    answer = _fill(d, d.users["company"], **{"from": "22:00", "to": "06:00"})
    assert answer.status_code == 422
    assert "已经排了班" in answer.content.decode()
    assert NightDuty.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"from": "02:00", "to": "23:00"}, "早于开始"),
        ({"from": "22:00", "to": "22:00"}, "早于开始"),
        ({"from": "10:00", "to": "12:00", "night": [str(MONDAY)]}, "不在夜间"),
        ({"from": "22:00"}, "都填上"),
        ({"from": "99:99", "to": "x"}, "23:00"),
        ({"person": []}, "请选择"),
        ({"night": []}, "请选择"),
        ({"night": ["2036-13-45"]}, "不完整"),
        ({"night": ["2001-01-01"]}, "不完整"),
        ({"weeks": "99"}, "不完整"),
        ({"duty": "town"}, "没有这种值班"),
        ({"place": ["E2"]}, "不由本单位"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(d, wrong, said):
    answer = _fill(d, d.users["company"], **wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not NightDuty.objects.exists()


def test_nights_that_are_over_cannot_be_filled(d):
    past = date(2025, 11, 24)
    assert _fill(d, d.users["company"], week=str(past), night=[str(past)]).status_code == 422


def test_somebody_of_another_organisation_cannot_be_put_down(d):
    for stranger in ("company-2", "worker", "resident"):
        assert _fill(d, d.users[stranger]).status_code == 422
    assert not NightDuty.objects.exists()


def test_another_organisations_roster_is_not_there(d):
    _fill(d, d.users["company"])
    row = NightDuty.objects.first()
    for other in ("company-2", "town", "operator", "committee", "manager-2"):
        client = _client(d.users[other])
        body = d.company.organisation.pk
        assert client.get(f"/desk/roster?body={body}").status_code == 404
        assert client.post("/desk/roster/fill", _form(d, d.users["company"])).status_code == 404
        assert client.post("/desk/roster/copy", {"body": str(body)}).status_code == 404
        assert client.post("/desk/roster/off", {"body": str(body), "row": str(row.pk)}).status_code == 404
        # Nor does one's own roster reach into theirs.
        client.post("/desk/roster/off", {"row": str(row.pk)})
    assert NightDuty.objects.count() == 7


@pytest.mark.parametrize(
    ("role", "duty"),
    [("town", "town"), ("committee", "committee"), ("operator", "centre"), ("supervisor", "supervisor"),
     ("district", "district")],
)  # fmt: skip
def test_offices_keep_their_own(d, role, duty):
    user = d.users[role]
    client, body = _client(user), Membership.objects.get(user=user).organisation
    page = client.get("/desk/roster").content.decode()
    assert body.name in page
    answer = client.post("/desk/roster/fill", _form(d, user, body=str(body.pk), duty=duty))
    assert answer.status_code == 302
    assert set(NightDuty.objects.values_list("duty", "organisation")) == {(duty, body.pk)}


def test_an_owners_committee_keeps_none(d):
    owners = Organisation.objects.create(kind="owners", code="O1", name="业委会", district="310115")
    user = User.objects.create(username="owner")
    join(user, owners, "committee", places=(d.estate.code,))
    client = _client(user)
    assert client.get("/desk/roster").status_code == 403
    assert 'data-test="roster"' not in client.get("/desk").content.decode()
    assert 'data-test="roster"' in _client(d.users["town"]).get("/desk").content.decode()


def test_a_manager_bound_to_estates_fills_in_these_and_leaves_the_rest_alone(d):
    _fill(d, d.users["manager"], by="manager", duty="manager", night=[str(MONDAY)])
    assert NightDuty.objects.get().places == [d.estate.code]
    NightDuty.objects.update(places=[])
    whole = NightDuty.objects.get()
    off = {"body": str(d.company.organisation.pk), "row": str(whole.pk)}
    assert _client(d.users["manager"]).post("/desk/roster/off", off).status_code == 404
    assert _client(d.users["company"]).post("/desk/roster/off", off).status_code == 302
    assert not NightDuty.objects.exists()


def test_taking_off_twice_is_no_mistake(d):
    _fill(d, d.users["company"], night=[str(MONDAY)])
    off = {"body": str(d.company.organisation.pk), "week": str(MONDAY), "row": str(NightDuty.objects.get().pk)}
    client = _client(d.users["company"])
    assert client.post("/desk/roster/off", off).status_code == 302
    assert "已经撤下" in client.post("/desk/roster/off", off, follow=True).content.decode()
    assert client.post("/desk/roster/off", {**off, "row": "nonsense"}).status_code == 302


def test_a_night_that_is_over_stays_on_record(d):
    night = nights_of("310115").night(date(2025, 11, 24))
    put_on_duty(d.company.organisation, "front_desk", [d.users["company"]], [night])
    row = NightDuty.objects.get()
    off = {"body": str(d.company.organisation.pk), "week": "2025-11-24", "row": str(row.pk)}
    assert _client(d.users["company"]).post("/desk/roster/off", off).status_code == 422
    assert NightDuty.objects.exists()
    assert (
        'data-test="roster-off"' not in _client(d.users["company"]).get("/desk/roster?week=2025-11-24").content.decode()
    )


def test_the_week_before_is_copied_and_who_left_is_not(d):
    gone = User.objects.create(username="gone")
    join(gone, d.company.organisation, "company")
    _fill(d, d.users["company"], gone)
    _fill(d, d.users["manager"], duty="manager", **{"from": "22:00", "to": "06:00"})
    leave(Membership.objects.get(user=gone), on=timezone.localdate())
    client = _client(d.users["company"])
    form = {"body": str(d.company.organisation.pk), "week": str(MONDAY + timedelta(days=7))}
    page = client.post("/desk/roster/copy", form, follow=True).content.decode()
    assert "已照上一周排 14 班" in page and "7 班没有照抄" in page
    assert "22:00–06:00" in page
    client.post("/desk/roster/copy", form)
    assert NightDuty.objects.count() == 35


def test_nights_without_anybody_are_marked_where_a_roster_is_kept(d):
    client = _client(d.users["company"])
    assert 'data-test="roster-gap"' not in client.get(f"/desk/roster?week={MONDAY}").content.decode()
    _fill(d, d.users["company"], night=[str(MONDAY), str(MONDAY + timedelta(days=2))])
    assert client.get(f"/desk/roster?week={MONDAY}").content.decode().count('data-test="roster-gap"') == 5


def test_who_has_left_is_shown_and_leaves_a_gap(d):
    gone = User.objects.create(username="gone", name="老周")
    join(gone, d.company.organisation, "company")
    _fill(d, gone, night=[str(MONDAY)])
    leave(Membership.objects.get(user=gone), on=timezone.localdate())
    page = _client(d.users["company"]).get(f"/desk/roster?week={MONDAY}").content.decode()
    assert "老周" in page and "已离开" in page
    assert page.count('data-test="roster-gap"') == 7


def test_who_leaves_before_a_night_is_over_leaves_a_gap_from_that_night_on(d):
    leaving = User.objects.create(username="leaving")
    join(leaving, d.company.organisation, "company")
    _fill(d, leaving)
    leave(Membership.objects.get(user=leaving), on=MONDAY + timedelta(days=3))
    page = _client(d.users["company"]).get(f"/desk/roster?week={MONDAY}").content.decode()
    assert page.count('data-test="roster-gap"') == 5, "they are gone on Thursday morning, before Wednesday's night ends"


def test_who_stood_in_a_roster_cannot_be_deleted_and_their_nights_with_them(d):
    once = User.objects.create(username="once")
    join(once, d.company.organisation, "company")
    _fill(d, once)
    with pytest.raises(ProtectedError):
        once.delete()
    assert NightDuty.objects.filter(user=once).count() == 7


@pytest.mark.parametrize("week", ["", "nonsense", "9999-99-99", "0001-01-01", "2036-11-26"])
def test_any_week_that_is_asked_for_gives_a_page(d, week):
    page = _client(d.users["company"]).get(f"/desk/roster?week={week}")
    assert page.status_code == 200
    assert page.content.decode().count('data-test="roster-night"') == 7


def test_the_page_speaks_english(d):
    client = _client(d.users["company"])
    client.get("/desk/roster?lang=en")
    page = client.get(f"/desk/roster?week={MONDAY}&lang=en").content.decode()
    assert "Night duty roster" in page and "Copy the week before" in page


def test_a_full_week_asks_no_more_than_an_empty_one(d, django_assert_max_num_queries):
    client = _client(d.users["company"])
    with django_assert_max_num_queries(16):
        client.get(f"/desk/roster?week={MONDAY}")
    _fill(d, d.users["company"], d.users["manager"])
    with django_assert_max_num_queries(16):
        client.get(f"/desk/roster?week={MONDAY}")
