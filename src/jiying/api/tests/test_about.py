"""/me, /catalogue, /categories, /figures, the OpenAPI document and its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from jsonschema import Draft202012Validator

from jiying.api.interface import document
from jiying.api.problems import FIELD_CODES, TITLES
from jiying.api.tests.calls import Api, leak
from jiying.api.tests.ways import ready_for
from jiying.orders.proof import track_token
from jiying.orders.states import VERBS
from jiying.orders.tests.build import District
from jiying.rules import packs

PATHS = {
    "/orders": {"get", "post"},
    "/surge": {"get"},
    "/orders/{order_id}": {"get"},
    "/orders/{order_id}/attachments": {"get", "post"},
    "/orders/{order_id}/attachments/{attachment_id}": {"get"},
    "/orders/{order_id}/reveal": {"post"},
    "/orders/{order_id}/suggestions": {"get"},
    "/orders/{order_id}/actions/{verb}": {"post"},
    "/track/{token}": {"get"},
    "/track/{token}/actions/{verb}": {"post"},
    "/me": {"get"},
    "/catalogue": {"get"},
    "/categories": {"get"},
    "/estates": {"get"},
    "/workers": {"get"},
    "/figures": {"get"},
}


@pytest.mark.parametrize(
    "role", ["resident", "worker", "manager", "company", "committee", "town", "operator", "supervisor", "district"]
)
def test_me_names_the_role(as_: Any, role: str) -> None:
    me = as_(role).get("/me").json()
    assert (me["role"], me["user"]["username"]) == (role, role)
    assert [member["role"] for member in me["memberships"]] == ([] if role == "resident" else [role])


def test_the_catalogue_says_what_there_is(db: None) -> None:
    catalogue = Api().get("/catalogue").json()
    pack = packs.in_force(timezone.now())
    assert [row["code"] for row in catalogue["categories"]] == list(pack.categories)
    assert [row["code"] for row in catalogue["verbs"]] == list(VERBS)
    assert catalogue["pack"]["official"] is False
    assert catalogue["categories"] == Api().get("/categories").json()["items"]
    english = Api(language="en").get("/catalogue").json()
    for shelf in ("kinds", "categories", "verbs", "promises"):
        assert all(row["name"].isascii() for row in english[shelf]), shelf


def test_the_figures_are_those_of_supervision(d: District, as_: Any) -> None:
    ready_for(d, "done")
    figures = as_("district").get("/figures", by="town").json()
    assert figures["by"] == "town"
    assert {row["key"] for row in figures["rows"]} >= {d.town.code}
    assert figures["total"]["satisfaction"]["share"] is None, "a share of nothing"
    for by in ("company", "estate", "committee"):
        assert as_("district").get("/figures", by=by).status_code == 200
    for query, code in (
        ({"by": "colour"}, "invalid"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "bad_time"),
        ({"from": "1900-01-01", "to": "1900-02-01"}, "bad_time"),
    ):
        answer = as_("district").get("/figures", **query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_document_lists_every_address(db: None) -> None:
    schema = Api().get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert {path.removeprefix("/api/v1"): set(methods) for path, methods in schema["paths"].items()} == PATHS


def test_the_document_holds_together() -> None:
    schema = document()
    text = str(schema)
    for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert name in schema["components"]["schemas"], name
    ids = [operation["operationId"] for methods in schema["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for name, shape in schema["components"]["schemas"].items():
        Draft202012Validator.check_schema(shape), name
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path
            assert operation["responses"]


def _validator(name: str) -> Draft202012Validator:
    schema = document()
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": schema["components"]})


def test_answers_have_the_shapes_the_document_promises(d: District, as_: Any) -> None:
    order = ready_for(d, "close", phone="13812345678")
    operator, stranger = as_("operator"), Api()
    answers = {
        "ReportedOrder": stranger.post("/orders", leak(reporter={"phone": "13812345678"})),
        "Orders": operator.get("/orders"),
        "OrderWithEvents": operator.get(f"/orders/{order.pk}"),
        "Order": operator.act(order, "note", {"text": "好"}),
        "TrackedOrder": stranger.get(f"/track/{track_token(order.pk)}"),
        "Estates": stranger.get("/estates"),
        "Workers": operator.get("/workers"),
        "Me": operator.get("/me"),
        "Catalogue": stranger.get("/catalogue"),
        "Categories": stranger.get("/categories"),
        "Figures": operator.get("/figures"),
        "Problem": stranger.get("/me"),
    }
    for name, answer in answers.items():
        _validator(name).validate(answer.json())
        closed = document()["components"]["schemas"][name]["properties"].keys()
        assert answer.json().keys() <= closed, name


def test_the_page_of_the_document_needs_nothing_from_elsewhere(db: None) -> None:
    page = Api().get("/docs").content.decode()
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "/api/v1/orders/{order_id}/actions/{verb}" in page
    assert 'id="stale_version"' in page


def test_the_docs_name_every_code() -> None:
    text = (Path(__file__).resolve().parents[4] / "docs" / "api.md").read_text("utf-8")
    inside = {"bad_request"}  # The base of the others; nothing says it by itself but requests that broke off.
    assert {code for code in {**TITLES, **FIELD_CODES} if f"`{code}`" not in text} == inside
