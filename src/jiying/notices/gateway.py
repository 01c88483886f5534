"""HTTP gateways for text messages and calls: the body is a template of `notices.yaml`."""

from __future__ import annotations

import json
import time
from typing import Any

from jiying.notices import posting
from jiying.notices.channels import Parcel

TIMEOUT_S = 10.0


def repeatable(settings: dict[str, Any]) -> bool:
    """Whether the gateway drops an id that it has had."""
    return bool(settings.get("idempotent", True))


def send(parcel: Parcel, settings: dict[str, Any], *, private: bool) -> None:
    """Post one message.  A gateway is the installation's own choice and may stand beside it.

    Raises:
        NotSent, Unsure: as `posting.post`.
    """
    body = json.dumps(_filled(settings["body"], parcel), ensure_ascii=False).encode()
    headers = {"Idempotency-Key": parcel.id, **settings.get("headers", {})}
    if secret := settings.get("secret"):
        headers |= posting.signature(secret, body, int(time.time()))
    posting.post(settings["url"], body, headers, timeout_s=settings.get("timeout_s", TIMEOUT_S), private=True)


def _filled(value: Any, parcel: Parcel) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, parcel) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, parcel) for one in value]
    if isinstance(value, str):
        for name, said in (("id", parcel.id), ("phone", parcel.to), ("callback", parcel.callback)):
            value = value.replace(f"{{{name}}}", said)
        return value.replace("{text}", parcel.text)
    return value
