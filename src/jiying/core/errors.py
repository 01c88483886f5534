"""Errors a person can act on.

Every refusal in the system is one of these types.  The doors (REST, pages, command line) translate them
once: to an RFC 9457 problem document, to a form message, to an exit code.  `detail` and the field messages
are sentences in the asker's language.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the input."""

    field: str
    code: str
    message: str


class JiyingError(Exception):
    """Base of all refusals.

    Args:
        detail: what happened and what to do, one or two sentences.
        errors: the fields that are wrong.
        extra: further members of the problem document, for example `possible_verbs`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    title: ClassVar[str] = "Bad request"

    def __init__(self, detail: str = "", *, errors: Iterable[FieldError] = (), **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.extra = extra


class BadInput(JiyingError):
    """Something in the input is wrong; the fields say what."""

    status, code, title = 422, "invalid", "The input is not valid"

    @classmethod
    def of(cls, field: str, code: str, message: str) -> BadInput:
        """One wrong field; its code is the problem's code too."""
        return cls(message, errors=[FieldError(field, code, message)])

    @property
    def first_code(self) -> str:
        """The code of the first wrong field, which names the problem best."""
        return self.errors[0].code if self.errors else self.code


class NotFound(JiyingError):
    """It does not exist, or it is out of the asker's scope: the two are not told apart."""

    status, code, title = 404, "not_found", "Not found"


class NotYours(JiyingError):
    """The thing is visible, but this verb belongs to other roles."""

    status, code, title = 403, "not_yours", "This is for somebody else to do"


class StaleVersion(JiyingError):
    """Somebody else acted first; `extra["order"]` carries the present state where the door can show it."""

    status, code, title = 409, "stale_version", "The order has changed meanwhile"


class ImpossibleVerb(JiyingError):
    """The order's state does not allow the verb; `extra["possible_verbs"]` lists those it allows."""

    status, code, title = 422, "impossible_verb", "Not possible in this state"


class UnknownVerb(JiyingError):
    """No such verb exists."""

    status, code, title = 422, "unknown_verb", "Unknown verb"


class KeyReused(JiyingError):
    """An Idempotency-Key came again with another body."""

    status, code, title = 409, "key_reused", "The key was used for another request"


class BadCode(JiyingError):
    """The arrival code, or the last four digits of the telephone, do not match."""

    status, code, title = 422, "bad_code", "The code does not match"


class RateLimited(JiyingError):
    """Too many requests from one address."""

    status, code, title = 429, "rate_limited", "Too many requests"


class TooLarge(JiyingError):
    """The body is larger than the limit."""

    status, code, title = 413, "too_large", "Too large"


class NotAPicture(JiyingError):
    """An upload whose content is no photo, whatever its name and headers say."""

    status, code, title = 415, "not_a_picture", "Not a picture"


class Busy(JiyingError):
    """Something was busy for too long; nothing was written, and the same request may come again."""

    status, code, title = 503, "busy", "Busy"


class StoreDown(JiyingError):
    """The store of files did not answer; nothing was kept, and the same request may come again."""

    status, code, title = 503, "busy", "The store of files does not answer"


class TooSlow(JiyingError):
    """The body did not arrive before the deadline."""

    status, code, title = 408, "too_slow", "The request took too long to arrive"
