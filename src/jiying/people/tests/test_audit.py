"""The audit: added to, never changed; seen by those who answer for the district."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from jiying.people import audit
from jiying.people.actions import join, leave
from jiying.people.models import Audit, Membership, Organisation, User


@pytest.fixture
def officer(db):
    """A district officer, with the audit emptied of their own joining."""
    user = User.objects.create(username="officer", name="区员")
    office = Organisation.objects.create(kind="district", code="310115", name="区", district="310115")
    join(user, office, "district")
    return User.objects.get(pk=user.pk)


def shown(officer, **more):
    said = {"by": officer, "district": "310115", "origin": "10.0.0.7", "about": "R1", "reason": "回电", **more}
    return audit.record("reveal", **said)


def test_a_row_says_who_what_of_which_why_when_and_from_where(officer):
    row = Audit.objects.get(pk=shown(officer, subject="abc").pk)
    assert (row.by, row.role, row.action, row.subject) == (str(officer.pk), "district", "reveal", "abc")
    assert (row.about, row.reason, row.origin, row.district) == ("R1", "回电", "10.0.0.7", "310115")
    assert timezone.now() - row.at < timedelta(minutes=1)
    assert audit.genuine(row)


def test_rows_are_neither_changed_nor_deleted(officer):
    row = shown(officer)
    for forbidden in (
        row.save,
        row.delete,
        Audit.objects.all().delete,
        lambda: Audit.objects.update(reason="别的"),
        lambda: Audit.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(TypeError, match="append-only"):
            forbidden()
    assert Audit.objects.filter(pk=row.pk, reason="回电").exists()


def test_a_row_changed_behind_the_programs_back_is_not_genuine(officer):
    from django.db import connection

    row = shown(officer)
    before = audit.head()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_audit SET reason = %s", ["闲看"])
    assert not audit.genuine(Audit.objects.get(pk=row.pk))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM people_audit WHERE reason = %s", ["闲看"])
    assert audit.head() != before


def test_what_no_list_knows_is_refused(officer):
    with pytest.raises(ValueError, match="peek"):
        audit.record("peek", by=officer, district="310115", origin="")


def test_only_the_districts_own_officers_and_supervisors_see_its_rows(officer):
    row = shown(officer)
    assert row in Audit.objects.visible_to(officer)
    for role, kind, district, sees in (
        ("supervisor", "centre", "310115", True),
        ("operator", "centre", "310115", False),
        ("district", "district", "310101", False),
        ("company", "company", "310115", False),
    ):
        user = User.objects.create(username=f"{role}{district}")
        office, _new = Organisation.objects.get_or_create(
            kind=kind, code=f"{kind}{district}", defaults={"name": kind, "district": district}
        )
        join(user, office, role)
        assert (row in Audit.objects.visible_to(User.objects.get(pk=user.pk))) is sees, role


def test_every_change_of_a_membership_is_one_row_and_saying_it_twice_is_none(db):
    user = User.objects.create(username="new")
    office = Organisation.objects.create(kind="town", code="310115004", name="街镇", district="310115")
    member = join(user, office, "town")
    join(user, office, "town")
    leave(member, on=date(2030, 1, 1))
    told = [(row.about, row.data["change"], row.data["role"], row.district) for row in Audit.objects.order_by("at")]
    assert told == [("new", "join", "town", "310115"), ("new", "leave", "town", "310115")]


def test_what_the_back_office_changes_is_on_the_audit_with_who_did_it(officer):
    root = User.objects.create(username="root", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    member = Membership.objects.get(user=officer)
    form = {
        "username": "officer", "name": "区员", "password": "x", "is_active": "on", "is_staff": "on",
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1, "memberships-MIN_NUM_FORMS": 0,
        "memberships-MAX_NUM_FORMS": 1000, "memberships-0-id": str(member.pk), "memberships-0-user": str(officer.pk),
        "memberships-0-organisation": str(member.organisation_id), "memberships-0-role": "supervisor",
        "memberships-0-places": "[]", "memberships-0-valid_from": "2026-01-01",
    }  # fmt: skip
    answer = client.post(f"/admin/people/user/{officer.pk}/change/", form)
    assert answer.status_code == 302, answer.text
    rows = {row.data["change"]: row for row in Audit.objects.filter(by=str(root.pk))}
    assert rows["power"].data["is_staff"] is True
    assert (rows["join"].data["role"], rows["join"].origin) == ("supervisor", "127.0.0.1")


def test_an_officer_reads_their_districts_rows_in_the_back_office_and_no_others(officer):
    shown(officer, about="本区的一单")
    shown(officer, about="外区的一单", district="310101")
    User.objects.filter(pk=officer.pk).update(is_staff=True)
    officer.user_permissions.add(Permission.objects.get(codename="view_audit"))
    client = Client()
    client.force_login(User.objects.get(pk=officer.pk), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/admin/people/audit/").text
    assert "本区的一单" in page
    assert "外区的一单" not in page
