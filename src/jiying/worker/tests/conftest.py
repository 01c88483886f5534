"""What the workers' tests share."""

from __future__ import annotations

import pytest

from jiying.estates.queries import zone_of
from jiying.orders.tests import build


@pytest.fixture
def d(db):
    """A tiny district."""
    zone_of.cache_clear()
    return build.district()
