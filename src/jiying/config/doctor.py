"""`jiying doctor`: is this installation well, and what is there to do?

Every check answers with one sentence: what was found, or what is wrong and what to do about it.  None of them
changes anything, and none raises: what a check stumbles over is its finding.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from jiying.config.home import KEYS, NOT_FINISHED, is_loopback, missing_keys

OK, WARN, FAIL = "ok", "warn", "fail"
LITTLE_DISK, TOO_LITTLE_DISK = 2 * 1024**3, 200 * 1024**2
EARLIEST = 1_767_225_600  # 2026-01-01: a clock before this program's time is wrong.


@dataclass(frozen=True, slots=True)
class Check:
    """A finding: `status` ok, warn or fail; `hint` what was found, or what to do."""

    name: str
    status: str
    hint: str


Checking = Callable[[], Iterator[Check]]


def examine(checks: Iterable[tuple[str, Checking]]) -> Iterator[Check]:
    """Run `checks`; one that breaks down is a finding and stops none of the others."""
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:
            # The doctor is called when something is broken; whatever it is belongs in its answer.
            yield Check(name, FAIL, f"could not be examined: {type(error).__name__}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def home() -> Iterator[Check]:
    """The folder of the installation: there, ours to write, with room."""
    path = _home()
    if not path.is_dir():
        yield Check("home", FAIL, f"{path} does not exist: set JIYING_HOME, or make it with `jiying migrate`")
        return
    if not os.access(path, os.W_OK | os.X_OK):
        yield Check("home", FAIL, f"{path} cannot be written by this user: change its owner or JIYING_HOME")
        return
    if (path / NOT_FINISHED).exists():
        yield Check("home", FAIL, f"`jiying restore` has begun in {path} and not ended: run it again")
        return
    yield Check("home", OK, str(path))
    free = shutil.disk_usage(path).free
    size = f"{free / 1024**3:.1f} GiB free in {path}"
    if free < TOO_LITTLE_DISK:
        yield Check("disk", FAIL, f"{size}: reports will soon be refused; make room now")
    elif free < LITTLE_DISK:
        yield Check("disk", WARN, f"{size}: make room")
    else:
        yield Check("disk", OK, size)


def secrets() -> Iterator[Check]:
    """The keys: there, and nobody else's to read."""
    folder, missing = _home() / "secrets", missing_keys(_home())
    files = [folder / name for name, variable in KEYS if not os.environ.get(variable)]
    open_to = [str(path) for path in files if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if missing:
        told = f"{' and '.join(missing)} missing in {folder}"
        yield Check(
            "secrets",
            FAIL if (_home() / "jiying.sqlite3").exists() else WARN,
            f"{told}: made at the first start; if there are data already, put the old keys back before you start, "
            "or contacts stay sealed",
        )
    elif open_to:
        yield Check("secrets", FAIL, f"others can read {', '.join(open_to)}: chmod 600 {' '.join(open_to)}")
    else:
        yield Check("secrets", OK, "present, readable by this user alone")


def demo() -> Iterator[Check]:
    """One-click sign-in is for this machine alone."""
    if os.environ.get("JIYING_DEMO", "") in ("", "0"):
        return
    host = os.environ.get("JIYING_HOST") or "127.0.0.1"
    if not is_loopback(host):
        yield Check("demo", FAIL, f"JIYING_DEMO is set on {host}, where anybody could sign in: unset it")
    elif os.environ.get("JIYING_ALLOWED_HOSTS"):
        yield Check("demo", FAIL, "JIYING_DEMO is set behind a public name: anybody could sign in; unset it")
    else:
        yield Check("demo", WARN, "JIYING_DEMO is set: whoever reaches this port is anybody; not for real data")


def clock() -> Iterator[Check]:
    """The clock and the time zone of this machine."""
    now = time.time()
    if now < EARLIEST:
        yield Check("clock", FAIL, f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}: set it, then start")
    else:
        yield Check("clock", OK, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def browser_libraries() -> Iterator[Check]:
    """What npm brings to the browser."""
    from jiying.config import vendor

    missing = [
        f"{name}: {Path(file).name}"
        for name, files in vendor.FILES.items()
        for file in files
        if not list(vendor.SERVED.glob(f"{name}@*/{Path(file).name}"))
    ]
    if missing:
        yield Check("browser_libraries", WARN, f"not installed: {', '.join(missing)}; `make run` installs them")
    else:
        yield Check("browser_libraries", OK, f"{len(vendor.FILES)} in {vendor.SERVED.name}")


def texts() -> Iterator[Check]:
    """The English texts, compiled."""
    from jiying.config.texts import ROOMS

    sources = sorted(ROOMS.glob("*/locale/*/LC_MESSAGES/django.po"))
    stale = [
        path.parts[-5]
        for path in sources
        if not path.with_suffix(".mo").is_file() or path.with_suffix(".mo").stat().st_mtime < path.stat().st_mtime
    ]
    if stale:
        yield Check("texts", WARN, f"not compiled: {', '.join(stale)}; `python -m jiying.config.texts` compiles them")
    else:
        yield Check("texts", OK, f"{len(sources)} rooms compiled")


def fonts() -> Iterator[Check]:
    """A font with Chinese characters, for PDF files; pages use the reader's own."""
    if shutil.which("fc-list") is None:
        yield Check("fonts", WARN, "fc-list is missing (Debian: apt-get install fontconfig fonts-noto-cjk)")
        return
    done = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, timeout=30, check=False)
    families = sorted({line.split(",")[0].strip() for line in done.stdout.splitlines() if line.strip()})
    if families:
        yield Check("fonts", OK, families[0])
    else:
        yield Check("fonts", WARN, "no Chinese font: labels as PDF stay empty (Debian: apt-get install fonts-noto-cjk)")


def pdf() -> Iterator[Check]:
    """What makes PDF files."""
    try:
        with _quiet():
            import weasyprint
    except (ImportError, OSError) as error:
        yield Check(
            "pdf",
            WARN,
            f"no PDF files, labels are printed from the page: {_first_line(error)} (Debian: apt-get install "
            "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)",
        )
    else:
        yield Check("pdf", OK, f"WeasyPrint {weasyprint.__version__}")


class _quiet:
    """WeasyPrint prints what it misses, and raises as well."""

    def __enter__(self) -> None:
        self._kept, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), open(os.devnull, "w"), open(os.devnull, "w")

    def __exit__(self, *_error: object) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.close()
        sys.stdout, sys.stderr = self._kept


def _home() -> Path:
    return Path(os.environ.get("JIYING_HOME") or "var").absolute()


MACHINE: tuple[tuple[str, Checking], ...] = (
    ("home", home),
    ("secrets", secrets),
    ("demo", demo),
    ("clock", clock),
    ("browser_libraries", browser_libraries),
    ("texts", texts),
    ("fonts", fonts),
    ("pdf", pdf),
)
"""What can be examined without settings and without a database."""


def examined() -> Iterator[Check]:
    """All checks.  What needs settings is left out where home or keys are missing: settings would make them, and
    new keys beside old data would hide what is wrong."""
    found = list(examine(MACHINE))
    yield from found
    status = {check.name: check.status for check in found}
    if status["home"] == FAIL or missing_keys(_home()):
        return
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiying.config.settings")
    try:
        django.setup()
    except (ImproperlyConfigured, OSError) as error:
        yield Check("settings", FAIL, _first_line(error))
        return
    yield Check("settings", OK, "readable")
    from jiying.config.doctor_data import DATA

    yield from examine(DATA)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Examine this installation: database, secrets, disk, clock, fonts, loops.

    Leaves with 1 when something fails; warnings are none.
    """
    checks = list(examined())
    if as_json:
        click.echo(json.dumps({"checks": [asdict(check) for check in checks]}, ensure_ascii=False))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = {OK: " ok ", WARN: "WARN", FAIL: "FAIL"}[check.status]
            click.echo(f"{mark}  {check.name:<{width}}  {check.hint}")
    sys.exit(1 if any(check.status == FAIL for check in checks) else 0)
