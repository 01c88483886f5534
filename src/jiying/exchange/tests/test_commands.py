"""`jiying import` and its kin, as people run them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jiying.simulation.tests.running import ON_POSTGRES, UNRELATED, jiying

pytestmark = pytest.mark.skipif(ON_POSTGRES, reason="the commands work in a home of their own, on SQLite")

MAPPING = """
version: 1
kind: orders
source: test
timezone: Asia/Shanghai
district: {code: "310115", name: 浦东新区}
create: [towns]
columns:
  external_id: {from: no, required: true}
  reported_at: {from: at, required: true}
  done_at: {from: done}
  due_at: {from: due}
  state: {from: state}
  town: {from: town}
  description: {from: said}
defaults: {kind: complaint, category: complaint}
"""
HEAD = ("no", "at", "done", "due", "state", "town", "said")


@pytest.fixture
def home(_migrated: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    shutil.copytree(_migrated, home)
    (tmp_path / "map.yaml").write_text(MAPPING, encoding="utf-8")
    return home


def _file(path: Path, rows: int, *, bad: int = 0) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for n in range(rows):
            done = f"2024-03-{n % 27 + 2:02} 08:00" if n % 3 else ""
            due = f"2024-03-{n % 20 + 3:02} 08:00" if done else ""
            writer.writerow((n, "2024-03-01 08:00", done, due, "closed" if done else "open", f"镇{n % 4}", f"事情 {n}"))
        for n in range(bad):
            writer.writerow((f"bad{n}", "不知道", "", "", "open", "镇1", "=1+1"))
    return path


def _said(home: Path) -> dict[str, list[Any]]:
    """Everything that orders say, by their numbers at the source."""
    database = sqlite3.connect(home / "jiying.sqlite3")
    questions = {
        "orders": "SELECT o.external_id, o.state, o.kind, o.reported_at, o.version, t.description, d.code "
        "FROM orders_order o JOIN orders_ordertext t ON t.order_id = o.id "
        "LEFT JOIN estates_division d ON d.id = o.town_id",
        "events": "SELECT o.external_id, e.version, e.verb, e.milestone, e.role, e.at, e.claimed "
        "FROM orders_event e JOIN orders_order o ON o.id = e.order_id",
        "clocks": "SELECT o.external_id, c.promise, c.state, c.due_at, c.reached_at, c.rule"
        " FROM orders_clock c JOIN orders_order o ON o.id = c.order_id",
        "links": "SELECT external_id, fixed, whole FROM exchange_link",
        "divisions": "SELECT code, name, level FROM estates_division",
    }
    return {name: sorted(map(repr, database.execute(question))) for name, question in questions.items()}


def test_the_counts_the_rejects_file_and_the_exit_code_are_those_of_the_contract(home, tmp_path):
    words = ("import", "orders", _file(tmp_path / "a.csv", 5, bad=2), "--map", tmp_path / "map.yaml", "--json")
    done = jiying(*words, "--rejects", tmp_path / "no.csv", home=home)
    assert done.code == 1
    assert done.json == {
        "read": 7, "created": 5, "updated": 0, "unchanged": 0, "rejected": 2, "rejects_file": str(tmp_path / "no.csv"),
    }  # fmt: skip
    raw = (tmp_path / "no.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert rows[0] == ["row", "field", "value", "code", "reason", *HEAD]
    assert rows[1][:4] == ["7", "reported_at", "不知道", "bad_time"]
    assert rows[1][4] and rows[1][-1] == "'=1+1"
    again = jiying(
        "import", "orders", _file(tmp_path / "b.csv", 5), "--map", tmp_path / "map.yaml", "--json", home=home
    )
    assert (again.code, again.json["unchanged"], again.json["rejects_file"]) == (0, 5, None)
    assert jiying("verify-chain", home=home).code == 0


def test_a_preview_writes_nothing(home, tmp_path):
    before = _said(home)
    words = ("import", "orders", _file(tmp_path / "a.csv", 5, bad=1), "--map", tmp_path / "map.yaml", "--preview")
    done = jiying(*words, "--json", home=home)
    assert (done.code, done.json["created"], done.json["rejected"]) == (1, 5, 1)
    assert Path(done.json["rejects_file"]).is_file()
    assert "row 7: reject" in done.err
    assert _said(home) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("orders", "{tmp}/none.csv", "--map", "{tmp}/map.yaml"), "does not exist"),
        (("orders", "{tmp}/a.csv", "--map", "nowhere"), "no mapping “nowhere”"),
        (("orders", "{tmp}/quote.csv", "--map", "{tmp}/map.yaml"), "Line 2: a quote opens here"),
        (("orders", "{tmp}/zip.xlsx", "--map", "{tmp}/map.yaml"), "cannot be read as a workbook"),
        (("orders", "{tmp}/a.csv", "--map", "{tmp}/map.yaml", "--sheet", "甲"), "no sheet"),
        (("orders", "{tmp}/head.csv", "--map", "{tmp}/map.yaml"), "no column “no”"),
        (("estates", "{tmp}/a.csv", "--map", "{tmp}/map.yaml"), "orders"),
        (("cats", "{tmp}/a.csv", "--map", "{tmp}/map.yaml"), "cats"),
    ],
)
def test_wrong_use_and_unreadable_input_end_with_2_and_write_nothing(home, tmp_path, words, said):
    _file(tmp_path / "a.csv", 2)
    (tmp_path / "quote.csv").write_text(",".join(HEAD) + '\n1,"never', encoding="utf-8")
    (tmp_path / "zip.xlsx").write_bytes(b"PK\x03\x04 and so on")
    (tmp_path / "head.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    done = jiying("import", *(word.format(tmp=tmp_path) for word in words), "--json", home=home)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    database = sqlite3.connect(home / "jiying.sqlite3")
    assert database.execute("SELECT count(*) FROM exchange_import").fetchone() == (0,)


@pytest.mark.parametrize("way", ["resume", "the same file again"])
def test_killed_between_two_batches_it_ends_like_one_that_was_not_disturbed(home, tmp_path, way):
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(home, undisturbed)
    words = ("import", "orders", str(_file(tmp_path / "a.csv", 1700)), "--map", str(tmp_path / "map.yaml"))
    assert jiying(*words, home=undisturbed).code == 0

    env = {name: value for name, value in os.environ.items() if name not in UNRELATED} | {"JIYING_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "jiying", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=env,
        text=True,
    )
    assert process.stderr is not None
    line = next(line for line in process.stderr if line.startswith("apply"))
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    half = len(_said(home)["orders"])
    assert 0 < half < 1700, line

    [entry] = json.loads(jiying("imports", "--json", home=home).out)["imports"]
    assert entry["stage"] == "applying"
    if way == "resume":
        done = jiying("import-resume", entry["id"], "--json", home=home)
        assert (done.code, done.json["created"]) == (0, 1700)
    else:
        done = jiying(*words, "--json", home=home)
        assert (done.code, done.json["created"], done.json["unchanged"]) == (0, 1700 - half, half)
    assert _said(home) == _said(undisturbed)
    assert jiying("verify-chain", home=home).code == 0


def test_an_import_is_taken_back_by_its_id(home, tmp_path):
    before = _said(home)
    words = ("import", "orders", _file(tmp_path / "a.csv", 5), "--map", tmp_path / "map.yaml", "--json")
    assert jiying(*words, home=home).code == 0
    [entry] = json.loads(jiying("imports", "--json", home=home).out)["imports"]
    done = jiying("import-revert", entry["id"], "--json", home=home)
    assert (done.code, done.json) == (0, {"reverted": 10, "kept": 0, "reasons": {}})
    assert _said(home) == before
