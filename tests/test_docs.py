"""What the docs say in tables is what the code says in tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jiying.config.cli import COMMANDS
from jiying.orders import states
from jiying.orders.chain import GENESIS, digest
from jiying.rules import packs

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
    inside = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", inside)]


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


def test_the_matrix_of_roles_is_that_of_the_table():
    roles = ["resident", "worker", "manager", "company", "helper", "committee", "town"]
    roles += ["operator", "supervisor", "district", "owners", "rule", "import"]
    said = {
        row[0]: {role for role, mark in zip(roles, row[1:], strict=True) if mark}
        for row in table(_text("permissions.md"), "verb", *roles)
    }
    assert said == {verb: set(states.roles_of(verb)) for verb in states.VERBS}


def test_the_promises_of_the_docs_are_those_of_the_example_pack():
    heads = ("rule", "for", "from", "to", "limit", "warns before", "pausable", "new round")
    said = [(row[0], *row[2:]) for row in table(_text("promises.md"), *heads)]
    word = {True: "yes", False: "no"}
    assert said == [
        (
            rule.id,
            rule.start,
            rule.target,
            f"{rule.limit.amount} {rule.limit.unit}",
            f"{rule.warn_before_min} min" if rule.warn_before_min else STAYS,
            word[rule.pausable],
            word[rule.rounds],
        )
        for rule in packs.named("example", "2026.2").promises
    ]


def test_the_ladder_and_the_pauses_of_the_docs_are_those_of_the_example_pack():
    pack = packs.named("example", "2026.2")
    said = [tuple(row) for row in table(_text("promises.md"), "step", "after", "unless", "tells")]
    assert said == [(step.step, str(step.after_min), step.unless or "", " ".join(step.tells)) for step in pack.ladder]
    pauses = table(_text("promises.md"), "reason", "", "longest without approval")
    assert [(code, name, int(days.split()[0]) * 1440) for code, name, days in pauses] == [
        (pause.code, pause.names.zh, pause.max_min) for pause in pack.pauses.values()
    ]


def test_every_command_of_the_command_line_is_told_and_no_other():
    told = [row[0].split()[0] for row in table(_text("operating.md"), "command", "what it does")]
    assert sorted(told) == sorted(COMMANDS)


def test_every_variable_of_the_environment_is_told_and_no_other():
    told = {row[0] for row in table(_text("operating.md"), "variable", "default", "meaning")}
    sources = [ROOT / "conftest.py", ROOT / "tests" / "served.py", *(ROOT / "src" / "jiying").glob("*/*.py")]
    read = {name for path in sources for name in re.findall(r"\bJIYING_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))}
    read |= set(re.findall(r"\bJIYING_[A-Z_]+[A-Z]\b", (ROOT / "tests" / "run.sh").read_text("utf-8")))
    assert told == read


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_files_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text("utf-8")):
        # Pictures are made from the running system; they may come after the words.
        assert (page.parent / target).exists() or "pictures/" in target, target
