"""The command line: what it lists, what it leaves with, and that it never shows a traceback to a person."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from tests.served import jiying

from jiying.config.cli import COMMANDS, main


def test_help_lists_every_command(tmp_path):
    done = jiying(tmp_path, "--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output
    assert f"{name} [OPTIONS]" in done.output


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("serve", "--port", "eighty"), ("serve", "--port", "70000"), ("migrate", "--no-such-option")],
)
def test_wrong_use_leaves_with_2(tmp_path, words):
    done = jiying(tmp_path, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "setting",
    [
        {"JIYING_DATABASE_URL": "mysql://localhost/jiying"},
        {"JIYING_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"},
        {"JIYING_PORT": "eighty"},
        {"JIYING_DATA_KEY": "short"},
        {"JIYING_HOME": "/proc/no-such-place"},
    ],
)
def test_wrong_settings_are_one_sentence_and_2(tmp_path, setting):
    done = jiying(tmp_path, "migrate", **setting)
    assert done.returncode == 2
    assert done.stderr.startswith("jiying: ")
    assert "Traceback" not in done.stderr


def test_a_home_that_was_never_migrated_says_so(tmp_path):
    done = jiying(tmp_path, "verify-chain", "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "jiying migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_json_stdout_is_exactly_one_object(tmp_path):
    migrated = jiying(tmp_path, "migrate", "--json")
    assert (migrated.returncode, json.loads(migrated.stdout)) == (0, {})
    verified = jiying(tmp_path, "verify-chain", "--json")
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["broken"] == []


def test_migrating_again_changes_nothing(tmp_path):
    assert [jiying(tmp_path, "migrate").returncode for _ in range(2)] == [0, 0]
