"""Kill whatever runs, again and again, under load; then look whether anything is lost, doubled or out of true.

    python -m tests.soak [--kills 100] [--database postgresql|sqlite] [--seed N]

`jiying web`, `live` and `work` on a database of their own; with PostgreSQL also a cluster and a Redis of their own,
which are killed like the rest.  Clients report and urge over REST and repeat with the same Idempotency-Key until they
are answered; one page listens and comes back with its last event.  Prints one JSON object; exit code 1 when something
is wrong, which then stands under `wrong`.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.served import environment, free_port, jiying, until

CLIENTS = 3
UP_WITHIN_S = 90.0
CALLED_WITHIN_S = 400
"""Calls came in up to so long ago: their orders' steps fall due while the soak runs."""
MARGIN_S = 5.0
FOLLOWED = 50
"""Events that a follower may be behind when everything is looked at."""
REST_WITHIN_S = 180.0
POSTGRES = "/usr/lib/postgresql"


class Server:
    """Something that is started, killed and started again on the same port."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path, port: int, **how: Any) -> None:
        self.name, self.command, self.env, self.port, self.how = name, command, env, port, how
        self.log = log.open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections (`work` has no port: until it has said its line)."""
        before = Path(self.log.name).stat().st_size
        self.process = subprocess.Popen(self.command, env=self.env, stdout=self.log, stderr=self.log, **self.how)
        process = self.process

        def up() -> bool:
            assert process.poll() is None, f"{self.name} ended: {Path(self.log.name).read_text()[-2000:]}"
            if not self.port:
                return b"at work" in Path(self.log.name).read_bytes()[before:]
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(f"{self.name} is up", up, UP_WITHIN_S)

    def kill(self) -> None:
        """`kill -9`, it and what it started."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it politely."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        self.log.close()


class Postgres(Server):
    """A cluster of its own.  Its children notice that their postmaster is gone and end, which takes a moment."""

    def __init__(self, folder: Path, log: Path) -> None:
        version = max(Path(POSTGRES).iterdir(), key=lambda path: int(path.name))
        self.data, port = folder / "pgdata", free_port()
        self.data.mkdir()
        how: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            how |= {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.data, "postgres", "postgres")
            folder.chmod(0o755)
        words = ["-D", str(self.data), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run([str(version / "bin" / "initdb"), *words], check=True, capture_output=True, **how)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=64MB"
        command = [str(version / "bin" / "postgres"), "-D", str(self.data), *options.split()]
        super().__init__("postgres", command, {**os.environ}, log, port, **how)
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        # Until the last child of the one that was killed is gone, another refuses to start.
        until("the old one is gone", self._gone, UP_WITHIN_S)
        super().start()

    def _gone(self) -> bool:
        mine = str(self.data)
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (folder / "cwd").readlink() == Path(mine):
                    return False
        return True


class Client(threading.Thread):
    """Reports and urges, and does not give up before each was answered."""

    def __init__(self, soak: Soak, number: int) -> None:
        super().__init__(daemon=True)
        self.soak, self.random = soak, random.Random(soak.seed * 1000 + number)
        self.orders: dict[str, str] = {}
        self.urged: set[tuple[str, str]] = set()
        self.statuses: collections.Counter[int] = collections.Counter()
        self.tries = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.soak.enough.is_set():
            self._one()

    def _one(self) -> None:
        key, called = uuid.uuid4().hex, datetime.now(UTC) - timedelta(seconds=self.random.uniform(1, CALLED_WITHIN_S))
        body = {
            "kind": "repair",
            "category": "leak",
            "description": "厨房水管漏水",
            "estate": self.random.choice(self.soak.estates),
            "called_at": called.isoformat(),
            "reporter": {"phone": f"138{self.random.randrange(10**8):08}"},
        }
        order = self._until_answered("/api/v1/orders", body, key)
        if order is None:
            return
        self.orders[key] = order["id"]
        key, urge = uuid.uuid4().hex, {"version": order["version"], "data": {"text": "催"}}
        if self._until_answered(f"/api/v1/orders/{order['id']}/actions/urge", urge, key) is not None:
            self.urged.add((order["id"], key))

    def _until_answered(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        while True:
            self.tries += 1
            try:
                status, said = self.soak.ask("POST", path, body, key)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
                continue
            self.statuses[status] += 1
            if status in (200, 201):
                return said
            if status < 500:
                self.wrong.append(f"{path} was answered {status}: {said}")
                return None
            time.sleep(0.05)


class Page(threading.Thread):
    """A page that listens, and comes back with its last event when the stream ends."""

    def __init__(self, soak: Soak) -> None:
        super().__init__(daemon=True)
        self.soak, self.last = soak, ""
        self.heard: collections.Counter[tuple[str, int]] = collections.Counter()
        self.opened = self.resets = 0

    def run(self) -> None:
        while not self.soak.over.is_set():
            with suppress(OSError, http.client.HTTPException, ValueError):
                self._listen()
            time.sleep(0.05)

    def _listen(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.soak.live.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.soak.token}"} | ({"Last-Event-ID": self.last} if self.last else {})
        connection.request("GET", "/live/events", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            return
        self.opened += 1
        kind = ""
        for line in answer:
            name, _colon, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                kind = value
                self.resets += kind == "reset"
            elif name == "data" and kind == "order":
                told = json.loads(value)
                self.heard[told["order"], told["version"]] += 1


STEPS = """
import collections, json, sys
from datetime import datetime
import django
django.setup()
from django.db.models import Count
from jiying.notices.models import Notice
from jiying.orders import ladder, store
from jiying.orders.models import Order
began, until = map(datetime.fromisoformat, sys.argv[1:])
watched = {"warn", "breach", "escalate"}
doubled, missing, late, events = [], [], 0.0, {}
for order in Order.objects.all():
    ledger = store.load(order)
    fired = [moment for moment in ledger.moments if moment.verb in watched]
    keys = collections.Counter(ladder.key_of(moment.verb, moment.data) for moment in fired)
    doubled += [f"{order.number} {key}" for key, count in keys.items() if count > 1]
    missing += [f"{order.number} {step.key}" for step in ladder.pending(ledger) if step.due_at <= until]
    for moment in fired:
        # What was due before the call came in is late from its receipt on.
        due = max(datetime.fromisoformat(moment.data["due_at"]), ledger.moments[0].received_at)
        late = max(late, (moment.at - due).total_seconds())
    if ledger.moments[0].received_at >= began:
        events[str(order.pk)] = [moment.verb for moment in ledger.moments]
twice = Notice.objects.values("user", "event", "kind").order_by().annotate(n=Count("pk")).filter(n__gt=1)
print(json.dumps({"doubled": doubled, "missing": missing, "late_s": late, "events": events,
                  "notices": Notice.objects.count(), "notices_doubled": twice.count()}))
"""


class Soak:
    """One run."""

    def __init__(self, folder: Path, database: str, seed: int) -> None:
        self.folder, self.seed, self.random = folder, seed, random.Random(seed)
        self.enough, self.over = threading.Event(), threading.Event()
        self.home = folder / "home"
        self.env: dict[str, str] = {}
        self.beside: list[Server] = []
        self.ready: dict[str, Any] = {}
        if database == "postgresql":
            postgres, port = Postgres(folder, folder / "postgres.log"), free_port()
            command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
            redis = Server("redis", command, {**os.environ}, folder / "redis.log", port)
            self.beside = [postgres, redis]
            self.env = {"JIYING_DATABASE_URL": postgres.url, "JIYING_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        for server in self.beside:
            server.start()
        self._command("migrate")
        self._command("seed", *["--estates", "36", "--workers", "60", "--days", "1", "--orders", "0"])
        self.token = self._command("token", "demo-operator").strip()
        self.web, self.live = self._part("web", free_port()), self._part("live", free_port())
        self.work = self._part("work", 0)
        for server in (self.web, self.live, self.work):
            server.start()
        self.estates = [row["code"] for row in self.ask("GET", "/api/v1/estates?limit=30")[1]["items"]]

    def _command(self, *words: str) -> str:
        done = jiying(self.home, *words, **self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _part(self, name: str, port: int) -> Server:
        words = [name, "--port", str(port)] if port else [name]
        command = [sys.executable, "-m", "jiying", *words]
        return Server(name, command, environment(self.home, **self.env), self.folder / f"{name}.log", port)

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """A request to `web` as an operator: status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            headers |= {"Idempotency-Key": key} if key else {}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def run(self, kills: int) -> dict[str, Any]:
        """Kill so often under load, let it come to rest, and look."""
        began, since = time.monotonic(), datetime.now(UTC)
        clients, page = [Client(self, number) for number in range(CLIENTS)], Page(self)
        for thread in (page, *clients):
            thread.start()
        killed: collections.Counter[str] = collections.Counter()
        for victim in self._victims(kills):
            time.sleep(self.random.uniform(0.2, 1.5))
            victim.kill()
            killed[victim.name] += 1
            time.sleep(self.random.uniform(0, 0.7))
            victim.start()
        # The load goes on for a moment after the last one came back.
        time.sleep(1)
        self.enough.set()
        for client in clients:
            client.join(UP_WITHIN_S)
        try:
            until("at rest", self._at_rest, REST_WITHIN_S)
        except AssertionError:
            raise AssertionError(f"watcher and followers do not catch up: {self.ready}") from None
        now = datetime.now(UTC) - timedelta(seconds=MARGIN_S)
        told = self._look(clients, page, since, now)
        return {"kills": dict(killed), **told, "seconds": round(time.monotonic() - began, 1)}

    def _victims(self, kills: int) -> list[Server]:
        """Each once at first, in any order; then at random, the program's own parts more often."""
        parts = [self.web, self.live, self.work]
        first = self.random.sample([*parts, *self.beside], k=len(parts) + len(self.beside))
        return (first + self.random.choices(parts * 3 + self.beside, k=max(0, kills - len(first))))[:kills]

    def _at_rest(self) -> bool:
        """Steps go on falling due, so that neither is ever quite at the end."""
        with suppress(OSError, http.client.HTTPException):
            status, self.ready = self.ask("GET", "/readyz")
            followed = max(self.ready["followers"].values(), default=0)
            return status == 200 and self.ready["watcher_lag_s"] < MARGIN_S / 2 and followed < FOLLOWED
        return False

    def _look(self, clients: list[Client], page: Page, since: datetime, now: datetime) -> dict[str, Any]:
        wrong = [sentence for client in clients for sentence in client.wrong]
        run = [sys.executable, "-c", STEPS, since.isoformat(), now.isoformat()]
        env = environment(self.home, DJANGO_SETTINGS_MODULE="jiying.config.settings", **self.env)
        done = subprocess.run(run, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        steps = json.loads(done.stdout)
        wrong += [f"fired twice: {step}" for step in steps["doubled"]]
        wrong += [f"never fired: {step}" for step in steps["missing"]]
        wrong += [f"{steps['notices_doubled']} notices came twice"] if steps["notices_doubled"] else []
        kept = {key: order for client in clients for key, order in client.orders.items()}
        wrong += [f"acknowledged and lost: {order}" for order in kept.values() if order not in steps["events"]]
        if len(set(kept.values())) != len(kept) or len(steps["events"]) != len(kept):
            wrong.append(f"{len(kept)} keys made {len(steps['events'])} orders")
        for order, _key in (urge for client in clients for urge in client.urged):
            if steps["events"].get(order, []).count("urge") != 1:
                wrong.append(f"urged once, written {steps['events'].get(order, []).count('urge')} times: {order}")
        every = {(order, n) for order, verbs in steps["events"].items() for n in range(1, len(verbs) + 1)}
        with suppress(AssertionError):
            until("the page has heard everything", lambda: every <= page.heard.keys() or page.resets > 0, 20)
        self.over.set()
        if not page.resets:
            wrong += [f"the page never heard {order} {n}" for order, n in sorted(every - page.heard.keys())[:5]]
        chain = json.loads(jiying(self.home, "verify-chain", "--json", **self.env).stdout)
        wrong += [f"broken: {each}" for each in chain["broken"]]
        figures = json.loads(jiying(self.home, "figures", "check", "--json", **self.env).stdout)
        wrong += [f"figures differ: {each}" for each in figures["differences"]]
        statuses = sum((client.statuses for client in clients), collections.Counter[int]())
        return {
            "orders": len(kept),
            "urges": sum(len(client.urged) for client in clients),
            "events": len(every),
            "notices": steps["notices"],
            "tries": sum(client.tries for client in clients),
            "statuses": {str(status): count for status, count in sorted(statuses.items())},
            "latest_step_s": round(steps["late_s"], 2),
            "streams_opened": page.opened,
            "told_again": sum(count - 1 for count in page.heard.values()),
            "resets": page.resets,
            "wrong": wrong,
        }

    def close(self) -> None:
        """End everything that runs."""
        self.enough.set()
        self.over.set()
        for server in (*(getattr(self, name, None) for name in ("web", "live", "work")), *reversed(self.beside)):
            if server is not None:
                server.stop()


def soak(kills: int, database: str, seed: int) -> dict[str, Any]:
    """One run in a folder of its own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="jiying-soak-"))
    run: Soak | None = None
    try:
        run = Soak(folder, database, seed)
        return run.run(kills)
    finally:
        if run is not None:
            run.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    options.add_argument("--seed", type=int, default=int(time.time()))
    wanted = options.parse_args()
    # Also when it is ended from outside, what it started ends with it.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: sys.exit(2))
    told = {"seed": wanted.seed, **soak(wanted.kills, wanted.database, wanted.seed)}
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    sys.exit(1 if told["wrong"] else 0)


if __name__ == "__main__":
    main()
