"""What a pack's file looks like: the JSON schema, and its complaints put into words.

The schema knows one line at a time; what lines say about each other is in `checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from jiying.rules.faults import Fault
from jiying.rules.marks import Marked
from jiying.rules.pack import (
    ANSWER,
    AUDIENCES,
    ESTATE_TYPES,
    KINDS,
    MILESTONES,
    PARTS,
    PHOTOS,
    SKILLS,
    UNITS,
    URGENCIES,
)

Json = dict[str, Any]

LONGEST_QUOTE = 120
TEN_YEARS_MIN = 10 * 366 * 1440
SILENCE_STATES = {"verify": "done", "close": "verified"}
"""The verbs silence may say, each with the only state from which it leads on."""


def _one_of(values: tuple[str, ...], code: str) -> Json:
    return {"enum": list(values), "x-code": code}


def _some_of(values: tuple[str, ...], code: str) -> Json:
    return {"type": "array", "minItems": 1, "uniqueItems": True, "items": _one_of(values, code)}


def _whole(low: int, high: int) -> Json:
    return {"type": "integer", "minimum": low, "maximum": high}


_MINUTES = _whole(0, TEN_YEARS_MIN)
_CODE: Json = {"type": "string", "pattern": r"^[a-z][a-z0-9_.]*\Z", "maxLength": 64}
_TEXT: Json = {"type": "string", "pattern": r"\S", "maxLength": 500}
_DIVISION: Json = {"type": "string", "pattern": r"^\S{1,20}\Z"}
_FLAG: Json = {"type": "boolean"}
_NAMES: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["zh", "en"],
    "properties": {"zh": _TEXT, "en": _TEXT},
}
_WHEN: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "kinds": _some_of(KINDS, "unknown_kind"),
        "urgencies": _some_of(URGENCIES, "unknown_urgency"),
        "categories": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _CODE},
        "between_neighbours": _FLAG,
        "parts": _some_of(PARTS, "unknown_part"),
        "drawn": _FLAG,
        "approved": _FLAG,
        "estate_types": _some_of(ESTATE_TYPES, "unknown_estate_type"),
        "towns": {"type": "array", "minItems": 1, "uniqueItems": True, "items": _DIVISION},
    },
}


def _line(required: Json, optional: Json | None = None) -> Json:
    """A line of the pack: these keys, and where it comes from or that it is assumed."""
    origin = {"source": _TEXT, "assumption": _FLAG}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {**required, **(optional or {}), **origin},
        "anyOf": [
            {"required": ["source"]},
            {"required": ["assumption"], "properties": {"assumption": {"const": True}}},
        ],
    }


def _lines(required: Json, optional: Json | None = None, least: int = 0) -> Json:
    return {"type": "array", "minItems": least, "items": _line(required, optional)}


_DAYS: Json = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}
_CALENDAR: Json = {
    **_line(
        {"hours": {"type": "array", "minItems": 1, "items": {"type": "string"}}},
        {
            "holidays": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["off", "work"],
                    "properties": {"off": _DAYS, "work": _DAYS},
                },
            }
        },
    ),
    "type": ["object", "null"],
}
_CATEGORY: Json = {
    "code": _CODE,
    "names": _NAMES,
    "sign": _CODE,
    "kind": _one_of(KINDS, "unknown_kind"),
    "default_urgency": _one_of(URGENCIES, "unknown_urgency"),
    "part": _one_of(PARTS, "unknown_part"),
    "skill": _one_of(SKILLS, "unknown_skill"),
}
_PROMISE: Json = {
    "id": _CODE,
    "promise": _CODE,
    "when": _WHEN,
    "from": _one_of(MILESTONES, "unknown_milestone"),
    "to": _one_of((*MILESTONES, ANSWER), "unknown_milestone"),
    "limit": {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount", "unit"],
        "properties": {"amount": _whole(1, TEN_YEARS_MIN), "unit": _one_of(UNITS, "unknown_unit")},
    },
    "pausable": _FLAG,
    "rounds": _FLAG,
}
_STEP: Json = {
    "step": _CODE,
    "promise": _CODE,
    "after_min": _MINUTES,
    "tells": _some_of(AUDIENCES, "unknown_audience"),
    "names": _NAMES,
}
_SILENCE: Json = {
    "id": _CODE,
    "verb": _one_of(tuple(SILENCE_STATES), "unknown_verb"),
    "from_state": _one_of(tuple(SILENCE_STATES.values()), "unknown_state"),
    "after_min": _whole(1, TEN_YEARS_MIN),
    "names": _NAMES,
}
_EXPLANATION: Json = {
    "promise": _CODE,
    "within_min": _MINUTES,
    "new_time_min": _whole(1, TEN_YEARS_MIN),
    "on_the_way_min": _whole(1, TEN_YEARS_MIN),
}
_KEYWORD: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["weight"],
    "properties": {
        "category": _CODE,
        "urgency": _one_of(URGENCIES, "unknown_urgency"),
        "weight": _whole(1, 9),
    },
}
_TOP: Json = {
    "name": _CODE,
    "version": {"type": "string", "pattern": r"^[0-9A-Za-z][0-9A-Za-z.\-]*\Z", "maxLength": 32},
    "official": _FLAG,
    "label": _NAMES,
    "valid_from": {"type": "string"},
    "sources": {"type": "array", "items": _TEXT},
    "promise_names": {"type": "object", "minProperties": 1, "additionalProperties": _NAMES},
    "categories": _lines(
        _CATEGORY,
        {
            "between_neighbours": _FLAG,
            "approval": _FLAG,
            "safety": _NAMES,
            "photos": _one_of(PHOTOS, "unknown_photos"),
        },
        least=1,
    ),
    "promises": _lines(_PROMISE, {"warn_before_min": _whole(1, TEN_YEARS_MIN)}, least=1),
    "ladder": _lines(_STEP, {"unless": _one_of(MILESTONES, "unknown_milestone")}),
    "silence": _lines(_SILENCE),
    "follow_up": _line({"always": {"type": "array", "items": _WHEN}, "share_percent": _whole(0, 100)}),
    "pauses": _lines({"code": _CODE, "names": _NAMES, "max_min": _whole(1, TEN_YEARS_MIN)}),
}
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Jiying rule pack",
    "type": "object",
    "additionalProperties": False,
    "required": list(_TOP),
    "properties": {
        **_TOP,
        "district": {"type": ["string", "null"], "pattern": r"^[0-9]{6}\Z"},
        "valid_to": {"type": ["string", "null"]},
        "calendar": _CALENDAR,
        "claimed_after_min": _MINUTES,
        "typing_mark_min": _MINUTES,
        "explanations": _lines(_EXPLANATION),
        "keywords": _line({"words": {"type": "object", "additionalProperties": _KEYWORD}}),
    },
}

_VALIDATOR = Draft202012Validator(SCHEMA)


def shape_faults(marked: Marked) -> list[Fault]:
    """Every line that does not look as the schema wants it; empty when the shape is right.

    Codes: unknown_key, missing_key, missing_source, wrong_type, out_of_range, bad_text, repeated, too_few,
    and unknown_milestone, unknown_unit, unknown_audience, unknown_kind and their like for words outside
    their list.
    """
    return [fault for error in _VALIDATOR.iter_errors(marked.document) for fault in _in_words(error, marked)]


_CODES = {
    "required": "missing_key",
    "type": "wrong_type",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
    "pattern": "bad_text",
    "maxLength": "bad_text",
    "uniqueItems": "repeated",
    "minItems": "too_few",
    "minProperties": "too_few",
}


def _in_words(error: ValidationError, marked: Marked) -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    line = marked.line(*path)
    where = ".".join(str(part) for part in path) or "the pack"
    schema: Json = error.schema if isinstance(error.schema, dict) else {}
    match str(error.validator):
        case "additionalProperties":
            known = list(schema.get("properties", ()))
            present: Json = error.instance if isinstance(error.instance, dict) else {}
            for key in (key for key in present if key not in known):
                message = f"“{key}” is not known in {where}; known are {', '.join(known)}.{meant(key, known)}"
                yield Fault(line=marked.line(*path, key), code="unknown_key", message=message)
        case "anyOf":
            message = f"Say where {where} comes from (source: …) or that it is assumed (assumption: true)."
            yield Fault(line=line, code="missing_source", message=message)
        case "enum":
            choices = ", ".join(schema["enum"])
            wrong = f"{where} is {_short(error.instance)}"
            message = f"{wrong}; it must be one of {choices}.{meant(error.instance, schema['enum'])}"
            yield Fault(line=line, code=schema["x-code"], message=message)
        case validator:
            message = f"{where}: {error.message if len(error.message) <= LONGEST_QUOTE else _short(error.instance)}"
            yield Fault(line=line, code=_CODES[validator], message=message)


def meant(word: object, known: Iterable[str]) -> str:
    """A question about the known word that looks most like a wrong one; "" where none does.

    >>> meant("arived", ["arrived", "departed"])
    ' Did you mean “arrived”?'
    """
    close = get_close_matches(word, list(known), n=1) if isinstance(word, str) else []
    return f" Did you mean “{close[0]}”?" if close else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
