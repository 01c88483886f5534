"""Clocks say the right words at every moment, and the browser says the same."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import translation

from jiying.pages.clockface import SIGNS, Face, face, phrases_json

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SCRIPT = Path(__file__).resolve().parent.parent / "static" / "pages" / "js" / "clockface.js"


def _face(state: str, minutes: float, *, limit: float = 30, reached: float | None = None, ended: bool = False) -> Face:
    due = START + timedelta(minutes=limit)
    at = None if reached is None else START + timedelta(minutes=reached)
    return face(state, START, due, at, limit, START + timedelta(minutes=minutes), ended=ended)


@pytest.mark.parametrize(
    ("minutes", "phase", "words"),
    [
        (0, "running", "还剩 30 分"),
        (17.5, "running", "还剩 12 分"),
        (20, "running", "还剩 10 分"),
        (20.1, "soon", "还剩 9 分"),
        (29.5, "soon", "还剩 不到 1 分"),
        (30, "soon", "还剩 不到 1 分"),
        (38, "late", "超时 8 分"),
        (95, "late", "超时 1 小时 5 分"),
        (4000, "late", "超时 2 天 18 小时"),
    ],
)
def test_a_running_clock_says_how_long_is_left_or_how_late_it_is(minutes, phase, words):
    shown = _face("running", minutes)
    assert (shown.phase, shown.words) == (phase, words)


def test_the_ring_empties_with_the_time_left():
    assert [_face("running", minutes).share for minutes in (0, 15, 30)] == [100, 50, 0]


def test_a_kept_promise_says_how_long_it_took_and_stands_still():
    assert _face("met", 500, reached=22) == _face("met", 23, reached=22)
    assert _face("met", 500, reached=22).words == "按时，用时 22 分"


def test_a_missed_promise_that_was_reached_counts_no_further():
    assert _face("missed", 500, reached=41).words == "晚了 11 分"


def test_a_missed_promise_of_an_open_order_counts_on_and_of_an_ended_one_does_not():
    assert _face("missed", 41).words == "超时 11 分"
    assert _face("missed", 41, ended=True).words == "没有做到"


def test_paused_and_void_clocks_count_nothing():
    assert (_face("paused", 99).words, _face("void", 99).words) == ("已暂停", "不计时")
    assert _face("paused", 99).number == ""


def test_english_words():
    with translation.override("en"):
        assert _face("running", 18).words == "12 min left"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js to run the browser's twin")
def test_the_browser_says_the_same():
    cases = [
        (state, minutes, limit, reached, ended)
        for state in ("running", "missed", "met", "paused", "void")
        for limit in (30, 500, 4320)
        for minutes in (0, 0.5, 19.99, 20.01, 29.99, 30.5, 95, 499, 1500, 5000)
        for reached in (None, limit * 0.7, limit + 11.5)
        for ended in (False, True)
        if not (state == "running" and reached) and not (state == "met" and (reached or limit + 1) > limit)
    ]
    ours = [
        _face(state, minutes, limit=limit, reached=reached, ended=ended)
        for state, minutes, limit, reached, ended in cases
    ]
    script = f"""
        import {{ face, SIGNS }} from {json.dumps(SCRIPT.as_uri())};
        const start = {int(START.timestamp() * 1000)}, phrases = {phrases_json()};
        const faces = {json.dumps(cases)}.map(([state, minutes, limit, reached, ended]) => face({{
          state, from: start, due: start + limit * 60000, limit, ended,
          reached: reached === null ? null : start + reached * 60000,
        }}, start + minutes * 60000, phrases));
        console.log(JSON.stringify({{ faces, SIGNS }}));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True
    )
    theirs = json.loads(done.stdout)
    assert theirs["SIGNS"] == SIGNS
    for case, mine, other in zip(cases, ours, theirs["faces"], strict=True):
        assert {name: getattr(mine, name) for name in Face.__slots__} == other, case
