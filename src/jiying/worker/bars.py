"""The buttons of an order on a telephone: the next verb across the whole width, the others in a list."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from jiying.core.errors import BadCode, JiyingError
from jiying.orders.attachments import WITH_VERB
from jiying.orders.queries import Row
from jiying.orders.states import OPEN
from jiying.pages import words
from jiying.pages.verbforms import SURE, Field, fields_of, new_times, next_verb


@dataclass(frozen=True, slots=True)
class Tried:
    """What was sent and refused: typed text stays, messages stand at their fields."""

    verb: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    error: JiyingError | None = None

    @classmethod
    def of(cls, verb: str, typed: Mapping[str, str], error: JiyingError) -> Tried:
        """From a posted form and its refusal."""
        if isinstance(error, BadCode):
            return cls(verb, typed, {"code": error.detail}, error)
        return cls(verb, typed, {item.field.removeprefix("data."): item.message for item in error.errors}, error)

    @property
    def problem(self) -> str:
        """What has no field to stand at."""
        known = {one.name for one in fields_of(self.verb) if one.type != "point"}
        return self.error.detail if self.error is not None and not known & self.errors.keys() else ""


@dataclass(frozen=True, slots=True)
class Filled:
    """A field of a form with what stands in it and what is wrong."""

    field: Field
    value: str
    error: str


@dataclass(frozen=True, slots=True)
class Button:
    """One verb: its words, its form, whether that is open; `key` makes a second sending count once."""

    verb: str
    label: str
    url: str
    fields: tuple[Filled, ...]
    sure: str
    is_open: bool
    key: str

    @property
    def takes_photos(self) -> bool:
        """Whether photos go with the verb."""
        return self.verb in WITH_VERB


@dataclass(frozen=True, slots=True)
class Bar:
    """`first` is the next verb (None where nothing is next); `others` the rest, in the order of the table."""

    version: int
    first: Button | None
    others: tuple[Button, ...]

    @property
    def opens_others(self) -> bool:
        """Whether one of the others stands open."""
        return any(button.is_open for button in self.others)


def bar_of(row: Row, pauses: Sequence[tuple[str, str]], tried: Tried = Tried()) -> Bar:
    """The buttons for `row`; `pauses` are the reasons as (code, words)."""
    likely = next_verb(str(row.order.state), row.verbs)
    buttons = [_button(row, verb, pauses, tried) for verb in row.verbs]
    return Bar(
        version=row.order.version,
        first=next((one for one in buttons if one.verb == likely), None),
        others=tuple(one for one in buttons if one.verb != likely),
    )


def _filled(one: Field, tried: Tried) -> Filled:
    error = tried.errors.get(one.name, "")
    # A position nobody typed: a wrong one would come again unseen, so it is dropped and taken anew.
    value = "" if error and one.type == "point" else tried.typed.get(one.name, "")
    return Filled(one, value, error)


def _button(row: Row, verb: str, pauses: Sequence[tuple[str, str]], tried: Tried) -> Button:
    ours = tried if tried.verb == verb else Tried()
    choices: dict[str, Sequence[tuple[str, str]]] = {"reason": pauses} if verb == "pause" else {}
    if verb == "note" and row.order.state in OPEN:
        choices["new_time"] = new_times(timezone.now())
    fields = fields_of(verb, choices)
    return Button(
        verb=verb,
        label=str(words.VERBS[verb].button),
        url=f"/worker/orders/{row.order.pk}/{verb}",
        fields=tuple(_filled(one, ours) for one in fields),
        sure=str(SURE.get(verb, "")),
        is_open=ours.verb == verb,
        key=uuid.uuid4().hex,
    )
