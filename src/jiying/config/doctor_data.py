"""The doctor's checks of database, rules and loops; they need settings."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from jiying.config.doctor import FAIL, OK, WARN, Check, Checking

OLDEST_POSTGRESQL = 15
CLOCK_S = 2.0
LAG_S, LAG_EVENTS = 10.0, 1000
STUCK = timedelta(hours=1)
SHOWN_GAPS = 5
HOW_TO_START = "is `jiying work` (or `serve`) running, and what does the log say?"


def database() -> Iterator[Check]:
    """Does it answer, how is it set, is it of the present form?"""
    if connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists():
        yield Check("database", FAIL, f"there is no {connection.settings_dict['NAME']} yet: run `jiying migrate`")
        return
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        why = str(error).strip().partition("\n")[0][:160]
        yield Check("database", FAIL, f"does not answer: {why}; is it running, is JIYING_DATABASE_URL right?")
        return
    yield from _sqlite() if connection.vendor == "sqlite" else _postgresql()
    yield _migrations()


def _asked(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


def _sqlite() -> Iterator[Check]:
    version = ".".join(map(str, connection.Database.sqlite_version_info))  # type: ignore[attr-defined]
    yield Check("database", OK, f"SQLite {version}, {connection.settings_dict['NAME']}")
    mode, synchronous = _asked("PRAGMA journal_mode"), _asked("PRAGMA synchronous")
    if mode != "wal":
        yield Check("sqlite", FAIL, f"journal_mode is {mode}, not wal: is the home on a network disk? Use a local one")
    elif synchronous != "2":
        yield Check("sqlite", FAIL, f"synchronous is {synchronous}, not 2 (FULL): an answered report could be lost")
    else:
        yield Check("sqlite", OK, "WAL, synchronous=FULL")


def _postgresql() -> Iterator[Check]:
    number = int(_asked("SHOW server_version_num"))
    major, told = number // 10_000, f"PostgreSQL {_asked('SHOW server_version').split()[0]}"
    if major < OLDEST_POSTGRESQL:
        yield Check("database", FAIL, f"{told}: {OLDEST_POSTGRESQL} or newer is needed")
    else:
        yield Check("database", OK, told)
    before = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    ours = before + (timezone.now() - before) / 2
    apart = abs((theirs - ours).total_seconds())
    if apart > CLOCK_S:
        yield Check("database_clock", WARN, f"{apart:.1f} s apart from this machine's: let NTP set both")
    else:
        yield Check("database_clock", OK, f"{apart:.2f} s apart")
    if (timeout := _asked("SHOW synchronous_commit")) == "off":
        yield Check("postgresql", FAIL, f"synchronous_commit is {timeout}: an answered report could be lost")


def _migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return Check("migrations", FAIL, f"{len(missing)} are missing: run `jiying migrate`")
    return Check("migrations", OK, "all in")


def district() -> Iterator[Check]:
    """Is there a district, and does it know its time?"""
    from jiying.estates.queries import the_district

    found = the_district()
    if found is None:
        yield Check("district", WARN, "there is none yet: enter one at /admin/, import divisions, or `jiying seed`")
        return
    name = found.timezone or "Asia/Shanghai"
    try:
        now = timezone.now().astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError):
        yield Check("district", FAIL, f"{found.name}: there is no time zone {name}; correct it at /admin/")
    else:
        yield Check("district", OK, f"{found.name}, {name}, where it is {now:%Y-%m-%d %H:%M}")


def rules() -> Iterator[Check]:
    """The rule pack that is in force today."""
    from jiying.rules import loading, packs
    from jiying.rules.faults import NoPack

    try:
        pack = packs.in_force(timezone.now())
    except NoPack as error:
        yield Check("rules", FAIL, str(error))
        return
    for faulty in packs.faulty_files():
        yield Check("rules_loaded", FAIL, f"a loaded pack cannot be read and is left out: {faulty.file}; load it again")
    for guess in loading.warnings_about(pack, timezone.localdate()):
        yield Check("holidays", WARN, guess)
    told = f"{pack.name} {pack.version}"
    soon = timezone.localdate() + timedelta(days=30)
    if pack.valid_to is not None and pack.valid_to <= soon:
        yield Check("rules", WARN, f"{told} ends on {pack.valid_to}: prepare the next one")
    elif not pack.official:
        yield Check("rules", WARN, f"{told} is an example that nobody has enacted: no figures by it are official")
    else:
        yield Check("rules", OK, told)


def packs_gone() -> Iterator[Check]:
    """Does every order have the rule pack that judges it?"""
    from django.db.models import Count

    from jiying.orders.models import Order
    from jiying.rules import packs

    known = {one.stamp for one in packs.all_packs()}
    for stamp, n in Order.objects.exclude(pack__in=known).values_list("pack").annotate(n=Count("*")).order_by("pack"):
        yield Check("rules_gone", FAIL, f"{n} orders are judged by {stamp}, which is not here: load it again")


def loops() -> Iterator[Check]:
    """Watcher and followers: do they keep up?"""
    from jiying.orders import followers, queries
    from jiying.orders.models import Order

    lag = queries.watcher_lag_s()
    if lag > LAG_S:
        yield Check("watcher", FAIL, f"{lag:.0f} s behind: {HOW_TO_START}")
    else:
        yield Check("watcher", OK, f"{lag:.1f} s behind")
    aside = Order.objects.filter(poisoned_until__isnull=False)
    if numbers := list(aside.values_list("number", flat=True)[:5]):
        yield Check("orders_set_aside", WARN, f"cannot be judged: {', '.join(numbers)}; the log says why")
    behind = {name: count for name, count in followers.lags().items() if count > LAG_EVENTS}
    if behind:
        told = ", ".join(f"{name} by {count}" for name, count in sorted(behind.items()))
        yield Check("followers", WARN, f"behind: {told} events; {HOW_TO_START}")
    else:
        yield Check("followers", OK, "keep up")


def signals() -> Iterator[Check]:
    """What wakes the other processes: does it carry?"""
    from jiying.core import signals
    from jiying.core.wires import CONNECT_S

    by = signals.carrier()
    if by == "process":
        yield Check("signals", OK, "within one process; several look every half second (Redis would wake them)")
        return
    try:
        with closing(signals.open_wire()) as subscriber, closing(signals.open_wire()) as publisher:
            list(subscriber.hear(0))
            publisher.send("doctor")
            told = "doctor" in subscriber.hear(CONNECT_S)
    except Exception as error:
        # Each driver has errors of its own; whichever it is, signals are not carried.
        told, why = False, f"{type(error).__name__}: "
    else:
        why = ""
    if told:
        yield Check("signals", OK, f"carried by {by}")
    else:
        hint = "set JIYING_REDIS_URL right, or unset it" if by == "redis" else "is a pooler in between?"
        yield Check("signals", WARN, f"{why}{by} carries none, so others look every half second: {hint}")


def jobs() -> Iterator[Check]:
    """Jobs in the background that nobody finishes."""
    from django_tasks_db.models import DBTaskResult

    before = timezone.now() - STUCK
    stuck = DBTaskResult.objects.filter(status="RUNNING", started_at__lt=before).count()
    waiting = DBTaskResult.objects.filter(status="READY", enqueued_at__lt=before).count()
    if stuck or waiting:
        yield Check("jobs", WARN, f"{stuck} running and {waiting} waiting for more than an hour: {HOW_TO_START}")
    else:
        yield Check("jobs", OK, "none stuck")


def outbox() -> Iterator[Check]:
    """What goes out of the house: set up readably, no channel stopped, nothing waiting for long."""
    from jiying.notices import setup
    from jiying.notices.queries import standing

    try:
        setup.read()
    except setup.BadSetup as error:
        yield Check("outbox", FAIL, f"{error.detail}; until it is put right the file before is in force, or none")
        return
    found = standing(timezone.now())
    if not any(one.ready for one in found):
        yield Check("outbox", OK, f"no {setup.FILE} in the home, or a demo: people are told in their inbox alone")
        return
    for one in found:
        if one.stopped is not None:
            yield Check("outbox", WARN, f"{one.name} is stopped, {one.waiting} wait: {one.stopped.reason}")
        elif one.overdue:
            yield Check("outbox", WARN, f"{one.name}: {one.overdue} overdue, {one.failed} failed today: {HOW_TO_START}")
        elif one.ready:
            yield Check("outbox", OK, f"{one.name}: {one.waiting} wait, {one.failed} failed today")


def rosters() -> Iterator[Check]:
    """The nights of the coming week for which a roster that is kept names nobody."""
    from jiying.estates.queries import nights_of
    from jiying.people.models import Organisation
    from jiying.people.rosters import gaps

    keeping = list(Organisation.objects.filter(night_duties__isnull=False).distinct().order_by("name"))
    found = []
    for district in sorted({one.district for one in keeping}):
        nights, now = nights_of(district), timezone.now()
        tonight = nights.of(now) or now.astimezone(nights.zone).date()
        found += gaps([one for one in keeping if one.district == district], nights, tonight)
    if found:
        named = [f"{gap.organisation.name} {gap.night} ({gap.duty})" for gap in found[:SHOWN_GAPS]]
        more = f" and {len(found) - SHOWN_GAPS} more" if len(found) > SHOWN_GAPS else ""
        yield Check("rosters", WARN, f"nobody on duty: {', '.join(named)}{more}; by day's rule everybody is told there")
    elif keeping:
        yield Check("rosters", OK, f"{len(keeping)} kept, no gap in the coming week")
    else:
        yield Check("rosters", OK, "none is kept: at night everybody is told, as by day")


def pools() -> Iterator[Check]:
    """Who may be sent: does one day have one answer?"""
    from jiying.dispatch.pools import overlapping

    found = [f"{one} / {other}" for one, other in overlapping()]
    if found:
        told = "; ".join(found[:SHOWN_GAPS])
        yield Check("pools", WARN, f"lines overlap, the later one counts: {told}; end one of them at /admin/")
    else:
        yield Check("pools", OK, "no two lines say different things about one day")


def surges() -> Iterator[Check]:
    """Does a surge run, and does anybody look whether it is over?"""
    from jiying.dispatch import outlooks
    from jiying.dispatch.models import Surge

    found, now = list(Surge.objects.filter(ended_at=None).order_by("district")), timezone.now()
    told = ", ".join(f"{one.district} since {one.began_at:%Y-%m-%d %H:%M} UTC" for one in found)
    blind = [one.district for one in found if outlooks.of(one.district, now) is None]
    if blind:
        yield Check("surges", WARN, f"{told}; nobody looks whether it is over in {', '.join(blind)}: {HOW_TO_START}")
    elif found:
        yield Check("surges", OK, f"{told}: see /centre/surge")
    else:
        yield Check("surges", OK, "none runs")


def storage() -> Iterator[Check]:
    """Where files of orders lie: writable?"""
    if isinstance(default_storage, FileSystemStorage) and not default_storage.base_location:
        return
    name = default_storage.save(f"doctor/{uuid.uuid4().hex}", ContentFile(b"jiying"))
    try:
        with default_storage.open(name) as file:
            whole = file.read() == b"jiying"
    finally:
        default_storage.delete(name)
    if whole:
        yield Check("storage", OK, "files can be written, read and deleted")
    else:
        yield Check("storage", FAIL, "a file came back changed: check the store")


def heads() -> Iterator[Check]:
    """The daily head, by which a missing order is noticed."""
    folder = settings.HOME / "heads"
    days = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    if not days:
        yield Check("heads", WARN, "no daily head yet: `jiying work` (or `serve`) writes one a day")
    elif date.fromisoformat(days[-1]) < timezone.localdate() - timedelta(days=2):
        yield Check("heads", WARN, f"the newest is of {days[-1]}: {HOW_TO_START}")
    else:
        yield Check("heads", OK, f"newest of {days[-1]}; copy them to another keeper")


def _answers() -> bool:
    if connection.vendor == "sqlite" and not Path(str(connection.settings_dict["NAME"])).exists():
        return False
    try:
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True


def _with_database(check: Checking) -> Checking:
    """Left out while the database is down or not of the present form: one finding says so already."""

    def checked() -> Iterator[Check]:
        if _answers() and _migrations().status == OK:
            yield from check()

    return checked


DATA: tuple[tuple[str, Checking], ...] = (
    ("database", database),
    ("rules", rules),
    ("district", _with_database(district)),
    ("rules_gone", _with_database(packs_gone)),
    ("loops", _with_database(loops)),
    ("signals", _with_database(signals)),
    ("jobs", _with_database(jobs)),
    ("outbox", _with_database(outbox)),
    ("rosters", _with_database(rosters)),
    ("pools", _with_database(pools)),
    ("surges", _with_database(surges)),
    ("storage", storage),
    ("heads", heads),
)
