"""The table of states and verbs."""

import pytest

from jiying.orders.states import (
    AFTER_WORK,
    ALL,
    ENDED,
    IMPORT,
    MILESTONES,
    PEOPLE,
    RESUMED,
    RULE,
    TABLE,
    VERBS,
    State,
    find,
    possible,
    roles_of,
)

EVERYBODY = PEOPLE | {RULE, IMPORT}


def test_every_row_names_known_states_roles_and_milestones():
    for row in TABLE:
        assert row.sources <= ALL
        assert row.roles <= EVERYBODY
        assert row.target is None or row.target == RESUMED or row.target in ALL
        assert row.reaches is None or row.reaches in MILESTONES


def test_two_rows_of_one_verb_never_both_apply():
    for verb in VERBS:
        for kind in ("repair", "complaint"):
            for state in ALL:
                rows = [
                    row
                    for row in TABLE
                    if row.verb == verb and state in row.sources and (row.kinds is None or kind in row.kinds)
                ]
                assert len(rows) <= 1, (verb, state, kind)


def test_the_serving_side_can_neither_verify_nor_close_nor_confirm():
    serving = frozenset({"worker", "manager", "company"})
    for verb in ("verify", "close", "confirm", "approve_pause", "rate", "reopen"):
        assert not roles_of(verb) & serving


@pytest.mark.parametrize("state", sorted(ENDED - {State.CLOSED}))
def test_from_a_cancelled_or_refused_order_nothing_leads_on(state):
    assert possible(state, PEOPLE, set(), "repair") == ["note"]


def test_every_state_is_left_by_somebody_or_ends():
    for state in ALL - ENDED:
        leads = {row.target for row in TABLE if state in row.sources and row.target not in (None, state)}
        assert leads, state


def test_a_repair_is_not_done_from_afar_but_an_enquiry_may_be():
    assert find("done", State.ASSIGNED, frozenset({"worker"}), set(), "repair") is None
    assert find("done", State.ASSIGNED, frozenset({"worker"}), set(), "enquiry") is not None


def test_a_milestone_said_once_is_not_said_again_in_the_same_round():
    worker = frozenset({"worker"})
    assert find("contact", State.ASSIGNED, worker, set(), "repair")
    assert find("contact", State.ASSIGNED, worker, {"contacted"}, "repair") is None


def test_only_the_centre_assigns_what_nobody_has_signed():
    assert find("assign", State.SUBMITTED, frozenset({"operator"}), set(), "repair")
    assert find("assign", State.SUBMITTED, frozenset({"company"}), set(), "repair") is None


def test_work_that_is_done_can_come_back_until_the_end():
    for state in AFTER_WORK:
        row = find("reopen", state, frozenset({"resident"}), set(), "repair")
        assert row is not None
        assert row.target is State.ASSIGNED
