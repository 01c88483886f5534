"""A place is found by what people type of it, the best fit first."""

from __future__ import annotations

import pytest

from jiying.core.text import initials
from jiying.estates.finding import Found, find
from jiying.estates.models import Building, Division, Estate, Level

pytestmark = pytest.mark.django_db

NAMES = {
    "A1": ("浦东锦绣苑二期", "锦绣路 88 弄"),
    "A2": ("锦绣苑", "锦绣路 12 弄"),
    "A3": ("锦绣", "云山路 5 号"),
    "B1": ("潍坊花园", "潍坊路 100 弄"),
    "B2": ("潍坊新村三期", "潍坊路 1100 弄"),
    "C1": ("三林花园", "三林路 9 弄"),
    "D1": ("Palm Court 棕榈庭", "世纪大道 1 号"),
}


@pytest.fixture(autouse=True)
def places(db: None) -> None:
    town = Division.objects.create(code="310115004", name="潍坊新村街道", level=Level.TOWN)
    for code, (name, address) in NAMES.items():
        estate = Estate.objects.create(
            code=code, name=name, initials=initials(name), address=address, district="310115", town=town
        )
        usual, other = ("1号楼", "3号楼", "13号楼", "B座"), ("潍坊路1100弄3号", "潍坊路1100弄30号")
        for building in other if code == "B2" else usual:
            Building.objects.create(estate=estate, name=building)


def codes(words: str, limit: int = 12) -> list[str]:
    return [found.estate.code for found in find(words, Estate.objects.all(), limit)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("锦绣苑", ["A2", "A1"]),
        ("锦绣", ["A3", "A2", "A1"]),
        ("jxy", ["A2", "A1"]),
        ("JX", ["A3", "A2", "A1"]),
        ("jinxiuyuan", ["A2", "A1"]),
        ("jinxiuy", ["A2", "A1"]),
        ("weifanghua", ["B1"]),
        ("wfhy", ["B1"]),
        ("xcsq", ["B2"]),
        ("A3", ["A3"]),
        ("a3", ["A3"]),
        ("潍坊路100弄", ["B1"]),
        ("潍坊路 100 弄", ["B1"]),
        ("palm court", ["D1"]),
        ("palm", ["D1"]),
        ("潍坊 花园", ["B1"]),
        ("花园 潍坊", ["B1", "C1"]),
        ("世纪大道1号", ["D1"]),
        ("ＷＦＨＹ", ["B1"]),
    ],
)
def test_characters_initials_pinyin_address_and_code_find_the_place_best_fit_first(words, found):
    assert codes(words) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("锦秀苑", ["A2", "A1"]),
        ("维坊花园", ["B1"]),
        ("潍访花园", ["B1"]),
        ("wfhu", ["B1"]),
        ("三林花圆", ["C1"]),
        ("潍坊庄园", ["B1"]),
    ],
)
def test_a_slip_is_forgiven_where_nothing_fits_as_typed(words, found):
    assert codes(words) == found


@pytest.mark.parametrize(
    "words",
    ["", " ", "%", "_", "没有的", "\x00", "\ud800", "'; drop", "😀", "水" * 500, "- 3", "3号楼", "z" * 60],
)
def test_what_is_no_place_finds_none_and_breaks_nothing(words):
    assert codes(words) == []


@pytest.mark.parametrize(
    ("words", "code", "building", "unit"),
    [
        ("潍坊路100弄3号", "B1", "3号楼", ""),
        ("潍坊花园3号楼502室", "B1", "3号楼", "502"),
        ("潍坊花园 3 502", "B1", "3号楼", "502"),
        ("wfhy3", "B1", "3号楼", ""),
        ("wfhy 13-1204", "B1", "13号楼", "1204"),
        ("wfhy 502", "B1", "", "502"),
        ("wfhy B座 502", "B1", "B座", "502"),
        ("潍坊路1100弄3号", "B2", "潍坊路1100弄3号", ""),
        ("weifanghuayuan 3 502", "B1", "3号楼", "502"),
        ("潍访花园3号", "B1", "3号楼", ""),
        ("wfhy 7", "B1", "", ""),
    ],
)
def test_building_and_room_are_read_with_the_place(words, code, building, unit):
    [found] = find(words, Estate.objects.all())
    assert found == Found(Estate.objects.get(code=code), building, unit)


def test_a_search_stays_among_the_places_it_may_look_at():
    assert find("锦绣", Estate.objects.filter(code="A1"))[0].estate.code == "A1"
    assert codes("锦绣", limit=1) == ["A3"]
