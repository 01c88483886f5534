"""What every test stands on: a home of its own, no network beyond this machine, and named skips.

Tests marked `needs_postgres`, `needs_redis`, `needs_browser`, `needs_nginx`, `needs_systemd` or `needs_shared` are
skipped where that is missing, by name and with how to get it; what JIYING_TEST_REQUIRE lists fails instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings

pytest_plugins = ["tests.served"]

_HELPING = "PYTEST_XDIST_WORKER" in os.environ
"""A process that another one started to share the work: it lives in the other's home, with its own database."""
_HOME = os.environ["JIYING_HOME"] if _HELPING else tempfile.mkdtemp(prefix="jiying-test-")
os.environ["JIYING_HOME"] = _HOME
# Said here and not in pyproject.toml: pytest-django reads the settings named there before this file, and then
# all runs would share the home, and so the test database, of the checkout.
os.environ["DJANGO_SETTINGS_MODULE"] = "jiying.config.settings"
os.environ["JIYING_DEMO"] = "1"
os.environ["JIYING_HOST"] = "127.0.0.1"
os.environ.setdefault("JIYING_PUBLIC_RATE", "off")
# One name for all processes of this run, so that runs side by side have databases of their own.
os.environ.setdefault("JIYING_TEST_RUN", str(os.getpid()))
for _name in ("JIYING_PORT", "JIYING_SECRET_KEY", "JIYING_DATA_KEY"):
    os.environ.pop(_name, None)

django.setup()
assert str(settings.HOME) == _HOME, "the settings were read before the tests had a home of their own"

ROOT = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("JIYING_SHARED") or ROOT.parent / "shared").resolve()
POSTGRES_URL = os.environ.get("JIYING_TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("JIYING_REDIS_URL") or "redis://127.0.0.1:6379/9"

HOW = {
    "postgres": "start PostgreSQL (Debian: apt-get install postgresql) or set JIYING_TEST_POSTGRES_URL",
    "redis": "start Redis (Debian: apt-get install redis-server) or set JIYING_REDIS_URL",
    "browser": "install Chromium (Debian: apt-get install chromium fonts-noto-cjk) or set JIYING_CHROMIUM",
    "nginx": "install nginx (Debian: apt-get install nginx-light)",
    "systemd": "install systemd (Debian: apt-get install systemd), which need not run",
    "shared": "put the real inputs beside the project as ../shared, or set JIYING_SHARED",
}


def _has(what: str) -> bool:
    if what == "postgres":
        import psycopg

        try:
            psycopg.connect(POSTGRES_URL, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True
    if what == "redis":
        import redis

        try:
            return bool(redis.Redis.from_url(REDIS_URL, socket_connect_timeout=3).ping())
        except redis.RedisError:
            return False
    if what == "browser":
        from tests.served import chromium

        return chromium() is not None
    if what == "nginx":
        return shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin") is not None
    if what == "systemd":
        return shutil.which("systemd-analyze") is not None
    return (SHARED / "data").is_dir()


def _uses_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}
    return item.get_closest_marker("django_db") is not None or bool(fixtures & set(getattr(item, "fixturenames", ())))


_found: dict[str, bool] = {}
_missing = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("JIYING_TEST_ONLY_DATABASE"):
        # The run on the second database: what touches none was run on the first.
        kept = [item for item in items if _uses_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if not _uses_database(item)])
        items[:] = kept
    required = set(filter(None, os.environ.get("JIYING_TEST_REQUIRE", "").split(",")))
    if unknown := required - HOW.keys():
        raise pytest.UsageError(f"JIYING_TEST_REQUIRE knows {', '.join(HOW)}; not {', '.join(sorted(unknown))}")
    for item in items:
        for what, how in HOW.items():
            if item.get_closest_marker(f"needs_{what}") is None:
                continue
            if what not in _found:
                _found[what] = _has(what)
            if _found[what]:
                continue
            if what in required:
                item.stash.setdefault(_missing, []).append(f"{what}: {how}")
            else:
                item.add_marker(pytest.mark.skip(reason=f"needs {what}: {how}"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if missing := item.stash.get(_missing, []):
        pytest.fail(f"required by JIYING_TEST_REQUIRE but missing: {'; '.join(missing)}", pytrace=False)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    needs = [report for report in skipped if "needs " in str(report.longrepr)]
    if needs:
        terminalreporter.section("skipped for want of something")
        for report in needs:
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {str(why).removeprefix('Skipped: ')}")


def pytest_unconfigure() -> None:
    if not _HELPING:
        shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs."""
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def _only_this_machine() -> Iterator[None]:
    """Refuse connections beyond loopback: tests talk to nobody else."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and host not in ("localhost", "::1") and not str(host).startswith("127."):
            raise OSError(f"tests may not reach {host}")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    yield
    socket.socket.connect = real  # type: ignore[method-assign]


def pytest_configure() -> None:
    from jiying.config.texts import compile_all

    compile_all()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Every test builds a district of its own: what was read of another's is forgotten."""
    from jiying.dispatch import outlooks, pools, surges
    from jiying.orders import places

    places.forget()
    outlooks.forget()
    pools.forget()
    surges.forget()


@pytest.fixture(autouse=True)
def _nobody_elsewhere_holds_events_back(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL an open transaction anywhere on the server holds back what followers may read.

    Tests side by side share a server, and a test in a transaction holds back its own events: here all that can be
    read is settled.  Tests of that very thing keep the real one by the mark `late_commits`.
    """
    from jiying.orders import followers
    from jiying.orders.models import Event

    if request.node.get_closest_marker("late_commits") is None:
        monkeypatch.setattr(followers, "settled", lambda: Event.objects.order_by("xid", "seq"))
