"""The daily head over all orders: without it a whole order could vanish and leave no trace.

Every day one file `heads/DAY.json` is written under JIYING_HOME: how many orders there are, and SM3 over
`order:version:hash` of each, by id; and the same of the audit's rows.  Files are meant to be copied away, to
somewhere the database's keeper does not write.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from django.conf import settings

from jiying.core.crypto import sm3_hex
from jiying.orders.models import Order
from jiying.people import audit


def head() -> tuple[int, str]:
    """How many orders there are, and the head over them."""
    rows = Order.objects.order_by("pk").values_list("pk", "version", "head")
    lines = [f"{pk}:{version}:{digest}" for pk, version, digest in rows.iterator(chunk_size=5000)]
    return len(lines), sm3_hex("\n".join(lines).encode())


def tell_withdrawn(import_id: object, orders: int, digest: str) -> Path:
    """Say beside the daily heads which import was taken out again, with how many orders and the head over them."""
    folder = Path(settings.HOME) / "heads"
    folder.mkdir(exist_ok=True)
    path = folder / f"withdrawn-{import_id}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"import": str(import_id), "orders": orders, "head": digest}) + "\n")
    fresh.replace(path)
    return path


def export(day: date) -> Path | None:
    """Write the head of `day` unless it was written before; returns the new file."""
    folder = Path(settings.HOME) / "heads"
    path = folder / f"{day.isoformat()}.json"
    if path.exists():
        return None
    orders, digest = head()
    rows, audited = audit.head()
    said = {"day": day.isoformat(), "orders": orders, "head": digest, "audit": rows, "audit_head": audited}
    folder.mkdir(exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(said) + "\n")
    fresh.replace(path)
    return path
