"""Many rows at once say to the database what one row says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from django.db.models import F

from jiying.core import bulk
from jiying.orders.models import Clock, Event, Order, OrderText
from jiying.orders.tests.build import district, report
from jiying.people.models import Role

pytestmark = pytest.mark.django_db

ODD = datetime(2026, 3, 1, 8, 30, 15, 123456, tzinfo=ZoneInfo("Asia/Shanghai"))


def _told(value):
    """What a driver is handed, comparable: bytes come wrapped."""
    return bytes(value) if isinstance(value, memoryview) else str(value)


@pytest.mark.parametrize("model", [Order, Event, Clock, OrderText])
def test_each_value_is_prepared_as_its_field_prepares_it(model):
    report(district())
    row = model.objects.first()
    for name in ("reported_at", "at", "due_at"):
        if hasattr(row, name):
            setattr(row, name, ODD)
    fields = list(model._meta.concrete_fields)
    (ours,) = bulk._values([row], fields)
    theirs = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    assert list(map(_told, ours)) == list(map(_told, theirs))
    if connection.vendor == "sqlite":
        # PostgreSQL's driver gets whole numbers in types of its own, which the column tells as well.
        assert list(map(type, ours)) == list(map(type, theirs))


def test_a_member_of_an_enumeration_goes_in_as_its_value():
    field = next(field for field in Order._meta.concrete_fields if field.name == "state")
    assert bulk._prepared([field], [[Role.TOWN]]) == [[field.get_db_prep_save(Role.TOWN, connections["default"])]]


def test_what_was_written_together_is_read_back():
    d = district()
    order = report(d)
    later = order.reported_at + timedelta(minutes=7, microseconds=1)
    order.state_since, order.state = later.astimezone(ZoneInfo("America/New_York")), "signed"
    bulk.update([order], ["state", "state_since"])
    again = Order.objects.get(pk=order.pk)
    assert (again.state, again.state_since) == ("signed", later.astimezone(UTC))
    assert Order.objects.filter(state_since=F("state_since"), state_since__lte=later).exists()


def test_a_time_without_its_zone_is_refused():
    if connection.vendor == "sqlite":
        with pytest.raises(ValueError, match="no time zone"):
            bulk._utc(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point
