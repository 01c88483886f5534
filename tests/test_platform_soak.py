"""The short form of `make soak`: each process killed once under load; a full disk; nothing is lost or doubled."""

from __future__ import annotations

import json
import resource
import shutil
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.soak import soak

ROOM = 256 * 1024
"""Bytes: no file of the database may grow beyond, as on a disk that is full."""


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
@pytest.mark.timeout(900)
def test_web_live_work_postgresql_and_redis_are_killed_under_load_and_nothing_is_lost_or_doubled():
    told = soak(5, "postgresql", 1)
    assert told["kills"] == {"web": 1, "live": 1, "work": 1, "postgres": 1, "redis": 1}
    assert told["wrong"] == []
    assert told["orders"] > 5 and told["urges"] > 5
    assert told["tries"] > told["orders"] + told["urges"], "some had to ask again"


@pytest.mark.timeout(900)
def test_on_sqlite_web_live_and_work_are_killed_under_load_and_nothing_is_lost_or_doubled():
    told = soak(3, "sqlite", 2)
    assert told["kills"] == {"web": 1, "live": 1, "work": 1}
    assert told["wrong"] == []
    assert told["orders"] > 5 and told["urges"] > 5


def post(url: str, estate: str, key: str) -> tuple[int, dict[str, Any]]:
    body = {"kind": "repair", "category": "leak", "description": "厨房水管漏水" * 300, "estate": estate}
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    asked = urllib.request.Request(f"{url}/api/v1/orders", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_full_disk_refuses_orders_plainly_and_they_come_in_again_when_there_is_room(
    serve,
    _seeded: Path,  # noqa: PT019
    tmp_path: Path,
):
    home = tmp_path / "home"
    shutil.copytree(_seeded, home)
    served = serve(home)
    estate = served.get("/api/v1/estates")[1]["items"][0]["code"]
    pid, unlimited = served.process.pid, resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM, unlimited))
    kept, refused = [], None
    for _ in range(500):
        key = uuid.uuid4().hex
        status, said = post(served.url, estate, key)
        if status != 201:
            refused = key, status, said
            break
        kept.append(said["id"])
    assert refused is not None, "the disk was full at some time"
    key, status, said = refused
    assert (status, said["code"]) == (503, "busy")
    assert "Idempotency-Key" in said["detail"]
    assert served.get("/healthz")[0] == 200
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    status, said = post(served.url, estate, key)
    assert status in (200, 201)
    kept.append(said["id"])
    assert served.get("/readyz")[0] == 200
    assert served.stop() == 0
    chain = json.loads(served.run("verify-chain", "--json").stdout)
    assert chain["broken"] == []
    for order in kept:
        assert served.run("events", order).returncode == 0
    assert json.loads(served.run("figures", "check", "--json").stdout)["different"] == 0
