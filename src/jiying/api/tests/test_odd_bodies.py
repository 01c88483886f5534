"""Whatever is sent, the answer is an order or a problem, never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiying.api.tests.calls import Api
from jiying.api.tests.ways import ready_for
from jiying.orders.models import Event, Order
from jiying.orders.proof import track_token
from jiying.orders.states import VERBS
from jiying.orders.tests.build import District

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["leak", "E1", "\x00", "repair", "emergency", "2026-11-24T10:00:00+08:00", "0" * 400, "１２３"])
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_POINT = st.fixed_dictionaries({}, optional={"lon": _ANYTHING, "lat": _ANYTHING, "crs": _ANYTHING})
_REPORT = st.fixed_dictionaries(
    {"category": st.just("leak") | _ANYTHING, "description": st.text(max_size=40) | _ANYTHING},
    optional={
        "kind": st.just("repair") | _ANYTHING,
        "urgency": _ANYTHING,
        "estate": st.just("E1") | _ANYTHING,
        "building": _ANYTHING,
        "unit": _ANYTHING,
        "address": _ANYTHING,
        "point": _POINT | _ANYTHING,
        "reporter": st.fixed_dictionaries({}, optional={"name": _ANYTHING, "phone": _ANYTHING}) | _ANYTHING,
        "appointment": st.fixed_dictionaries({}, optional={"from": _ANYTHING, "to": _ANYTHING}) | _ANYTHING,
        "called_at": _ANYTHING,
    },
)
_DATA_NAMES = """worker reason rule until code point accuracy_m note text answers answer_by solved satisfaction
comment kind category urgency attachments callback"""
_QUERY_NAMES = "state kind urgency category town estate company worker q from to late limit cursor by"
_DATA = st.dictionaries(st.sampled_from(_DATA_NAMES.split()), _POINT | _ANYTHING, max_size=5)
_SLOWLY = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _fits(answer: Any) -> None:
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content).keys() >= {"type", "title", "status", "detail", "code", "errors"}


@_SLOWLY
@given(body=_REPORT)
def test_any_report_is_taken_whole_or_refused_whole(d: District, body: dict[str, Any]) -> None:
    for asker in (Api(), Api(d.users["operator"])):
        before = Order.objects.count()
        answer = asker.post("/orders", raw=json.dumps(body).encode())
        _fits(answer)
        assert Order.objects.count() - before == (answer.status_code == 201)


@_SLOWLY
@given(raw=st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_refused(d: District, raw: bytes) -> None:
    _fits(Api().post("/orders", raw=raw))


@_SLOWLY
@given(verb=st.sampled_from(VERBS), data=_DATA, role=st.sampled_from(["operator", "company", "worker"]))
def test_any_data_of_an_action_is_taken_whole_or_refused_whole(
    d: District, verb: str, data: dict[str, Any], role: str
) -> None:
    order = Order.objects.first() or ready_for(d, "depart")
    order.refresh_from_db()
    before = Event.objects.filter(order=order).exclude(verb="wrong_code").count()
    answer = Api(d.users[role]).act(order, verb, data)
    _fits(answer)
    written = Event.objects.filter(order=order).exclude(verb="wrong_code").count() - before
    assert written == (answer.status_code == 200)
    _fits(Api().post(f"/track/{track_token(order.pk)}/actions/{verb}", {"data": data, "last4": data.get("note")}))


@_SLOWLY
@given(query=st.dictionaries(st.sampled_from(_QUERY_NAMES.split()), st.text(max_size=30), max_size=4))
def test_any_query_is_answered_or_refused(d: District, query: dict[str, str]) -> None:
    # Of another town, so that the answers stay short: here the questions matter.
    api = Api(d.users["company-2"])
    for path in ("/orders", "/estates", "/workers", "/figures"):
        _fits(api.get(path, **query))
