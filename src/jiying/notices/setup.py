"""`notices.yaml` in the home: mail server, gateways and webhooks of one installation.

Without the file nothing leaves the house.  A value that begins with `$` is read from the environment, so that
secrets need not stand in it.  Read anew when the file changes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from django.conf import settings

from jiying.core.errors import JiyingError

log = logging.getLogger("jiying.notices")

FILE = "notices.yaml"
_TEXT = {"type": "string"}
_GATEWAY = {
    "type": "object",
    "required": ["url", "body"],
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string", "pattern": "^https?://"},
        "body": {"type": "object"},
        "headers": {"type": "object", "additionalProperties": _TEXT},
        "secret": _TEXT,
        "timeout_s": {"type": "number", "exclusiveMinimum": 0, "maximum": 60},
        "idempotent": {"type": "boolean"},
        "answer_within_min": {"type": "number", "exclusiveMinimum": 0},
    },
}
_HOOK = {
    "type": "object",
    "required": ["name", "url", "secret", "audiences"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
        "url": {"type": "string", "pattern": "^https?://"},
        "secret": {"type": "string", "minLength": 16},
        "audiences": {"type": "array", "items": _TEXT},
        "company": _TEXT,
    },
}
_MAIL = {
    "type": "object",
    "required": ["host", "from"],
    "additionalProperties": False,
    "properties": {
        "host": _TEXT,
        "port": {"type": "integer"},
        "user": _TEXT,
        "password": _TEXT,
        "tls": {"enum": ["none", "starttls", "tls"]},
        "from": _TEXT,
        "timeout_s": {"type": "number", "exclusiveMinimum": 0, "maximum": 60},
    },
}
_SCHEMA = {
    "type": "object",
    "required": ["public_url"],
    "additionalProperties": False,
    "properties": {
        "public_url": {"type": "string", "pattern": "^https?://"},
        "email": _MAIL,
        "sms": _GATEWAY,
        "voice": _GATEWAY,
        "webhooks": {"type": "array", "items": _HOOK},
        "webhooks_may_be_private": {"type": "boolean"},
    },
}


class BadSetup(JiyingError):
    """`notices.yaml` cannot be used; the detail says why."""

    code, title = "bad_setup", "notices.yaml cannot be used"


@dataclass(frozen=True, slots=True)
class Setup:
    """What `notices.yaml` says.  `public_url` without a slash at its end."""

    public_url: str = ""
    channels: Mapping[str, Any] = field(default_factory=dict)
    private: bool = False

    def ready(self) -> list[str]:
        """The channels that are configured."""
        return list(self.channels)

    def hooks(self) -> list[dict[str, Any]]:
        """The webhooks."""
        return list(self.channels.get("webhook", ()))


_last: dict[Path, Setup] = {}


def setup() -> Setup:
    """The present setup, empty where there is no file.  A file that cannot be used leaves the one before in force:
    a slip of the pen must not keep anybody from being told.  Empty in a demo: its made-up numbers may be somebody's."""
    if settings.DEMO:
        return Setup()
    try:
        _last[Path(settings.HOME)] = read()
    except BadSetup as error:
        log.error("%s", error.detail)
    return _last.get(Path(settings.HOME), Setup())


def read() -> Setup:
    """What the file says now.

    Raises:
        BadSetup: unreadable, or not of the form.
    """
    path = Path(settings.HOME) / FILE
    try:
        stamp = path.stat().st_mtime_ns
    except FileNotFoundError:
        return Setup()
    return _read(path, stamp)


@lru_cache(maxsize=4)
def _read(path: Path, _stamp: int) -> Setup:
    try:
        said = yaml.safe_load(path.read_text("utf-8"))
        jsonschema.validate(said, _SCHEMA)
        said = _filled(said)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, jsonschema.ValidationError, KeyError) as error:
        raise BadSetup(f"{path}: {getattr(error, 'message', '') or error}".partition("\n")[0]) from error
    channels = {name: said[name] for name in ("email", "sms", "voice") if name in said}
    if said.get("webhooks"):
        channels["webhook"] = said["webhooks"]
    return Setup(said["public_url"].rstrip("/"), channels, said.get("webhooks_may_be_private", False))


def _filled(value: Any) -> Any:
    """`value` with `$NAME` read from the environment (KeyError: it is not there)."""
    if isinstance(value, dict):
        return {key: _filled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one) for one in value]
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in os.environ:
            raise KeyError(f"{value[1:]} is not in the environment")
        return os.environ[value[1:]]
    return value
