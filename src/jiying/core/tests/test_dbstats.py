"""The database knows how its tables are filled."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from jiying.core import dbstats


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL looks at its tables by itself")
def test_sqlite_is_told_to_look_at_its_tables():
    Group.objects.bulk_create(Group(name=str(n)) for n in range(500))
    dbstats.refresh()
    with connection.cursor() as cursor:
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = 'auth_group'")
        [[rows, *_]] = [stat.split() for (stat,) in cursor.fetchall()]
    assert int(rows) == 500
