"""Other systems, told by a signed POST.  Redirects are not followed; private addresses are refused."""

from __future__ import annotations

import json
import time
from typing import Any

from jiying.notices import posting
from jiying.notices.channels import Parcel, register


def send(parcel: Parcel, hooks: list[dict[str, Any]], *, private: bool) -> None:
    """Post the facts as JSON; `X-Jiying-Signature` is `t=SECONDS,v1=HMAC-SHA256(secret, "SECONDS.BODY")`.

    Raises:
        NotSent, Unsure: as `posting.post`; final where the hook is not configured any more.
    """
    hook = next((one for one in hooks if f"hook:{one['name']}" == parcel.to), None)
    if hook is None:
        raise posting.gone(parcel.to)
    body = json.dumps({"id": parcel.id, **parcel.data}, ensure_ascii=False).encode()
    headers = {"Idempotency-Key": parcel.id, **posting.signature(hook["secret"], body, int(time.time()))}
    posting.post(hook["url"], body, headers, timeout_s=10, private=private)


register("webhook", send)
