"""`/readyz`: whether this installation can do its work, and how far behind its loops are."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from jiying.core import signals
from jiying.orders import followers, queries


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and every migration is in, else 503."""
    state: dict[str, Any] = {"database": "fail", "migrations": "unknown", "watcher_lag_s": None, "followers": {}}
    try:
        connection.ensure_connection()
        state["database"] = "ok"
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        state["migrations"] = "missing" if missing else "ok"
        if not missing:
            state["watcher_lag_s"] = round(queries.watcher_lag_s(), 1)
            state["followers"] = followers.lags()
        state["signals"] = signals.standing()
    except DatabaseError:
        pass
    ready = state["database"] == "ok" and state["migrations"] == "ok"
    return JsonResponse(state, status=200 if ready else 503)
