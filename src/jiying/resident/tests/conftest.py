"""What the residents' tests share."""

from __future__ import annotations

import pytest

from jiying.core import limits
from jiying.orders.tests import build


@pytest.fixture
def d(db):
    """A tiny district; nobody has been counted at the public doors yet."""
    limits.forget()
    return build.district()
