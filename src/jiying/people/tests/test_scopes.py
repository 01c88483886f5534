"""What a user may see, and from when to when."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from jiying.people.actions import join, leave
from jiying.people.models import Membership, Organisation, User
from jiying.people.queries import main_role, memberships_of
from jiying.people.scopes import NOBODY, Scope, scope_of

TODAY = timezone.localdate


def body(kind: str, code: str = "X", district: str = "310115") -> Organisation:
    return Organisation.objects.create(kind=kind, code=code, name=code, district=district)


@pytest.fixture
def user(db):
    return User.objects.create(username="somebody", name="某人")


def scope(user: User) -> Scope:
    return scope_of(User.objects.get(pk=user.pk))


def test_a_stranger_has_no_scope():
    assert scope_of(AnonymousUser()) is NOBODY


def test_who_belongs_nowhere_is_a_resident(user):
    assert scope(user) == Scope(user_id=user.pk, roles=frozenset({"resident"}))


@pytest.mark.parametrize(
    ("role", "kind", "where", "value"),
    [
        ("operator", "centre", "districts", {"310115"}),
        ("supervisor", "centre", "districts", {"310115"}),
        ("district", "district", "districts", {"310115"}),
        ("town", "town", "towns", {"X"}),
        ("committee", "committee", "committees", {"X"}),
    ],
)
def test_an_office_reaches_as_far_as_its_body(user, role, kind, where, value):
    join(user, body(kind), role)
    found = scope(user)
    assert getattr(found, where) == value
    assert found.roles == {"resident", role}
    assert not found.serves_a_company
    others = {"districts", "towns", "committees", "owned", "companies", "managed", "works_for"} - {where}
    assert not any(getattr(found, name) for name in others)


@pytest.mark.parametrize(("role", "where"), [("company", "companies"), ("worker", "works_for")])
def test_who_serves_a_company_reaches_its_orders(user, role, where):
    firm = body("company")
    join(user, firm, role)
    assert getattr(scope(user), where) == {firm.pk}
    assert scope(user).serves_a_company


def test_a_manager_is_bound_to_places_or_to_all_of_the_company(user):
    firm, other = body("company", "A"), body("company", "B")
    join(user, firm, "manager", places=("E1", "E2"))
    join(user, other, "manager")
    assert scope(user).managed == {firm.pk: {"E1", "E2"}, other.pk: frozenset()}


def test_an_owners_committee_reaches_its_estates_and_no_committee(user):
    join(user, body("owners"), "committee", places=("E1",))
    assert scope(user).owned == {"E1"}
    assert scope(user).committees == frozenset()


def test_a_membership_counts_from_its_first_day_up_to_but_not_including_its_last(user):
    town = body("town")
    for since, until, counts in (
        (TODAY(), None, True),
        (TODAY() + timedelta(days=1), None, False),
        (TODAY() - timedelta(days=9), TODAY() + timedelta(days=1), True),
        (TODAY() - timedelta(days=9), TODAY(), False),
    ):
        Membership.objects.all().delete()
        Membership.objects.create(user=user, organisation=town, role="town", valid_from=since, valid_to=until)
        assert ("X" in scope(user).towns) is counts, (since, until)


def test_who_left_keeps_the_history_and_loses_the_scope(user):
    member = join(user, body("town"), "town")
    leave(member, on=TODAY())
    assert scope(user).towns == frozenset()
    assert memberships_of(user) == []
    assert Membership.objects.count() == 1


def test_joining_twice_changes_nothing_and_joining_again_after_leaving_counts(user):
    town = body("town")
    first = join(user, town, "town")
    assert join(user, town, "town").pk == first.pk
    leave(first, on=TODAY())
    join(user, town, "town")
    assert scope(user).towns == {"X"}


def test_somebody_may_hold_several_offices(user):
    firm = body("company")
    join(user, firm, "worker")
    join(user, body("committee"), "committee")
    found = scope(user)
    assert (found.works_for, found.committees) == ({firm.pk}, {"X"})
    assert main_role(found.roles) == "committee"


def test_who_was_locked_out_is_nobody_in_particular(user):
    join(user, body("district"), "district")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert scope(user).roles == {"resident"}
    assert scope(user).districts == frozenset()


def test_a_scope_is_read_once_a_request(user, django_assert_num_queries):
    fresh = User.objects.get(pk=user.pk)
    with django_assert_num_queries(1):
        scope_of(fresh)
        scope_of(fresh)


def test_a_membership_of_long_ago_does_not_name_the_role(user):
    Membership.objects.create(
        user=user,
        organisation=body("district"),
        role="district",
        valid_from=date(2000, 1, 1),
        valid_to=date(2001, 1, 1),
    )
    assert main_role(scope(user).roles) == "resident"
