"""What an operation takes and asks, in the words of OpenAPI."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jiying.orders.attachments import PURPOSES
from jiying.orders.verbs import KINDS, URGENCIES

_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same request with the same key is done once; kept 24 hours.",
}


def takes(body: type[BaseModel], *, keyed: bool = False) -> dict[str, Any]:
    """An operation's request body, as OpenAPI says it."""
    reference = {"$ref": f"#/components/schemas/{body.__name__}"}
    out: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/json": {"schema": reference}}}}
    return out | ({"parameters": [_KEY]} if keyed else {})


def takes_file() -> dict[str, Any]:
    """A multipart body with one photo, as OpenAPI says it."""
    fields = {
        "file": {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP; at most 20 MB."},
        "purpose": {"type": "string", "enum": list(PURPOSES), "default": "other"},
    }
    shape = {"type": "object", "required": ["file"], "properties": fields}
    body = {"required": True, "content": {"multipart/form-data": {"schema": shape}}}
    return {"requestBody": body, "parameters": [_KEY]}


def answers_picture() -> dict[str, Any]:
    """A JPEG as the answer, as OpenAPI says it."""
    picture = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    return {"responses": {200: {"description": "The photo", "content": picture}}, **asks("size")}


_QUERY: dict[str, tuple[dict[str, Any], str]] = {
    "state": ({"type": "string"}, "One or several, joined by commas; `open`: all that have not ended."),
    "kind": ({"type": "string", "enum": list(KINDS)}, ""),
    "urgency": ({"type": "string", "enum": list(URGENCIES)}, ""),
    "category": ({"type": "string"}, "Code."),
    "town": ({"type": "string"}, "Code."),
    "estate": ({"type": "string"}, "Code."),
    "company": ({"type": "string"}, "Unified social credit code."),
    "worker": ({"type": "string", "format": "uuid"}, ""),
    "q": ({"type": "string", "maxLength": 100}, "Words to look for."),
    "from": ({"type": "string"}, "RFC 3339, or a day of the district; included."),
    "to": ({"type": "string"}, "RFC 3339, or a day of the district; excluded."),
    "late": ({"type": "string"}, "Anything: only those whose next promise is past due."),
    "limit": ({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, ""),
    "cursor": ({"type": "string"}, "`next` of the page before."),
    "by": ({"type": "string", "enum": ["town", "committee", "company", "estate"], "default": "town"}, ""),
    "size": ({"type": "string", "enum": ["full", "small"], "default": "full"}, ""),
    "last4": ({"type": "string"}, "The last four digits of the reporter's telephone."),
    "X-Last4": ({"type": "string"}, "The same, kept out of addresses."),
}


def asks(*names: str, header: str = "") -> dict[str, Any]:
    """An operation's query parameters, as OpenAPI says it."""
    where = [("query", name) for name in names] + ([("header", header)] if header else [])
    parameters = []
    for place, name in where:
        kind, about = _QUERY[name]
        parameters.append({"in": place, "name": name, "required": False, "schema": kind, "description": about})
    return {"parameters": parameters}
