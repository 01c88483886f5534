"""Finding orders by words: the index of either database agrees with a plain look, and no question breaks it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiying.core.grams import matches, pieces_of, words_of
from jiying.core.text import is_han
from jiying.orders import commands, search
from jiying.orders.actions import act
from jiying.orders.models import Cursor, Event, EventText, Order, OrderText, OrderWords
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.scopes import scope_of

pytestmark = pytest.mark.django_db

SAID = st.text(
    st.one_of(
        st.sampled_from("水电梯坏了漏停aB12 ，%\"'*·&|!:()-_\\😀"), st.characters(exclude_categories=("Cs", "Cc"))
    ),
    max_size=60,
)


@pytest.fixture
def d() -> District:
    return district()


def found(question: str, *, open_only: bool = False) -> list[Order]:
    rows = search.narrowed(Order.objects.all(), question, open_only=open_only)
    return list(rows.order_by("number"))


def follow() -> None:
    """What the follower does, in the transaction of a test, where PostgreSQL lets no event be settled."""
    events = list(Event.objects.order_by("seq"))
    search.follow(events)
    Cursor.objects.update_or_create(follower=search.FOLLOWER, defaults={"seq": events[-1].seq})


def indexed(d: District, description: str, **fields: object) -> Order:
    order = report(d, description=description, **fields)
    search.index([order.pk])
    return order


@given(text=SAID)
def test_a_text_is_found_by_every_two_characters_of_it_and_by_each_one(text):
    words = words_of(text)
    for piece in (text[i : i + n] for n in (1, 2) for i in range(len(text) + 1 - n)):
        if all(map(is_han, piece)):
            assert matches(piece, words), piece


@pytest.mark.parametrize("collected", [2000, 1, 0])
def test_the_index_finds_what_a_plain_look_finds(d, collected, monkeypatch):
    monkeypatch.setattr(search, "COLLECTED", collected)
    orders = [report(d), report(d, estate=d.estate2.code), walk(d, report(d), "sign")]

    @given(texts=st.lists(SAID, min_size=3, max_size=3), question=SAID)
    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    def agrees(texts, question):
        for order, text in zip(orders, texts, strict=True):
            OrderText.objects.filter(pk=order.pk).update(description=text)
        search.index(order.pk for order in orders)
        kept = dict(OrderWords.objects.values_list("order_id", "words"))
        for asked in (question, *texts, *(text[:2] for text in texts), "漏水", "花园"):
            if search.numbered(asked) is None:
                assert {o.pk for o in found(asked)} == {pk for pk, words in kept.items() if matches(asked, words)}

    agrees()


def test_an_order_is_found_by_everything_that_was_said_and_by_where_it_is(d):
    order = indexed(d, "厨房水管爆了，水漫到客厅", building="1号楼", unit="1204室", external_id="NYC-55512345")
    indexed(d, "电梯坏了", estate=d.estate2.code)
    for question in (
        "水管",
        "水漫到客厅",
        "爆",
        "厅",
        "1204室",
        "1204",
        "潍坊花园",
        "潍坊 水管",
        "1号楼",
        "nyc-5551",
        "NYC-55512345",
    ):
        assert found(question) == [order], question
    for question in ("水梯", "三林 水管", "555", "120"):
        assert found(question) == [], question


def test_a_number_or_its_beginning_or_its_end_finds_the_order(d):
    order = indexed(d, "水管漏水")
    day, digits = order.number.split("-")
    for question in (order.number, order.number[:9], f"{day}{digits}", f" {order.number} ", digits):
        assert order in found(question), question
    assert found(f"{day}-") == found(day) == [order]


def test_what_was_just_reported_is_found_before_the_index_has_it(d):
    order = report(d, description="地下车库积水")
    assert not OrderWords.objects.exists()
    assert found(order.number) == found("车库") == found("潍坊花园 积水") == [order]
    assert found("电梯") == []
    follow()
    assert found("车库") == [order]
    assert OrderWords.objects.get().order == order


def test_the_follower_may_read_everything_twice(d):
    report(d)
    walk(d, report(d), "sign")
    follow()
    before = list(OrderWords.objects.order_by("id").values())
    assert len(before) == 2
    follow()
    assert list(OrderWords.objects.order_by("id").values()) == before


def test_a_note_said_later_is_found(d):
    order = report(d)
    follow()
    assert found("阀门生锈") == []
    act(order.pk, "note", by=d.actor("operator"), data={"text": "师傅说阀门生锈，要换"})
    follow()
    assert found("阀门生锈") == [order]


@pytest.mark.parametrize("collected", [2000, 4, 2, 0])
def test_the_pages_of_the_latest_answers_are_those_of_all_answers(d, collected, monkeypatch):
    """However few the index gives at once, and whatever hides most of them from the asker."""
    monkeypatch.setattr(search, "COLLECTED", collected)
    monkeypatch.setattr(search, "LATEST_TRIED", collected)
    now = timezone.now()
    for n in range(12):
        place = d.estate if n % 3 else d.estate2
        indexed(
            d,
            "台风吹倒了树" if n not in (2, 5) else "电梯",
            estate=place.code,
            reported_at=now - timedelta(hours=n // 2),
        )
    for reach in (Order.objects.all(), Order.objects.filter(estate=d.estate2)):
        answers = [row.pk for row in reach.filter(text__description="台风吹倒了树").order_by("-reported_at", "-pk")]
        seen: list[object] = []
        before, rows = None, reach
        while page := list(
            search.narrowed(rows, "台风", latest=search.Latest(3, before)).order_by("-reported_at", "-pk")[:3]
        ):
            seen += [row.pk for row in page]
            before = page[-1].reported_at
            behind = Q(reported_at__lt=before) | Q(reported_at=before, pk__lt=page[-1].pk)
            rows = reach.filter(behind)
        assert seen == answers


def test_two_orders_of_one_second_whose_ids_would_meet_have_both_their_words(d, monkeypatch):
    monkeypatch.setattr(search, "WITHIN_SECOND", 0)
    now = timezone.now()
    orders = [report(d, description="水管漏水", reported_at=now) for _order in range(3)]
    search.index([orders[0].pk])
    search.index(order.pk for order in orders)
    assert set(found("漏水")) == set(orders)


def test_ended_orders_are_not_among_the_open(d):
    order = indexed(d, "水管漏水")
    assert found("漏水", open_only=True) == [order]
    act(order.pk, "cancel", by=d.actor("track"))
    follow()
    assert found("漏水", open_only=True) == []
    assert found("漏水") == [order]


def test_nobody_finds_what_they_may_not_see(d):
    here, there = indexed(d, "水管漏水"), indexed(d, "水管漏水", estate=d.estate2.code)
    for user, sees in (("town", [here]), ("town-2", [there]), ("company-2", [there]), ("resident", [])):
        rows = search.narrowed(Order.objects.visible_to(d.users[user]), "漏水")
        assert list(rows) == sees, user


@pytest.mark.parametrize("question", ["漏水", "管漏水", "水", "漏水 301"])
def test_a_town_asks_the_index_for_itself_and_finds_what_the_plain_look_finds(d, question):
    here = [indexed(d, "水管漏水 301 室", now=timezone.now() - timedelta(days=day)) for day in range(3)]
    for _ in range(2):
        indexed(d, "水管漏水 301 室", estate=d.estate2.code)
    mine = indexed(d, "水管漏水 301 室", estate=d.estate2.code)
    Order.objects.filter(pk=mine.pk).update(reporter=d.users["town"])
    rows, scope = Order.objects.visible_to(d.users["town"]), scope_of(d.users["town"])
    plain = {order.pk for order in rows.filter(search.looked_at(pieces_of(question)))}
    assert plain == {order.pk for order in (*here, mine)}, "what they reported themselves lies elsewhere"
    for latest in (None, search.Latest(3)):
        found = search.narrowed(rows, question, scope=scope, latest=latest).order_by("-reported_at", "-pk")
        assert {order.pk for order in found[:3]} <= plain
        if latest is None:
            assert {order.pk for order in found} == plain


@pytest.mark.parametrize("role", ["operator", "company", "committee", "manager", "worker", "resident"])
def test_who_sees_other_than_towns_is_asked_as_before(d, role):
    indexed(d, "水管漏水", by=d.actor("resident"))
    rows = Order.objects.visible_to(d.users[role])
    asked = search.narrowed(rows, "漏水", scope=scope_of(d.users[role]))
    assert set(asked) == set(search.narrowed(rows, "漏水"))


@pytest.mark.parametrize(
    "question",
    [
        "", " ", "%", '"', "*", "'", "\\", "_", "😀", "，。！", "(", ")", ":", "-", "AND", "OR", "NOT", "NEAR",
        "NEAR(水 管)", "words:水", "^水", "水*", '"水管', "水管 AND", "水 OR 1=1", "'; DROP TABLE orders_order; --",
        "·open", "·t310115004",
        "水\x00管", "\ud800", "水" * 500, "水管漏" * 200, " ".join(str(n) for n in range(500)), "x" * 5000, "’", "a'b",
        "\u202e", "ﷺ", "İ", "ß",
    ],
)  # fmt: skip
def test_no_question_is_an_error(d, question):
    order = indexed(d, "水管漏水")
    assert found(question) in ([], [order])
    assert found(question, open_only=True) in ([], [order])


def test_a_question_of_signs_alone_finds_nothing_and_signs_beside_words_are_no_matter(d):
    order = indexed(d, "水管漏水")
    assert [found(question) for question in ("%", "😀", '"', "*")] == [[], [], [], []]
    assert [found(question) for question in ("水管%", '"水管"', "😀漏水😀", "水*")] == [[order]] * 4


def test_a_word_of_thousands_of_letters_can_be_kept_and_found(d):
    long = "x" * 3900
    order = indexed(d, long + " 漏水")
    assert found(long) == found("漏水") == [order]


def test_forgotten_words_are_in_the_index_no_more(d):
    order = indexed(d, "王阿姨家厨房漏水", unit="1204室", address="无名路9号")
    act(order.pk, "note", by=d.actor("operator"), data={"text": "钥匙在门卫处"})
    follow()
    other = indexed(d, "王阿姨家电梯坏了")
    search.forget(order)
    assert found("王阿姨") == [other]
    assert [found(question) for question in ("厨房", "1204室", "无名路", "门卫")] == [[], [], [], []]
    assert order in found(order.number) and order in found("潍坊花园")
    # As the command does it: the texts go, and nothing brings them back.
    OrderText.objects.filter(pk=order.pk).update(description="", unit="", address="")
    EventText.objects.filter(order=order).delete()
    search.index([order.pk])
    search.scrub()
    assert found("厨房") == []
    assert "厨房" not in everything_kept()


def everything_kept() -> str:
    """All that the index's own tables hold, read past the index."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tokens::text || words FROM orders_orderwords")
            return " ".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT block FROM orders_orderwords_fts_data")
        blocks = b" ".join(row[0] for row in cursor.fetchall())
        return blocks.decode("utf-8", "replace") + " ".join(OrderWords.objects.values_list("words", flat=True))


def test_rebuilding_mends_the_index_and_says_what_it_changed(d):
    orders = [report(d), report(d)]
    follow()
    OrderWords.objects.filter(order=orders[0]).delete()
    OrderWords.objects.filter(order=orders[1]).update(words=" x ")
    assert found("水管") == []
    assert search.rebuild() == 2
    assert set(found("水管")) == set(orders)
    assert search.rebuild() == 0


def test_an_order_that_is_gone_leaves_no_words(d):
    order = indexed(d, "水管漏水")
    OrderWords.objects.filter(order=order).delete()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders_orderwords_fts WHERE orders_orderwords_fts MATCH '\"漏水\"'")
            assert cursor.fetchone()[0] == 0
    assert not OrderWords.objects.exists()


def test_the_command_rebuilds_and_says_how_many(d):
    report(d)
    assert CliRunner().invoke(commands.search, ["rebuild", "--json"]).stdout == '{"orders": 1, "changed": 1}\n'
    assert CliRunner().invoke(commands.search, ["rebuild"]).stdout == "1 orders, 0 changed\n"
