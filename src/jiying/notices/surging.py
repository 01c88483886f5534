"""That a surge runs, in the inbox of those who can do something about it: once a surge, until they say that they know.

Nothing is written to tell it: what runs is read, so nobody is told twice or never, whoever keeps the worlds.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.utils import timezone

from jiying.core.errors import NotFound
from jiying.dispatch import surges
from jiying.dispatch.models import Surge
from jiying.estates.queries import of_company
from jiying.notices.models import SurgeSeen
from jiying.people.models import User
from jiying.people.scopes import scope_of


@dataclass(frozen=True, slots=True)
class Call:
    """A surge that somebody is told of; `why`: as `centre`, which calls people in, or as `company`, which is asked."""

    surge: Surge
    why: str


def calls(user: User) -> list[Call]:
    """The surges that `user` has not yet said to know of; no query while none runs."""
    found = {call.surge.pk: call for call in _calls(user)}
    if not found:
        return []
    known = SurgeSeen.objects.filter(user_id=user.pk, surge__in=found).values_list("surge_id", flat=True)
    return [found[pk] for pk in found.keys() - set(known)]


def _calls(user: User) -> list[Call]:
    on = surges.districts()
    if not on:
        return []
    scope = scope_of(user)
    why = dict.fromkeys(on & scope.centred, "centre")
    if scope.companies or scope.managed:
        for district in set(of_company(scope).values_list("company__district", flat=True).order_by()) & on:
            why.setdefault(district, "company")
    running = ((surges.running(district), as_) for district, as_ in sorted(why.items()))
    return [Call(surge, as_) for surge, as_ in running if surge is not None]


def mark_known(user: User, surge: uuid.UUID) -> None:
    """`user` knows of the surge; saying it again changes nothing.

    Raises:
        NotFound: no surge runs of which they are told.
    """
    if surge not in {call.surge.pk for call in _calls(user)}:
        raise NotFound
    SurgeSeen.objects.get_or_create(user=user, surge_id=surge, defaults={"at": timezone.now()})
