"""Who reported, sealed: names and telephones are read here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from jiying.core.crypto import keyed_hash, seal, unseal
from jiying.core.text import mask_name, mask_phone
from jiying.orders.models import Order, OrderText


def sealed(order_id: object, field: str, value: str) -> bytes:
    """A contact as it is stored; bound to its order and field."""
    return seal(value, context=f"order:{order_id}:{field}") if value else b""


def phone_key(phone: str) -> str:
    """By which a caller's orders are found, without storing the number in the clear."""
    return keyed_hash(phone, purpose="phone") if phone else ""


def _read(order: Order, field: str) -> str:
    text = getattr(order, "text", None)
    return _opened(order.pk, field, getattr(text, field) if text is not None else b"")


def _opened(order_id: object, field: str, blob: bytes | memoryview | None) -> str:
    return unseal(blob, context=f"order:{order_id}:{field}") if blob else ""


def phone_of(order: Order) -> str:
    """The reporter's telephone, E.164; empty where none was given or it was erased."""
    return _read(order, "phone")


def name_of(order: Order) -> str:
    return _read(order, "name")


def last4_of(order: Order) -> str:
    return phone_of(order)[-4:]


def said(texts: Mapping[str, str | None]) -> str:
    """What a report commits to: all that was said, in the order of the fields' names."""
    return "\n".join(texts.get(name) or "" for name in ("address", "description", "name", "phone", "unit"))


def said_of(order: Order) -> str:
    """The same from what is stored (CannotUnseal: a contact was changed or belongs elsewhere)."""
    text = order.text
    return said(
        {
            "address": text.address,
            "description": text.description,
            "name": name_of(order),
            "phone": phone_of(order),
            "unit": text.unit,
        }
    )


def masked(order: Order) -> dict[str, str]:
    """Name and telephone as everyone in scope sees them: 3-4-4, surname only."""
    return {"name": mask_name(name_of(order)), "phone": mask_phone(phone_of(order))}


def masked_of(order_id: object, name: bytes | memoryview | None, phone: bytes | memoryview | None) -> dict[str, str]:
    """The same from the sealed columns, for long lists."""
    return {
        "name": mask_name(_opened(order_id, "name", name)),
        "phone": mask_phone(_opened(order_id, "phone", phone)),
    }


def orders_of_phone(phone: str) -> list[OrderText]:
    """The texts of the orders reported from a telephone (E.164), newest first, at most 20."""
    rows = OrderText.objects.filter(phone_hash=phone_key(phone)).select_related("order", "order__estate")
    return list(rows.order_by("-order__reported_at")[:20])
