"""The real `jiying` in a process of its own, and a real browser: for tests that look from outside.

    def test_something(jiying_server, browser):
        page = browser.new_page()
        page.goto(f"{jiying_server.url}/report")

`jiying_server` has a small demo district; `serve` starts one as the test wants it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

UP_WITHIN_S = 60
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, met: Callable[[], Any], within_s: float = UP_WITHIN_S) -> Any:
    """What `met` gives as soon as that is something; AssertionError when it does not come about in time."""
    deadline = time.monotonic() + within_s
    while not (found := met()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found


def chromium() -> str | None:
    """Where Chromium is, if anywhere."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("JIYING_CHROMIUM") or next(filter(None, found), None)


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of an installation in `home`: nothing of the caller's settings, SQLite, no public limit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIYING_", "DJANGO_"))}
    return {**kept, "JIYING_HOME": str(home), "JIYING_PUBLIC_RATE": "off", "PYTHONUNBUFFERED": "1", **more}


def jiying(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command in `home` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "jiying", *words],
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@dataclass
class Served:
    """A running `jiying serve` (or web, live, work)."""

    home: Path
    process: subprocess.Popen[bytes]
    log_path: Path
    url: str = ""
    env: dict[str, str] = field(default_factory=dict)
    last: Any = None

    def log(self) -> str:
        """What it has said so far."""
        return self.log_path.read_text(encoding="utf-8")

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON (or text) of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command in the same home."""
        return jiying(self.home, *words, **self.env)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        return self.process.wait(30)

    def _until(self, what: str, met: Callable[[], bool]) -> None:
        deadline = time.monotonic() + UP_WITHIN_S
        while not met():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"no {what}; exit code {self.process.poll()}, {self.last}:\n{self.log()[-4000:]}")
            time.sleep(0.02)

    def wait_until_up(self, part: str, path: str) -> None:
        """Return when it answers 200 at `path` (`work`: when it says so).

        Raises:
            AssertionError: it ended, or did not answer within a minute; carries its log.
        """
        self._until("first line", lambda: "Jiying 即应: " in self.log() and self.log().endswith("\n"))
        if part == "work":
            return
        self.url = self.log().partition("Jiying 即应: ")[2].split()[0]
        self._until(path, lambda: self._answers(path))

    def _answers(self, path: str) -> bool:
        try:
            status, self.last = self.get(path)
        except OSError:
            return False
        return status == 200


Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def serve(_migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start `jiying PART` on a free port: `serve(home, part="web", JIYING_DEMO="1")`; a home of its own by default."""
    running: list[tuple[Served, IO[bytes]]] = []

    def start(home: Path | None = None, part: str = "serve", ready: str = "", **more: str) -> Served:
        if home is None:
            home = tmp_path_factory.mktemp("served") / "home"
            shutil.copytree(_migrated, home)
        log_path = tmp_path_factory.mktemp("log") / "log"
        log = log_path.open("wb")
        words = [part] if part == "work" else [part, "--port", "0"]
        process = subprocess.Popen(
            [sys.executable, "-m", "jiying", *words],
            env=environment(home, **more),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        served = Served(home, process, log_path, env=more)
        running.append((served, log))
        served.wait_until_up(part, ready or ("/healthz" if part == "live" else "/readyz"))
        return served

    yield start
    for served, log in running:
        try:
            served.stop()
        except subprocess.TimeoutExpired:
            served.process.kill()
        log.close()


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an empty database, made once and copied."""
    home = tmp_path_factory.mktemp("migrated")
    done = jiying(home, "migrate")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="session")
def _seeded(_migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small demo district, made once and copied."""
    home = tmp_path_factory.mktemp("seeded") / "home"
    shutil.copytree(_migrated, home)
    size = ["--estates", "36", "--workers", "60", "--days", "3", "--orders", "60"]
    done = jiying(home, "seed", *size, JIYING_DEMO="1")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def jiying_server(serve: Serve, _seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A demo with a small district of its own, for one module of tests."""
    home = tmp_path_factory.mktemp("demo") / "home"
    shutil.copytree(_seeded, home)
    return serve(home, JIYING_DEMO="1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium through Playwright.  Not for a whole session: its event loop lives in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Django would take every query of a test for one made inside that loop.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM))
        yield opened
        opened.close()
