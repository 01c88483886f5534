"""The desk: who sees which rows, in which order, what they can do there, and what it costs."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.desk import queue
from jiying.desk.filters import Filters
from jiying.estates.models import Company
from jiying.notices.actions import mark_read
from jiying.notices.follower import tell
from jiying.orders import watcher
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.models import Audit, User
from jiying.people.scopes import scope_of

pytestmark = pytest.mark.django_db

AT_DESK = ("company", "manager", "committee", "town", "operator", "supervisor", "district")


@pytest.fixture
def d() -> District:
    return district()


def _client(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


def _rows(page: str) -> list[str]:
    return re.findall(r'data-test="order-row"[^>]*data-order="([^"]+)"', page)


def _form(page: str, verb: str) -> dict[str, str]:
    form = re.search(rf'<form[^>]*action="[^"]*/{verb}"[^>]*>(.*?)</form>', page, re.S)
    assert form, f"no form for {verb}"
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[1]))


@pytest.mark.parametrize("role", AT_DESK)
def test_those_who_work_at_a_desk_may_enter(d, role):
    assert _client(d.users[role]).get("/desk").status_code == 200


@pytest.mark.parametrize("role", ["resident", "worker"])
@pytest.mark.parametrize("address", ["/desk", "/desk/orders/{}"])
def test_others_may_not(d, role, address):
    order = report(d)
    assert _client(d.users[role]).get(address.format(order.pk)).status_code == 403


def test_a_stranger_is_sent_to_sign_in(d):
    answer = Client(HTTP_HOST="127.0.0.1").get("/desk")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")


@pytest.mark.parametrize("role", AT_DESK[:4])
def test_another_towns_order_is_not_found_rather_than_forbidden(d, role):
    elsewhere = report(d, estate=d.estate2.code)
    client = _client(d.users[role])
    assert str(elsewhere.pk) not in client.get("/desk").content.decode()
    assert client.get(f"/desk/orders/{elsewhere.pk}").status_code == 404
    assert client.post(f"/desk/orders/{elsewhere.pk}/note", {"version": "1", "text": "?"}).status_code == 404
    assert client.post(f"/desk/orders/{elsewhere.pk}/telephone", {"reason": "?"}).status_code == 404
    assert Event.objects.filter(order=elsewhere).count() == 1


@pytest.mark.parametrize("role", AT_DESK)
def test_the_queue_holds_what_visible_to_allows(d, role):
    for estate in (d.estate, d.estate2, d.orphan):
        report(d, estate=estate.code)
    user = d.users[role]
    shown = {row.pk for row in queue.page(scope_of(user), Filters()).rows}
    assert shown == set(Order.objects.visible_to(user).values_list("pk", flat=True))


def test_emergencies_stand_first_then_what_is_due_soonest(d):
    later = report(d, urgency="ordinary", category="door_lock")
    walk(d, later, "sign")
    sooner = report(d, urgency="ordinary", category="door_lock")
    emergency = report(d, urgency="emergency")
    now = timezone.now()
    Order.objects.filter(pk=later.pk).update(headline_due=now + timedelta(days=2))
    Order.objects.filter(pk=sooner.pk).update(headline_due=now - timedelta(hours=1))
    page = _client(d.users["company"]).get("/desk").content.decode()
    assert _rows(page) == [str(emergency.pk), str(sooner.pk), str(later.pk)]


def test_every_order_stands_on_exactly_one_page_of_the_queue(d):
    now = timezone.now()
    first = report(d)
    copies = []
    for i in range(137):
        copy = Order.objects.get(pk=first.pk)
        copy.pk, copy.number, copy.track = uuid.uuid4(), f"t{i}", f"t{i}"
        copy.urgency = "emergency" if i % 3 else "ordinary"
        copy.headline_due = now + timedelta(minutes=i // 5) if i % 7 else None
        copies.append(copy)
    Order.objects.bulk_create(copies)
    for filters in (Filters(), Filters(group="all"), Filters(urgency="ordinary")):
        seen, cursor = [], ""
        for _page in range(10):
            page = queue.page(scope_of(d.users["company"]), filters, cursor)
            assert len(page.rows) <= queue.PAGE
            seen += [row.pk for row in page.rows]
            cursor = page.next
            if not cursor:
                break
        wanted = Order.objects.filter(urgency=filters.urgency) if filters.urgency else Order.objects.all()
        assert len(seen) == len(set(seen)) == wanted.count()
        assert set(seen) == set(wanted.values_list("pk", flat=True))


def test_chips_count_what_their_lists_hold(d):
    walk(d, report(d), "sign")
    walk(d, report(d, urgency="ordinary"), "sign", "assign", "arrive", "done")
    report(d, urgency="ordinary")
    scope = scope_of(d.users["company"])
    counts = queue.count(scope, Filters())
    for group in ("open", "submitted", "signed", "underway", "done"):
        assert counts.of(group) == len(queue.page(scope, Filters(group=group)).rows), group
    assert counts.emergency == len(queue.page(scope, Filters(urgency="emergency")).rows) == 1
    assert counts.late == 0


@pytest.mark.parametrize("q", ["花园", "水管"])
def test_search_finds_the_estate_and_the_words(d, q):
    order = report(d)
    report(d, estate=d.orphan.code, description="别的事")
    page = _client(d.users["operator"]).get("/desk", {"q": q}).content.decode()
    assert _rows(page) == [str(order.pk)]


def test_search_finds_a_number_whatever_its_state(d):
    order = walk(d, report(d), "cancel")
    page = _client(d.users["operator"]).get("/desk", {"q": order.number}).content.decode()
    assert _rows(page) == [str(order.pk)]


@pytest.mark.parametrize(
    "query", ["state=nonsense", "cursor=~~", "cursor=d~emergency~x~y", "from=yesterday", "q=%00%25_'", "town=<script>"]
)
def test_an_address_that_means_nothing_shows_the_queue(d, query):
    report(d)
    answer = _client(d.users["company"]).get(f"/desk?{query}")
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode().replace('<script type="module"', "")


def test_a_company_signs_and_assigns_by_plain_forms(d):
    order, client = report(d), _client(d.users["company"])
    page = client.get(f"/desk/orders/{order.pk}").content.decode()
    answer = client.post(f"/desk/orders/{order.pk}/sign", _form(page, "sign"))
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert "已记下：签收" in page
    assert "王师傅 · 在班" in page
    client.post(f"/desk/orders/{order.pk}/assign", {**_form(page, "assign"), "worker": str(d.worker.pk)})
    order.refresh_from_db()
    assert (order.state, order.worker_id) == ("assigned", d.worker.pk)


def test_the_same_form_sent_twice_counts_once(d):
    order, client = report(d), _client(d.users["company"])
    form = {**_form(client.get(f"/desk/orders/{order.pk}").content.decode(), "note"), "text": "在路上"}
    for _sent in range(2):
        assert client.post(f"/desk/orders/{order.pk}/note", form).status_code == 302
    assert Event.objects.filter(order=order, verb="note").count() == 1


def test_a_stale_page_is_told_who_was_faster_and_how_it_stands(d):
    order, client = report(d), _client(d.users["company"])
    form = _form(client.get(f"/desk/orders/{order.pk}").content.decode(), "sign")
    walk(d, order, "sign", "assign")
    answer = client.post(f"/desk/orders/{order.pk}/sign", form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "有人先您一步：company 派工，现在是“已派工”。" in page
    assert 'data-test="refused"' in page


def test_a_refused_form_says_why_and_writes_nothing(d):
    order, client = walk(d, report(d), "sign"), _client(d.users["company"])
    form = _form(client.get(f"/desk/orders/{order.pk}").content.decode(), "assign")
    answer = client.post(f"/desk/orders/{order.pk}/assign", form)
    assert answer.status_code == 422
    assert "请选择派给哪位维修工" in answer.content.decode()
    assert client.post(f"/desk/orders/{order.pk}/assign", {**form, "version": "x"}).status_code == 422
    order.refresh_from_db()
    assert order.state == "signed"


@pytest.mark.parametrize("verb", ["confirm", "rate", "cancel", "take", "nonsense"])
def test_what_only_residents_and_workers_say_cannot_be_said_here(d, verb):
    order, client = walk(d, report(d), "sign"), _client(d.users["company"])
    answer = client.post(f"/desk/orders/{order.pk}/{verb}", {"version": str(order.version)})
    assert answer.status_code in (404, 422)
    assert not Event.objects.filter(order=order, verb=verb).exists()


def test_contacts_are_masked_until_a_reason_is_given_and_the_reason_is_on_record(d):
    order, client = report(d, phone="13812345678", name="陈晓"), _client(d.users["company"])
    page = client.get(f"/desk/orders/{order.pk}").content.decode()
    assert "138****5678" in page
    assert "13812345678" not in page
    assert client.post(f"/desk/orders/{order.pk}/telephone", {"reason": " "}).status_code == 422
    page = client.post(f"/desk/orders/{order.pk}/telephone", {"reason": "约上门时间"}).content.decode()
    assert "+8613812345678" in page
    assert "138 1234 5678" in page
    (row,) = Audit.objects.filter(action="reveal")
    assert (row.about, row.reason, row.origin) == (order.number, "约上门时间", "127.0.0.1")
    assert "13812345678" not in client.get(f"/desk/orders/{order.pk}").content.decode()


def test_no_desk_ever_shows_the_arrival_code(d):
    from jiying.orders.proof import arrival_code

    order = report(d)
    code = arrival_code(order.pk, 1)
    Order.objects.filter(pk=order.pk).update(number="261124-999999x")
    for role in AT_DESK:
        page = re.sub(
            r"[0-9a-f]{32}|[0-9a-f-]{36}|\d{6,}",
            "",
            _client(d.users[role]).get(f"/desk/orders/{order.pk}").content.decode(),
        )
        assert not re.search(rf"(?<!\d){code}(?!\d)", page), role


def test_a_supervision_is_answered_from_the_order_and_then_leaves_it(d):
    order, town = report(d), _client(d.users["town"])
    by = (timezone.localtime() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    form = _form(town.get(f"/desk/orders/{order.pk}").content.decode(), "supervise")
    town.post(f"/desk/orders/{order.pk}/supervise", {**form, "text": "请说明", "answer_by": by})
    company = _client(d.users["company"])
    page = company.get(f"/desk/orders/{order.pk}").content.decode()
    assert "督办待答复" in page
    form = _form(page[page.index("督办待答复") :], "note")
    assert company.post(f"/desk/orders/{order.pk}/note", {**form, "text": "已派人"}).status_code == 302
    assert "督办待答复" not in company.get(f"/desk/orders/{order.pk}").content.decode()
    answer = Event.objects.get(order=order, verb="note")
    assert answer.data["answers"] == str(Event.objects.get(order=order, verb="supervise").id)


def test_a_script_gets_the_order_or_the_queue_alone(d):
    order, client = report(d), _client(d.users["company"])
    matter = client.get(f"/desk/orders/{order.pk}", headers={"X-Part": "matter"}).content.decode()
    listed = client.get("/desk", headers={"X-Part": "queue"}).content.decode()
    assert "<html" not in matter + listed
    assert "action-sign" in matter
    assert not _rows(matter)
    assert _rows(listed) == [str(order.pk)]


def test_a_cell_of_the_figures_opens_the_orders_it_counted(d):
    now = timezone.now()
    late = walk(d, report(d, reported_at=now - timedelta(hours=2)), "sign")
    report(d)
    query = {"state": "all", "promise": "respond_30", "kept": "missed", "town": d.town.code,
             "from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}  # fmt: skip
    page = _client(d.users["district"]).get("/desk", query).content.decode()
    assert _rows(page) == [str(late.pk)]


def test_pages_are_english_where_asked_for(d):
    order, client = report(d, description="leak"), _client(d.users["company"])
    d.estate.name = "Garden"
    d.estate.save()
    d.town.name = "Town"
    d.town.save()
    Company.objects.update(name="Company")
    page = client.get(f"/desk/orders/{order.pk}", {"lang": "en"}).content.decode()
    page = re.sub(r'<(\w+)[^>]*\blang="zh[^>]*>.*?</\1>', "", page, flags=re.S)
    assert not re.findall(r"[\u3400-\u9fff]", page)


@pytest.mark.parametrize("role", ["company", "town", "operator"])
def test_a_desk_page_asks_a_constant_number_of_questions(d, role):
    order = walk(d, report(d), "sign")
    client = _client(d.users[role])

    def asked(address):
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    before = asked("/desk"), asked(f"/desk/orders/{order.pk}")
    for _more in range(6):
        walk(d, report(d, phone="13812345678"), "sign", "assign", "contact")
    assert (asked("/desk"), asked(f"/desk/orders/{order.pk}")) <= before
    assert max(before) <= 31


def test_the_page_of_an_order_says_who_was_told_and_whether_they_have_seen_it(d, client):
    order = report(d)
    watcher.sweep(order.reported_at + timedelta(minutes=3, seconds=1))
    tell(list(Event.objects.select_related("order").order_by("seq")))
    client.force_login(d.users["operator"])
    told = client.get(f"/desk/orders/{order.pk}").text.partition('data-test="told"')[2]
    assert "manager" in told and "还没有确认" in told
    assert told.count("急修3分钟未签收") == 1, "those told at once stand under one sentence"
    mark_read(d.users["manager"])
    mark_read(d.users["company"])
    told = client.get(f"/desk/orders/{order.pk}").text.partition('data-test="told"')[2]
    assert "已确认" in told and "还没有确认" not in told


def test_a_broken_promise_asks_the_desk_to_tell_the_resident_a_new_time(d):
    order, client = report(d, reported_at=timezone.now() - timedelta(minutes=35)), _client(d.users["company"])
    page = client.get(f"/desk/orders/{order.pk}").content.decode()
    asked = page[page.index('data-test="unexplained"') :]
    form, new_time = _form(asked, "note"), re.search(r'<option value="([^"]+)"', asked)
    assert "系统会自动说明" in asked
    assert new_time is not None
    answer = client.post(f"/desk/orders/{order.pk}/note", {**form, "text": "堵车", "new_time": new_time[1]})
    assert answer.status_code == 302
    assert 'data-test="unexplained"' not in client.get(f"/desk/orders/{order.pk}").content.decode()
    told = Event.objects.get(order=order, verb="note").data["new_time"]
    assert datetime.fromisoformat(told) == datetime.fromisoformat(new_time[1])


def test_who_cannot_keep_a_new_time_is_not_asked_for_one(d):
    order = report(d, reported_at=timezone.now() - timedelta(minutes=35))
    page = _client(d.users["town"]).get(f"/desk/orders/{order.pk}").content.decode()
    assert 'data-test="unexplained"' not in page
    assert 'name="new_time"' not in page


def test_while_an_order_is_paused_the_desk_is_not_told_that_the_system_will_explain(d):
    order = walk(d, report(d, reported_at=timezone.now() - timedelta(minutes=35)), "sign", "assign")
    client = _client(d.users["company"])
    assert "系统会自动说明" in client.get(f"/desk/orders/{order.pk}").content.decode()
    later = (timezone.now() + timedelta(hours=5)).isoformat()
    act(order.pk, "pause", by=d.actor("worker"), data={"reason": "waiting_parts", "until": later})
    page = client.get(f"/desk/orders/{order.pk}").content.decode()
    assert 'data-test="unexplained"' in page
    assert "系统会自动说明" not in page
