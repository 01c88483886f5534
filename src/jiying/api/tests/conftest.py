"""What the tests of the interface share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jiying.api.tests.calls import Api
from jiying.core import limits
from jiying.orders.tests.build import District, district


@pytest.fixture
def d(db: None) -> District:
    """The tiny district."""
    return district()


@pytest.fixture
def as_(d: District) -> Callable[[str], Api]:
    """A caller by role: `as_("company")`, `as_("town-2")`; `as_("stranger")` has no account."""
    return lambda role: Api(None if role == "stranger" else d.users[role])


@pytest.fixture
def stranger(db: None) -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _counted_anew() -> None:
    limits.forget()
