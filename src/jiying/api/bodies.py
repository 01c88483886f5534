"""Request bodies and headers: read once, here, before anything is done with them.

Types are not checked by a schema: intake and the verbs check every field themselves, in the asker's language,
so there is one place that says what is valid.  Unknown members are ignored.
"""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiying.api.problems import BadJson
from jiying.core.errors import BadInput
from jiying.orders import idempotency

MAX_DEPTH = 20


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of the body; an empty body counts as `{}`.

    Raises:
        BadJson: no UTF-8, no JSON, halves of surrogate pairs, nested deeper than 20.
        BadInput: `invalid`: JSON, but no object.
    """
    raw = request.body
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
        # A lone surrogate is valid as an escape and can be stored nowhere.
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise BadJson(_("请求体不是可读的 JSON（UTF-8）。")) from error
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and not _shallow(value):
        raise BadJson(_("请求体嵌套太深。"))
    if not isinstance(value, dict):
        raise BadInput.of("", "invalid", _("请求体应是一个 JSON 对象。"))
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _shallow(value: Any) -> bool:
    """Whether nothing in `value` is nested deeper than `MAX_DEPTH`; level by level, so that depth costs no stack."""
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return not any(isinstance(value, dict | list) for value in level)


def key_of(request: HttpRequest) -> str:
    """The `Idempotency-Key`; empty when the header is absent.

    Raises:
        BadInput: `bad_key`: the header is there and unusable, which silently meaning "none" would be a trap.
    """
    key = request.headers.get("Idempotency-Key")
    return "" if key is None else idempotency.checked(key.strip())


def object_at(body: dict[str, Any], field: str) -> dict[str, Any]:
    """A member that is an object; `{}` when absent or null (BadInput `invalid`)."""
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput.of(field, "invalid", _("这里应是一个 JSON 对象。"))
    return value


def version_of(body: dict[str, Any]) -> int:
    """The `version` the asker saw (BadInput `required`, `invalid`)."""
    version = body.get("version")
    if version is None:
        raise BadInput.of("version", "required", _("请带上您看到的工单版本 version。"))
    if isinstance(version, bool) or not isinstance(version, int):
        raise BadInput.of("version", "invalid", _("version 应为整数。"))
    return version
