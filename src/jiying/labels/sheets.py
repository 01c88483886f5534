"""What stands on the labels of an estate, and how they lie on the sheets.

The QR code opens `/report` with the place filled in and carries the place's own code, which a worker may also
type: with a position near it, it proves an arrival (grade B, `orders.proof`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import segno
from django.utils.translation import gettext as _

from jiying.estates.models import Building, Estate, PlantRoom
from jiying.orders.proof import place_code

QUIET = 4
"""White modules around a QR code (ISO/IEC 18004)."""

MASK = 4
"""Any mask can be read; looking for the evenest of eight takes as long as all the rest."""

SCALE = 6
"""Pixels a module: sharp in print without smoothing."""

AT_ONCE = 210
"""So many labels in one file or on one page: ten full sheets, some megabytes while they are made."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How labels lie on A4: columns × rows, without margins, as sheets of adhesive labels are cut."""

    code: str
    columns: int
    rows: int

    @property
    def per_sheet(self) -> int:
        return self.columns * self.rows


LAYOUTS = {one.code: one for one in (Layout("21", 3, 7), Layout("8", 2, 4))}
KINDS = ("estate", "buildings", "rooms")


@dataclass(frozen=True, slots=True)
class Label:
    """`place` is the large line, `within` the estate above it (empty on the estate's own), `sign` the typed code."""

    place: str
    within: str
    town: str
    sign: str
    url: str

    @property
    def sign_words(self) -> str:
        """The code as it is read from a wall: in two halves."""
        return f"{self.sign[:4]} {self.sign[4:]}"

    @property
    def code(self) -> str:
        """The QR code of the address as a `data:` picture."""
        return code_of(self.url)


def labels_of(estate: Estate, kinds: Iterable[str], origin: str) -> list[Label]:
    """The labels of an estate: itself, its buildings and its plant rooms, as far as `kinds` wants them.

    `origin` is scheme and host of the installation as residents reach it.
    """
    wanted = set(kinds)
    out: list[Label] = []
    if "estate" in wanted:
        out.append(_label(estate, estate.pk, estate.name, "", origin, {}))
    if "buildings" in wanted:
        for building in sorted(Building.objects.filter(estate=estate), key=lambda one: natural(one.name)):
            asked = {"building": building.name}
            out.append(_label(estate, building.pk, building.name, estate.name, origin, asked))
    if "rooms" in wanted:
        rooms = PlantRoom.objects.filter(estate=estate).select_related("building")
        for room in sorted(rooms, key=lambda one: natural(one.name)):
            asked = {"building": room.building.name} if room.building else {}
            within = f"{estate.name} · {room.building.name}" if room.building else estate.name
            out.append(_label(estate, room.pk, room.name, within, origin, {**asked, "unit": room.name}))
    return out


def _label(estate: Estate, key: object, place: str, within: str, origin: str, asked: dict[str, str]) -> Label:
    sign = place_code(key)  # type: ignore[arg-type]
    query = urlencode({"estate": estate.code, **asked, "sign": sign})
    return Label(place, within, estate.town.name, sign, f"{origin}/report?{query}")


def natural(name: str) -> list[tuple[int, str]]:
    """By which 2号楼 stands before 10号楼.

    >>> sorted(["10号楼", "2号楼", "门卫"], key=natural)
    ['2号楼', '10号楼', '门卫']
    """
    return [(int(part), "") if part.isdecimal() else (10**9, part) for part in re.split(r"(\d+)", name) if part]


def code_of(text: str) -> str:
    """The QR code of a text as a `data:` picture, black on white with its quiet zone.

    Medium error correction: a scratch may take a seventh of it.  A picture, since ten sheets of paths take
    WeasyPrint ten times as long.
    """
    code = segno.make(text, error="m", micro=False, boost_error=False, mask=MASK)
    return str(code.png_data_uri(scale=SCALE, border=QUIET))


def sheets_of(labels: Sequence[Label], layout: Layout) -> list[list[Label]]:
    """The labels on their sheets."""
    size = layout.per_sheet
    return [list(labels[first : first + size]) for first in range(0, len(labels), size)]


def says() -> dict[str, str]:
    """The fixed words of every label."""
    return {
        "call": _("扫码报修"),
        "how": _("手机扫一扫，不用登录"),
        "sign": _("到场码牌"),
        "phone": _("客服电话"),
    }
