"""The ways out of the house: one folder a channel, each with a `send`; copy one to make another.

    register("sms", send, repeatable=True)     # in the folder's __init__.py; then name it in `load`

The inbox is no folder: its row (`models.Notice`) is written with the event and needs no sending.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


class NotSent(Exception):
    """It did not go out; `args[0]` says why, without personal data.  `final`: trying again is of no use."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Unsure(NotSent):
    """Nobody knows whether it went out: no answer came, or half of one."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a channel is given: `id` stays the same over all attempts, `to` is an address, number or URL.

    `count`: how many messages are in it.  `callback`: the signed address by which a gateway says that a call was
    acknowledged.  `data`: the facts, for machines.
    """

    id: str
    to: str
    subject: str
    text: str
    count: int
    callback: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """`send(parcel, settings, private=…)` returns when the other side has taken it.

    `repeatable(settings)`: whether the same id may be sent again after a crash or silence.  `asks`: it wants an
    acknowledgement; without one it is sent again after `answer_within_min`.
    """

    name: str
    send: Callable[..., None]
    repeatable: Callable[[Any], bool]
    asks: bool = False


_registry: dict[str, Channel] = {}
_FOLDERS = ("email", "sms", "voice", "webhook")


def register(
    name: str,
    send: Callable[..., None],
    *,
    repeatable: Callable[[Any], bool] = lambda _settings: True,
    asks: bool = False,
) -> None:
    """Make a channel known."""
    _registry[name] = Channel(name, send, repeatable, asks)


def load() -> dict[str, Channel]:
    """All channels, by name."""
    for folder in _FOLDERS:
        import_module(f"jiying.notices.channels.{folder}")
    return _registry
