"""Every verb, said by every role: of this town, of another, by link and by a stranger."""

from __future__ import annotations

from typing import Any

import pytest

from jiying.api.tests.calls import Api
from jiying.api.tests.ways import BEFORE, data_for, ready_for
from jiying.orders.proof import track_token
from jiying.orders.states import OBSERVATIONS, VERBS, roles_of
from jiying.orders.tests.build import District

ROLES = ("resident", "worker", "manager", "company", "committee", "town", "operator", "supervisor", "district")
ALL = " ".join(ROLES)

#: Typed from the contract's table, not taken from the code.
WHO: dict[str, str] = {
    "sign": "company operator",
    "return": "company operator",
    "refuse": "company operator",
    "assign": "manager company operator",
    "take": "worker",
    "depart": "worker operator",
    "contact": "worker operator",
    "arrive": "worker operator",
    "make_safe": "worker operator",
    "done": "worker operator",
    "pause": "worker manager",
    "approve_pause": "committee town operator",
    "resume": "worker manager committee town operator",
    "confirm": "resident",
    "verify": "committee operator",
    "close": "operator committee",
    "reopen": "resident committee operator",
    "rate": "resident",
    "reclassify": "operator",
    "solve_remotely": "worker manager operator",
    "supervise": "town operator district",
    "urge": ALL,
    "note": ALL,
    "cancel": "resident",
}
LINK = frozenset({"confirm", "reopen", "rate", "urge", "cancel", "note"})


def test_the_table_of_states_says_what_the_contract_says() -> None:
    assert set(WHO) == set(VERBS) == set(BEFORE)
    for verb, roles in WHO.items():
        # A rule and an import are nobody who signs in; an owners' committee, and a company that was asked to help, the
        # contract does not tell apart.
        assert roles_of(verb) - {"rule", "import", "owners", "helper"} == set(roles.split()), verb


def _sees(role: str, verb: str) -> bool:
    """Workers see what is theirs or free to take; the others see their place's orders in every state."""
    return role != "worker" or bool(BEFORE[verb])


@pytest.mark.parametrize("verb", WHO)
def test_only_those_named_may_say_it(d: District, as_: Any, verb: str) -> None:
    allowed = WHO[verb].split()
    order = ready_for(d, verb)
    body = {"version": order.version, "data": data_for(d, verb)}
    path = f"/orders/{order.pk}/actions/{verb}"
    for role in ROLES:
        for suffix in ("", "-2"):
            if role in allowed and not suffix and _sees(role, verb):
                continue
            answer = as_(role + suffix).post(path, body)
            seen = not suffix and _sees(role, verb)
            wanted = (403, "not_yours") if seen else (404, "not_found")
            assert (answer.status_code, answer.json()["code"]) == wanted, (role + suffix, answer.json())
    assert Api().post(path, body).status_code == 401
    order.refresh_from_db()
    assert order.version == body["version"], "a refusal wrote something"


@pytest.mark.parametrize(
    ("verb", "role"), [(verb, role) for verb, roles in WHO.items() for role in roles.split() if _sees(role, verb)]
)
def test_who_is_named_may_say_it(d: District, as_: Any, verb: str, role: str) -> None:
    order = ready_for(d, verb)
    answer = as_(role).act(order, verb, data_for(d, verb))
    assert answer.status_code == 200, answer.json()
    assert answer.json()["version"] == order.version + 1
    order.refresh_from_db()
    assert order.version == answer.json()["version"]


@pytest.mark.parametrize("verb", WHO)
def test_the_holder_of_a_link_says_what_a_resident_may_say(d: District, stranger: Api, verb: str) -> None:
    order = ready_for(d, verb)
    answer = stranger.post(f"/track/{track_token(order.pk)}/actions/{verb}", {"data": data_for(d, verb)})
    if verb in LINK:
        assert answer.status_code == 200, answer.json()
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "not_yours")


@pytest.mark.parametrize("verb", sorted(OBSERVATIONS | {"report", "escape", "SIGN", "签收"}))
def test_nobody_says_what_is_no_verb_of_people(d: District, as_: Any, verb: str) -> None:
    order = ready_for(d, "sign")
    for caller, path, body in (
        (as_("operator"), f"/orders/{order.pk}/actions/{verb}", {"version": order.version}),
        (Api(), f"/track/{track_token(order.pk)}/actions/{verb}", {}),
    ):
        answer = caller.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_verb")


@pytest.mark.parametrize("role", [*ROLES, "stranger"])
@pytest.mark.parametrize("suffix", ["", "-2"])
def test_reading_follows_the_scope(d: District, as_: Any, role: str, suffix: str) -> None:
    order = ready_for(d, "arrive")
    asker = as_(role if role == "stranger" else role + suffix)
    one, many = asker.get(f"/orders/{order.pk}"), asker.get("/orders")
    if role == "stranger":
        assert (one.status_code, many.status_code) == (401, 401)
    elif suffix:
        assert (one.status_code, one.json()["code"]) == (404, "not_found")
        assert many.json() == {"items": [], "next": None}
    else:
        assert one.json()["id"] == str(order.pk)
        assert [row["id"] for row in many.json()["items"]] == [str(order.pk)]
