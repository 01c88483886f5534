"""Words suggest a category and an urgency, and say why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jiying.rules import packs
from jiying.rules.pack import Keyword, Pack
from jiying.rules.suggest import suggest


@pytest.fixture(scope="module")
def pack() -> Pack:
    return packs.named("example", "2026.1")


def keywords(pack: Pack, **words: tuple[str, str, int]) -> Pack:
    return replace(pack, keywords={word: Keyword(*line) for word, line in words.items()})


@pytest.mark.parametrize(
    ("said", "category", "urgency"),
    [
        ("厨房水管漏水，滴到楼下了", "leak", ""),
        ("水龙头滴水，不急", "water_pipe", "ordinary"),
        ("卫生间漏水", "leak", ""),
        ("水管爆了，水喷出来", "water_pipe", ""),
        ("电梯里有人被困", "lift", ""),
        ("电梯按钮坏了，不急", "lift", "ordinary"),
        ("下水道堵了，污水往上翻", "drain", "emergency"),
        ("楼道灯不亮", "public_facility", ""),
        ("家里跳闸，推不上去", "power", ""),
        ("厨房有煤气味", "gas", ""),
        ("钥匙锁在屋里了", "door_lock", ""),
        ("外墙瓷砖要掉下来", "structure", "emergency"),
        ("投诉保安态度不好", "complaint", ""),
    ],
)
def test_everyday_sentences_are_suggested_what_a_call_taker_would_choose(pack, said, category, urgency):
    found = suggest(pack, said)
    assert found is not None
    assert (found.category, found.urgency) == (category, urgency)
    assert found.why and all(word in said for word, _weight in found.why)


@pytest.mark.parametrize("said", ["", " ", "你好", "😀", "的" * 5000, "天花板"])
def test_words_that_say_nothing_suggest_nothing(pack, said):
    assert suggest(pack, said) is None


def test_points_add_up_and_each_word_counts_once(pack):
    ours = keywords(pack, 水=("leak", "", 2), 电=("power", "", 3), 管=("leak", "", 2))
    found = suggest(ours, "水水水电管")
    assert found is not None
    assert (found.category, found.why) == ("leak", (("水", 2), ("管", 2)))
    assert suggest(ours, "水水水电").category == "power"  # type: ignore[union-attr]


def test_a_longer_word_hides_the_shorter_inside_it(pack):
    ours = keywords(pack, 水=("leak", "", 9), 水表=("power", "", 2))
    assert suggest(ours, "水表坏了").category == "power"  # type: ignore[union-attr]
    assert suggest(ours, "水表漏水").category == "leak"  # type: ignore[union-attr]


def test_of_equals_the_first_said_wins(pack):
    ours = keywords(pack, 灯=("power", "", 3), 门=("door_lock", "", 3))
    assert suggest(ours, "灯和门").category == "power"  # type: ignore[union-attr]
    assert suggest(ours, "门和灯").category == "door_lock"  # type: ignore[union-attr]


def test_full_width_and_capital_letters_are_read(pack):
    ours = keywords(pack, wifi=("appliance", "", 3))
    assert suggest(ours, "ＷＩＦＩ 断了").category == "appliance"  # type: ignore[union-attr]


def test_urgency_alone_may_be_suggested(pack):
    found = suggest(pack, "很危险，快来人")
    assert found is not None
    assert (found.category, found.urgency, found.why_urgency) == ("", "emergency", (("危险", 3),))
