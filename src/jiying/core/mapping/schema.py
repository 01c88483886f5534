"""The shape of a mapping file, as JSON Schema; what it means is told in `language`."""

from __future__ import annotations

from typing import Any

_NAME: dict[str, Any] = {"type": "string", "minLength": 1}
_NAMES: dict[str, Any] = {"type": "array", "items": _NAME, "minItems": 1}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_POSITIVE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}

_COLUMN: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["from"],
    "properties": {
        "from": {"anyOf": [_NAME, _NAMES]},
        "join": {"type": "string"},
        "else": {
            "anyOf": [_NAME, {"type": "array", "items": {"anyOf": [_NAME, _NAMES]}, "minItems": 1}],
        },
        "required": {"type": "boolean"},
        "format": {"anyOf": [_NAME, _NAMES]},
        "empty": _TEXTS,
        "reject": _TEXTS,
        "trim_end": _NAME,
        "table": _NAME,
        "split": _NAME,
        "digest": {"type": "integer", "minimum": 6, "maximum": 32},
    },
}

_WITHIN: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["box"],
    "properties": {
        "box": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
        "outside": {"enum": ["reject", "drop"]},
    },
}

_DISTRICT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "name"],
    "properties": {
        "code": {"type": "string", "minLength": 1, "maxLength": 20},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "name_en": {"type": "string", "maxLength": 80},
    },
}

_TABLE: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "anyOf": [
            {"type": "string"},
            {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
        ]
    },
}

_STAFF: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "workers_per_100_orders": _POSITIVE,
        "shifts": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "skills_from": _NAME,
        "cap_km": _POSITIVE,
        "speed_kmh": _POSITIVE,
        "travel_overhead_min": {"type": "number", "minimum": 0},
        "service_min": {"type": "object", "additionalProperties": _POSITIVE},
    },
}

MAPPING: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "timezone", "columns"],
    "properties": {
        "version": {"const": 1},
        "kind": {"enum": ["divisions", "companies", "estates", "workers", "orders"]},
        "source": {"type": "string", "minLength": 1, "maxLength": 40},
        "within": _WITHIN,
        "district": _DISTRICT,
        "create": {"type": "array", "items": {"enum": ["towns"]}},
        "nearest_town_km": _POSITIVE,
        "timezone": _NAME,
        "crs": {"enum": ["WGS-84", "GCJ-02", "CGCS2000"]},
        "calendar": {"enum": ["none", "CN"]},
        "encoding": {"enum": ["auto", "utf-8", "gb18030"]},
        "columns": {"type": "object", "minProperties": 1, "additionalProperties": _COLUMN},
        "defaults": {"type": "object", "additionalProperties": {"type": "string"}},
        "tables": {"type": "object", "additionalProperties": _TABLE},
        "staff": _STAFF,
    },
}
