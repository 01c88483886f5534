"""The photos of an order as pages show them: before beside after, the others below, and who may know what of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from jiying.orders.actors import Actor, roles_towards
from jiying.orders.models import Attachment, Order
from jiying.orders.queries import photos_of
from jiying.orders.store import pack_of
from jiying.pages.peopletime import people_time
from jiying.pages.words import word

CHECKING = frozenset({"committee", "operator", "supervisor", "town", "district"})
"""Who checks a company's work reads when and how near a photo was taken; the company and the resident do not."""
FAR_M = 300
_SIDES = ("before", "after")
_BELOW = ("report", "evidence", "other")
_FINISHED = frozenset({"done", "verified", "closed"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One photo: its addresses, words, and (for those who check) what the camera noted; `far` marks the odd ones."""

    small: str
    full: str
    width: int
    height: int
    words: str
    photo: Attachment
    noted: str
    far: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The photos of one purpose."""

    purpose: str
    photos: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Album:
    """`sides`: before and after, both there when either has photos.  `below`: the other purposes that have any.
    `missing`: the work is done, photos were asked for, and there is none."""

    sides: tuple[Group, ...]
    below: tuple[Group, ...]
    missing: bool

    @property
    def count(self) -> int:
        """How many photos there are."""
        return sum(len(group.photos) for group in (*self.sides, *self.below))


def album_of(order: Order, address: str, *, actor: Actor | None = None, resident: bool = False) -> Album:
    """The photos of `order`; one query.  `address` is where a photo is seen, before its id.

    `actor`: who looks, where they have a part in the order.  `resident`: its reporter, who is not shown what staff
    keep among themselves.
    """
    photos = photos_of([order.pk])[order.pk]
    if resident:
        photos = [photo for photo in photos if for_reporter(photo)]
    checks = actor is not None and bool(roles_towards(order, actor) & CHECKING)
    groups = {
        purpose: Group(purpose, tuple(_shown(photo, address, checks) for photo in photos if photo.purpose == purpose))
        for purpose in (*_SIDES, *_BELOW)
    }
    sides = tuple(groups[purpose] for purpose in _SIDES)
    return Album(
        sides=sides if any(group.photos for group in sides) else (),
        below=tuple(groups[purpose] for purpose in _BELOW if groups[purpose].photos),
        missing=order.state in _FINISHED and bool(wanted(order)) and not groups["after"].photos,
    )


def for_reporter(photo: Attachment) -> bool:
    """Whether the reporter sees it: the work itself and what they sent; evidence of a pause is between the offices."""
    return photo.purpose in ("report", *_SIDES) or photo.role == "resident"


def wanted(order: Order) -> str:
    """Whether a repair of the order's category wants photos: `required`, `asked`, or ""."""
    category = pack_of(order.pack).categories.get(order.category)
    return category.photos if category is not None and order.kind == "repair" else ""


def _shown(photo: Attachment, address: str, checks: bool) -> Shown:
    noted, far = _noted(photo) if checks else ("", False)
    return Shown(
        small=f"{address}{photo.pk}?size=small",
        full=f"{address}{photo.pk}",
        width=photo.width,
        height=photo.height,
        words=f"{word('purpose', photo.purpose)} · {word('role', photo.role)}",
        photo=photo,
        noted=noted,
        far=far,
    )


def _noted(photo: Attachment) -> tuple[str, bool]:
    """What the camera noted, in words, and whether that is odd: far away, or taken long before it was sent."""
    parts, far = [], False
    if photo.taken_at is not None:
        parts.append(_("%(when)s 拍摄") % {"when": people_time(photo.taken_at, ago=False)})
    if photo.distance_m is not None:
        far = photo.distance_m > FAR_M
        distance = photo.distance_m
        near = _("离报修地点约 %(m)d 米") % {"m": distance}
        parts.append(near if distance < 10_000 else _("离报修地点约 %(km)d 公里") % {"km": distance // 1000})
    return (" · ".join(parts) if parts else _("相机没有留下时间和位置")), far
