"""What the docs say in tables is what the code says in tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiying.orders import states
from jiying.orders.chain import GENESIS, digest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
EVERYBODY = "everybody"
STAYS = "–"


def _text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def table(text: str, *heads: str) -> list[list[str]]:
    """The rows of the first Markdown table whose header is `heads`.

    >>> table("| a | b |\\n|---|---|\\n| 1 | `2` |\\n\\nend", "a", "b")
    [['1', '2']]
    """
    lines = iter(text.splitlines())
    for line in lines:
        if _cells(line) == list(heads):
            next(lines)
            return list(_rows(lines))
    raise AssertionError(f"no table with the columns {heads}")


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")]


def test_the_verbs_of_the_docs_are_those_of_the_table():
    text = _text("orders.md")
    groups = {name: members.split() for name, members in table(text, "group", "states")}
    said = []
    for verb, sources, target, who, milestone, remark in table(
        text, "verb", "from", "to", "who", "milestone", "remark"
    ):
        for name, members in groups.items():
            sources = re.sub(rf"(?<!\w){name}(?!\w)", " ".join(members), sources)
        kinds = frozenset(remark.split()) - {"once"}
        said.append(
            states.Transition(
                verb=verb,
                sources=frozenset(states.State(source) for source in sources.split()),
                target=None if target == STAYS else target,
                roles=states.PEOPLE if who == EVERYBODY else frozenset(who.split()),
                reaches=milestone or None,
                once="once" in remark.split(),
                kinds=kinds or None,
            )
        )
    assert said == list(states.TABLE)


def test_the_groups_of_states_are_those_of_the_code():
    named = {
        "waiting": states.WAITING,
        "before arrival": states.BEFORE_ARRIVAL,
        "open": states.OPEN,
        "after work": states.AFTER_WORK,
        "any": states.ALL,
    }
    assert {name: set(members.split()) for name, members in table(_text("orders.md"), "group", "states")} == {
        name: {str(state) for state in members} for name, members in named.items()
    }


def test_the_worked_example_of_the_chain_is_right():
    canonical, hashed = re.findall(r"```(?:json)?\n([^`\n]+)\n```", _text("orders.md").partition("### By hand")[2])[:2]
    assert digest(GENESIS, canonical) == hashed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_files_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8")):
        # Pictures are made from the running system; they may come after the words.
        assert (page.parent / target).exists() or "pictures/" in target, target
