"""Refusals speak the asker's language."""

from __future__ import annotations

import pytest
from django.utils import translation

from jiying.config.texts import compile_all
from jiying.core.errors import BadInput
from jiying.core.geo import Point, check_point
from jiying.core.phones import parse_phone


@pytest.fixture(autouse=True, scope="module")
def texts():
    compile_all()


def test_a_refusal_is_english_for_who_asks_in_english():
    with translation.override("en"), pytest.raises(BadInput, match="no telephone number: give a mobile"):
        parse_phone("1")
    with translation.override("en"), pytest.raises(BadInput, match=r"is 11\d\d\d km from the district"):
        check_point(-73.98, 40.75, near=Point(121.5, 31.2), within_km=50)


def test_a_refusal_is_chinese_for_everybody_else():
    with translation.override("zh-hans"), pytest.raises(BadInput, match="电话号码不对"):
        parse_phone("1")
