"""How the tests call the interface: clients that speak JSON, and a report as a resident sends it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.test import Client

from jiying.people.actions import issue_token
from jiying.people.models import User


class Api:
    """A caller with a bearer token, or a stranger."""

    def __init__(self, user: User | None = None, *, address: str = "127.0.0.1", language: str = "") -> None:
        headers = {"Authorization": f"Bearer {issue_token(user)[0]}"} if user else {}
        if language:
            headers["Accept-Language"] = language
        self._client = Client(headers=headers, REMOTE_ADDR=address)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1{path}", query)

    def post(self, path: str, body: Any = None, *, key: str = "", raw: bytes | None = None, **headers: str) -> Any:
        content = json.dumps(body if body is not None else {}).encode() if raw is None else raw
        if key:
            headers["Idempotency-Key"] = key
        return self._client.post(f"/api/v1{path}", content, content_type="application/json", headers=headers)

    def act(self, order: Any, verb: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        """Say `verb`, having seen the order as it is."""
        order.refresh_from_db()
        return self.post(f"/orders/{order.pk}/actions/{verb}", {"version": order.version, "data": data or {}, **more})


def leak(**fields: Any) -> dict[str, Any]:
    """A report as a resident's page would send it."""
    return {"kind": "repair", "category": "leak", "description": "厨房水管爆了", "estate": "E1", **fields}


def fresh_key() -> str:
    return str(uuid.uuid4())
