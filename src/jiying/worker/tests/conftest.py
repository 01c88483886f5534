"""What the workers' tests share."""

from __future__ import annotations

import pytest

from jiying.orders.tests import build


@pytest.fixture
def d(db):
    """A tiny district."""
    return build.district()
