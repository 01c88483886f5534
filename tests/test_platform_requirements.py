"""What a test needs and does not find: skipped by name, or a failure where it is required."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.served import environment

ROOT = Path(__file__).resolve().parent.parent
NEEDS = ("postgres", "redis", "browser", "shared")
MISSING = {
    "JIYING_TEST_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "JIYING_REDIS_URL": "redis://127.0.0.1:1/0",
    "JIYING_SHARED": "/no/such/place",
    "PATH": "/no/such/place",
}


def run(folder: Path, **env: str) -> str:
    """What pytest says of one test for each need, where nothing is to be found."""
    (folder / "test_wishes.py").write_text(
        "import pytest\n"
        + "".join(f"@pytest.mark.needs_{need}\ndef test_that_wants_{need}():\n    pass\n" for need in NEEDS)
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "-c", str(ROOT / "pyproject.toml"), str(folder)],
        cwd=ROOT,
        env={**environment(folder), **MISSING, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_test_without_what_it_needs_is_skipped_by_name_with_how_to_get_it(tmp_path):
    said = run(tmp_path)
    assert "4 skipped" in said
    for need in NEEDS:
        assert f"test_that_wants_{need}: needs {need}: " in said
    assert said.count("set JIYING_") >= len(NEEDS)


def test_where_it_is_required_the_same_test_fails(tmp_path):
    said = run(tmp_path, JIYING_TEST_REQUIRE=",".join(NEEDS))
    assert "4 error" in said
    assert "passed" not in said
    for need in NEEDS:
        assert f"required by JIYING_TEST_REQUIRE but missing: {need}: " in said


def test_a_requirement_nobody_knows_is_refused(tmp_path):
    assert "mysql" in run(tmp_path, JIYING_TEST_REQUIRE="mysql")
