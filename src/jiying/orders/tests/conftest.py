"""Fixtures of the order's tests."""

import pytest

from jiying.orders.tests import build


@pytest.fixture
def d(db: None) -> build.District:
    """A tiny district."""
    return build.district()
