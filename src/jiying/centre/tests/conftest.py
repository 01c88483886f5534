from __future__ import annotations

import pytest

from jiying.orders.tests.build import District, district
from jiying.people.models import Membership, User


@pytest.fixture
def d(db: None) -> District:
    return district()


@pytest.fixture
def front_desk(d: District) -> User:
    """A company's front desk: who takes calls for the estates it serves."""
    Membership.objects.filter(user=d.users["company"], role="company").update(duty="front_desk")
    return d.users["company"]
