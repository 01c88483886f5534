"""Every address of the house, asked for by everybody: who may enter stands here, in words, and nowhere else.

The tables are typed from docs/permissions.md, not taken from the code.  An address without a line fails, so
that nobody opens a new door without saying for whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from jiying.core.tests import snaps
from jiying.dispatch.models import Standby
from jiying.exchange import exports
from jiying.exchange.models import Import
from jiying.orders import attachments
from jiying.orders.actors import Actor
from jiying.orders.models import Event, Order
from jiying.orders.proof import arrival_code, track_token
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.actions import join
from jiying.people.models import Organisation, User
from jiying.planning import actions as planning
from jiying.planning.changes import Change
from jiying.planning.study import Question

ROLES = (
    "resident", "worker", "manager", "company", "frontdesk", "committee", "owners", "town", "operator",
    "supervisor", "district",
)  # fmt: skip
SIGNED_IN = (*ROLES, *(f"{role}-2" for role in ROLES))
ALL = " ".join(ROLES)
SEES = "resident worker manager company frontdesk committee owners town operator supervisor district"
FIGURES = "manager company frontdesk committee owners town supervisor district"
#: Who may see a telephone in full, besides the worker who has the order.
RINGS = "manager company frontdesk committee operator supervisor"
#: Who brings ledgers in.
IMPORTS = "town supervisor district"
DESK = "manager company frontdesk committee owners town operator supervisor district"
#: Who keeps a duty roster; an owners' committee has none.
ROSTERS = "manager company frontdesk committee town operator supervisor district"

#: Who asks somebody to wait elsewhere: for the district, or for their own company's people.
STANDS = "operator supervisor district company frontdesk manager"

SECRET = "只有本单的人看得见的话"
PHONE = "13812340987"


@dataclass(frozen=True)
class Door:
    """Who gets in by GET and by POST; None: the address does not take the method.

    `who` is a list of roles, `anybody` (strangers too) or nothing.  `own`: the address is of one order, so for
    the other town's people it does not exist.  `refused`: what those get who are signed in and not named.
    """

    get: str | None
    post: str | None = None
    own: bool = False
    refused: int = 403
    stranger: int = 302
    inside: int = 200
    known: int = 200
    """What a signed-in visitor gets where anybody may enter: some pages send them on to their own place."""


#: What stands for the parts of an address.
NAMED = {
    "<uuid:estate_id>": "{estate}", "<uuid:export_id>": "{export}",
    "<uuid:import_id>": "{imported}", "<uuid:study_id>": "{study}",
    "<uuid:standby_id>": "{standby}",
    "<uuid:order_id>": "{order}", "<order_id>": "{order}", "<str:token>": "{token}", "<token>": "{token}",
    "<uuid:worker_id>": "{worker}", "<uuid:surge_id>": "{order}",
    "<str:verb>": "urge", "<verb>": "urge", "<attachment_id>": "{photo}", "<uuid:photo_id>": "{photo}",
    "<slug:channel>": "sms", "<slug:change>": "stop", "<uuid:message_id>": "{order}", "<str:signature>": "0",
    "<str:by>": "estate", "<str:code>": "E1",
}  # fmt: skip

PAGES: dict[str, Door] = {
    "": Door("anybody", known=302),
    "readyz": Door("anybody", "anybody"),
    "sign-in": Door("anybody", "anybody", known=302),
    "sign-out": Door(None, "anybody"),
    "demo/sign-in": Door(None, "anybody"),
    "styleguide": Door("anybody"),
    "inbox": Door(ALL),
    "inbox/count": Door(ALL),
    "inbox/read": Door(None, ALL),
    "inbox/surges/<uuid:surge_id>": Door(None, ALL),
    "inbox/settings": Door(ALL, ALL),
    # The signature is the key: without it there is nothing to be found.
    "hooks/voice/<uuid:message_id>/<str:signature>": Door(None, "", refused=404, stranger=404),
    "report": Door("anybody", "anybody"),
    "report/places": Door("anybody"),
    "report/where": Door("anybody"),
    "t/<str:token>": Door("anybody"),
    "t/<str:token>/photos": Door(None, "anybody"),
    "t/<str:token>/photos/<uuid:photo_id>": Door("resident", own=True, refused=404, stranger=404),
    "t/<str:token>/<str:verb>": Door(None, "anybody"),
    "worker": Door("worker"),
    "worker/duty": Door(None, "worker"),
    "worker/standby/<uuid:standby_id>": Door(None, "worker", own=True),
    "worker/orders/<uuid:order_id>/decline": Door(None, "worker", own=True),
    "worker/orders/<uuid:order_id>": Door("worker", own=True),
    "worker/orders/<uuid:order_id>/telephone": Door("worker", "worker", own=True, inside=302),
    "worker/orders/<uuid:order_id>/photos": Door(None, "worker", own=True),
    "worker/orders/<uuid:order_id>/<str:verb>": Door(None, "worker", own=True),
    "desk": Door(DESK),
    "desk/workers": Door("manager company frontdesk"),
    "desk/workers/<uuid:worker_id>/duty": Door(None, "manager company frontdesk", own=True),
    "desk/roster": Door(ROSTERS),
    "desk/roster/fill": Door(None, ROSTERS),
    "desk/roster/copy": Door(None, ROSTERS),
    "desk/roster/off": Door(None, ROSTERS),
    "desk/orders/<uuid:order_id>": Door(DESK, own=True),
    "desk/orders/<uuid:order_id>/telephone": Door(DESK, RINGS, own=True, inside=302),
    "desk/orders/<uuid:order_id>/photos": Door(None, DESK, own=True),
    "desk/orders/<uuid:order_id>/<str:verb>": Door(None, DESK, own=True),
    "centre": Door("operator supervisor district"),
    "centre/rules": Door("operator supervisor district town"),
    "centre/rules/count": Door(None, "supervisor district"),
    "centre/rules/move": Door(None, "supervisor district"),
    "centre/shadow": Door("operator supervisor district"),
    "centre/standby": Door("operator supervisor district company frontdesk manager"),
    "centre/standby/<uuid:standby_id>/ask": Door(None, STANDS, own=True),
    "centre/standby/<uuid:standby_id>/answer": Door(None, STANDS, own=True),
    "centre/standby/<uuid:standby_id>/take-back": Door(None, STANDS, own=True),
    "centre/surge": Door("operator supervisor district"),
    "centre/surge/<slug:change>": Door(None, "operator supervisor"),
    "centre/channels": Door("operator supervisor district"),
    "centre/channels/<slug:channel>/<slug:change>": Door(None, "operator supervisor"),
    "centre/intake": Door("operator supervisor frontdesk", "operator supervisor frontdesk"),
    "centre/intake/places": Door("operator supervisor frontdesk"),
    "centre/intake/beside": Door(None, "operator supervisor frontdesk"),
    "centre/intake/<uuid:order_id>": Door("operator", own=True),
    "centre/intake/<uuid:order_id>/join": Door(None, "operator supervisor frontdesk", own=True),
    "centre/intake/<uuid:order_id>/joined": Door("operator supervisor frontdesk", own=True),
    "district": Door(FIGURES),
    "district/<str:by>/<str:code>": Door(FIGURES, own=True),
    "district/planning": Door("district", "district"),
    "district/planning/<uuid:study_id>": Door("district", own=True),
    "district/planning/<uuid:study_id>/again": Door(None, "district", own=True),
    "ledgers": Door(DESK),
    "ledgers/import": Door(IMPORTS, IMPORTS),
    "ledgers/import/mapping": Door(None, IMPORTS),
    # An import of the district: a town sees its own only.
    "ledgers/imports/<uuid:import_id>": Door("supervisor district", own=True),
    "ledgers/imports/<uuid:import_id>/rejects.csv": Door("supervisor district", own=True),
    "ledgers/imports/<uuid:import_id>/apply": Door(None, "supervisor district", own=True),
    "ledgers/imports/<uuid:import_id>/revert": Door(None, "supervisor district", own=True),
    "ledgers/imports/<uuid:import_id>/discard": Door(None, "supervisor district", own=True),
    "ledgers/exports": Door(None, DESK),
    # An export is its asker's alone: here the operator's.
    "ledgers/exports/<uuid:export_id>": Door("operator", own=True),
    "ledgers/exports/<uuid:export_id>/file": Door("operator", own=True),
    "labels": Door(DESK),
    "labels/<uuid:estate_id>": Door(DESK, own=True),
    "labels/<uuid:estate_id>/sheet.pdf": Door(DESK, own=True),
}

API: dict[str, Door] = {
    "orders": Door(ALL, "anybody", stranger=401),
    "orders/<order_id>": Door(SEES, own=True, refused=404, stranger=401),
    "orders/<order_id>/suggestions": Door(
        "manager company frontdesk operator supervisor", own=True, refused=403, stranger=401
    ),
    "orders/<order_id>/reveal": Door(None, f"worker {RINGS}", own=True, stranger=401),
    "orders/<order_id>/actions/<verb>": Door(None, SEES, own=True, refused=404, stranger=401),
    "orders/<order_id>/attachments": Door(SEES, SEES, own=True, refused=404, stranger=401),
    "orders/<order_id>/attachments/<attachment_id>": Door(SEES, own=True, refused=404, stranger=401),
    "track/<token>": Door("anybody"),
    "track/<token>/actions/<verb>": Door(None, "anybody"),
    "estates": Door("anybody"),
    "workers": Door(ALL, stranger=401),
    "surge": Door("operator supervisor district", stranger=401),
    "me": Door(ALL, stranger=401),
    "catalogue": Door("anybody"),
    "categories": Door("anybody"),
    "figures": Door(ALL, stranger=401),
    "openapi.json": Door("anybody", "anybody"),
    "docs": Door("anybody", "anybody"),
    "^(?P<rest>.*)$": Door("anybody", "anybody", inside=404, known=404),
}

#: The back office is for users marked as staff, which none of the roles is; all else is sent to its sign-in.
BACK_OFFICE_APPS = (
    "^(?P<app_label>auth|people|estates|orders|dispatch|notices|planning|exchange|account|axes|django_tasks_database)/$"
)
BACK_OFFICE = (
    "", "logout/", "password_change/", "password_change/done/", "autocomplete/", "jsi18n/",
    BACK_OFFICE_APPS, "(?P<url>.*)$",
    "people/user/<id>/password/",
)  # fmt: skip
BACK_OFFICE_MODELS = (
    "auth/group", "people/user", "people/organisation", "estates/division", "estates/estate", "estates/company",
    "estates/worker", "estates/mandate", "estates/alliance", "estates/dutychange", "dispatch/policy", "dispatch/pool",
    "dispatch/moving",
    "orders/order", "orders/event",
    "notices/notice", "account/emailaddress",
    "people/audit", "planning/study", "exchange/import", "axes/accessattempt", "axes/accesslog",
    "axes/accessfailurelog",
    "django_tasks_database/dbtaskresult",
)  # fmt: skip
MODEL_PAGES = (
    "", "add/", "<path:object_id>/history/", "<path:object_id>/delete/", "<path:object_id>/change/", "<path:object_id>/"
)  # fmt: skip
#: What even the administrator may not change there: the log and what follows from it.
READ_ONLY = ("orders/order", "orders/event", "people/audit", "planning/study", "exchange/import")


def test_every_address_has_a_line_in_the_tables() -> None:
    told = {
        *PAGES,
        *(f"api/v1/{route}" for route in API),
        "admin/login/",
        *(f"admin/{route}" for route in BACK_OFFICE),
        *(f"admin/{model}/{page}" for model in BACK_OFFICE_MODELS for page in MODEL_PAGES),
    }
    assert set(_routes(get_resolver())) == told


def test_a_page_lets_in_those_named_and_nobody_else(house: House) -> None:
    for route, door in PAGES.items():
        if route != "sign-out":
            _walk(house, f"/{route}", door)


def test_an_interface_lets_in_those_named_and_nobody_else(house: House) -> None:
    for route, door in API.items():
        _walk(house, f"/api/v1/{route}".replace("^(?P<rest>.*)$", "nothing/here"), door)


def test_nobody_but_staff_gets_past_the_back_offices_sign_in(house: House) -> None:
    paths = [*_back_office(house)]
    for who, client in house.clients.items():
        # One signed-in role stands for the others: the back office asks for the mark alone.
        for path in paths if who in ("", "district") else paths[:3]:
            for method in (client.get, client.post):
                answer = method(path)
                assert answer.status_code == 302 or path == "/admin/logout/", (who, path, answer.status_code)
                assert answer.status_code != 302 or answer.headers["Location"].startswith("/admin/"), (who, path)
                assert SECRET not in answer.text
            if path == "/admin/logout/" and who:
                client.force_login(house.users[who])


def test_staff_without_a_permission_sees_no_model(house: House) -> None:
    user = User.objects.create(username="clerk", is_staff=True)
    client = _client(user)
    for model in BACK_OFFICE_MODELS:
        for page in MODEL_PAGES[:5]:
            path = f"/admin/{model}/{page}".replace("<path:object_id>", _first_of(model))
            assert client.get(path).status_code in (403, 302), path
            assert client.post(path).status_code in (403, 302), path


def test_the_administrator_sees_every_page_and_rewrites_no_history(house: House) -> None:
    user = User.objects.create(username="root", is_staff=True, is_superuser=True)
    client = _client(user)
    for path in _back_office(house):
        if path != "/admin/logout/":
            assert client.get(path).status_code < 500, path
    before = Order.objects.values_list("version", flat=True).get(pk=house.order.pk)
    for model in READ_ONLY:
        for page in ("add/", f"{_first_of(model)}/change/", f"{_first_of(model)}/delete/"):
            assert client.post(f"/admin/{model}/{page}", {"post": "yes"}).status_code == 403, (model, page)
    assert Event.objects.filter(order=house.order).count() == before


def test_only_a_demo_offers_one_click_and_the_style_guide(house: House, settings: Any) -> None:
    User.objects.create(username="demo-district")
    settings.DEMO = False
    assert Client().post("/demo/sign-in", {"username": "demo-district"}).status_code == 404
    assert Client().get("/styleguide").status_code == 404
    assert "demo-district" not in Client().get("/sign-in").text


def test_signing_out_is_a_post(house: House) -> None:
    client = _client(house.users["town"])
    assert client.get("/sign-out").status_code == 405
    assert client.get("/desk").status_code == 200
    assert client.post("/sign-out").status_code == 302
    assert client.get("/desk").status_code == 302


@dataclass
class House:
    """A tiny district with one order on its way, and a signed-in client for everybody."""

    order: Order
    users: dict[str, User]
    clients: dict[str, Client]
    photo: str
    export: str
    imported: str
    study: str
    standby: str

    def path(self, route: str) -> str:
        for part, value in NAMED.items():
            route = route.replace(part, value)
        parts = {
            "token": track_token(self.order.pk),
            "photo": self.photo,
            "worker": self.order.worker_id,
            "export": self.export,
            "imported": self.imported,
            "study": self.study,
            "standby": self.standby,
        }
        return route.format(order=self.order.pk, estate=self.order.estate_id, **parts)


@pytest.fixture
def house(db: None) -> House:
    d = district()
    users = {**d.users, **_more(d)}
    order = report(d, by=Actor.of(d.users["operator"]), description=SECRET, phone=PHONE, channel="phone")
    order = walk(d, order, "sign", "assign")
    # The signed-in resident reported it at the counter of the centre: it is theirs to see.
    Order.objects.filter(pk=order.pk).update(reporter=users["resident"])
    photo, _new = attachments.add(order.pk, snaps.jpeg(), purpose="report", by=d.actor("operator"))
    clients = {"": Client(), **{who: _client(users[who]) for who in SIGNED_IN}}
    export = exports.ask(users["operator"], "orders", "", "csv", language="zh-hans")
    imported = Import.objects.create(district=order.district, kind="orders", file="a.csv", began_at=order.reported_at)
    study = planning.ask(order.district, Question(Change(), Change()), by=users["district"])
    return House(order, users, clients, str(photo.pk), str(export.pk), str(imported.pk), str(study.pk), _standby(d))


def _standby(d: District) -> str:
    """The worker was asked to wait at their own estate."""
    now = timezone.now()
    one = Standby.objects.create(
        district=d.estate.district, worker=d.worker, estate=d.estate, lon=121.5, lat=31.2, skill="lock", town=d.town,
        reach=0.0, metres=900, minutes=7, state="asked", until=now + timedelta(hours=4), suggested_at=now, asked_at=now,
    )  # fmt: skip
    return str(one.pk)


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _more(d: District) -> dict[str, User]:
    """The front desks and the owners' committees, which the small district has not."""
    users: dict[str, User] = {}
    for suffix, estate, company in (("", d.estate, d.company), ("-2", d.estate2, d.company2)):
        owners = Organisation.objects.create(kind="owners", code=estate.code, name="业委会", district=estate.district)
        for role in ("owners", "frontdesk"):
            users[role + suffix] = User.objects.create(username=role + suffix)
        join(users["owners" + suffix], owners, "committee", places=(estate.code,))
        join(users["frontdesk" + suffix], company.organisation, "company", duty="front_desk")
    return users


def _walk(house: House, route: str, door: Door) -> None:
    path = house.path(route)
    for who, client in house.clients.items():
        for method, named in (("get", door.get), ("post", door.post)):
            answer = _ask(house, client, method, path)
            said = (who or "stranger", method, path, answer.status_code)
            assert answer.status_code < 500, said
            if named is None:
                assert answer.status_code in {405, door.refused, 404, door.stranger if not who else 405}, said
                assert answer.status_code != 200, said
            else:
                _judged(door, named, who, answer, said)
            _keeps_quiet(house, who, answer, said)


def _judged(door: Door, named: str, who: str, answer: Any, said: tuple[Any, ...]) -> None:
    role, elsewhere = who.removesuffix("-2"), who.endswith("-2")
    let_in = {door.inside, 200, 201, 302, 422, 400}
    if named == "anybody":
        wanted = door.known if who else door.inside
        assert answer.status_code == wanted or (said[1] == "post" and answer.status_code in let_in), said
    elif not who:
        assert answer.status_code == door.stranger, said
        assert door.stranger != 302 or answer.headers["Location"].startswith("/sign-in?next="), said
    elif role not in named.split():
        # Who may not enter the room at all, and who may not see this one order.
        assert answer.status_code == door.refused or (door.own and answer.status_code == 404), said
    elif door.own and elsewhere:
        assert answer.status_code == 404, said
    else:
        assert answer.status_code == door.inside or (said[1] == "post" and answer.status_code in let_in), said
        assert not answer.headers.get("Location", "").startswith("/sign-in"), said


def _keeps_quiet(house: House, who: str, answer: Any, said: tuple[Any, ...]) -> None:
    """The other town and strangers learn nothing of the order; who serves it is never shown the arrival code."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = body.decode("utf-8", "replace")
    if not who or who.endswith("-2"):
        assert SECRET not in text, said
        if "/t/" not in said[2] and "/track/" not in said[2]:
            assert house.order.number not in text, said
    code = arrival_code(house.order.pk, 1)
    if who.removesuffix("-2") in ("worker", "manager", "company", "frontdesk"):
        assert f">{code}<" not in text, said
        assert f'"{code}"' not in text, said
    if not said[2].endswith(("/telephone", "/reveal")):
        assert PHONE not in text, said


def _ask(house: House, client: Client, method: str, path: str) -> Any:
    if method == "get":
        return client.get(path)
    version = Order.objects.values_list("version", flat=True).get(pk=house.order.pk)
    if path.startswith("/api/"):
        return client.post(path, {"version": version}, content_type="application/json")
    return client.post(path, {"version": version, "reason": "回电核实"})


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from _routes(pattern, route)


def _back_office(house: House) -> Iterator[str]:
    for route in BACK_OFFICE:
        path = route.replace(BACK_OFFICE_APPS, "orders/")
        path = path.replace("(?P<url>.*)$", "nothing/here").replace("<id>", str(house.users["town"].pk))
        yield f"/admin/{path}"
    for model in BACK_OFFICE_MODELS:
        for page in MODEL_PAGES:
            yield f"/admin/{model}/{page}".replace("<path:object_id>", _first_of(model))


def _first_of(model: str) -> str:
    app, name = model.split("/")
    found = next(each for each in admin.site._registry if each._meta.label_lower == f"{app}.{name}")
    first = found._default_manager.first()
    return str(first.pk) if first else "1"
