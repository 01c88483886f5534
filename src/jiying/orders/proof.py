"""Proof of arrival: the code on the resident's page, the sign of the building, and their grades.

A  the resident's arrival code, typed on the spot, or a call-back by the centre
B  the building's own code (its QR sign) with a position near it
C  a position, or only the word

The arrival code is derived from the installation's key, never stored, and new in each round.
"""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from django.utils.translation import gettext as _

from jiying.core.crypto import keyed_hash
from jiying.core.errors import BadCode, BadInput
from jiying.core.geo import Point, distance_m, from_crs
from jiying.orders.ledger import Ledger

MAX_WRONG = 5
NEAR_M = 300.0


def arrival_code(order: uuid.UUID, round_no: int) -> str:
    """Four digits, as the resident's page shows them."""
    return f"{int(keyed_hash(f'{order}:{round_no}', purpose='arrival')[:12], 16) % 10_000:04}"


def place_code(place: uuid.UUID) -> str:
    """Eight digits for the sign of an estate, a building or a plant room: a telephone's number pad types them."""
    return f"{int(keyed_hash(str(place), purpose='place')[:16], 16) % 100_000_000:08}"


def typed_code(text: str) -> str:
    """The code in what was typed or scanned: the code itself, or the address that a sign's QR code holds.

    >>> typed_code("https://jiying.example.org/report?estate=E1&sign=08124471")
    '08124471'
    >>> typed_code(" ０８１２ 4471 ")
    '08124471'
    """
    # Chinese keyboards type digits in full width too.
    code = unicodedata.normalize("NFKC", text).replace(" ", "")
    if "?" not in code:
        return code
    return parse_qs(code.partition("?")[2][:1000]).get("sign", [code])[0]


def track_token(order: uuid.UUID) -> str:
    """The tracking link's token: 128 bits, derived, so that it can be shown again but never read."""
    return keyed_hash(str(order), purpose="track")[:32]


def track_digest(token: str) -> str:
    """What the database holds of a tracking token."""
    return keyed_hash(token, purpose="track-lookup")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an order is: its signs' codes and its point, if known."""

    signs: frozenset[str]
    point: Point | None


class WrongCode(BadCode):
    """A code was typed and it is wrong; the refusal itself goes on record."""


def arrival_data(ledger: Ledger, data: dict[str, Any], *, place: Place, by_centre: bool) -> dict[str, Any]:
    """What an `arrive` event says about its proof.

    Raises:
        WrongCode: the code matches neither; after five in a round no code is accepted any more.
        BadInput: `bad_point`.
    """
    code = typed_code(str(data.get("code") or "")[:2000])
    out: dict[str, Any] = {}
    distance = _distance(data, place, out)
    grade = "C"
    if code:
        if ledger.wrong_codes >= MAX_WRONG:
            raise BadCode(_("到场码已输错五次，本单不再接受到场码。请让居民致电指挥中心核实，或不填到场码直接报到场。"))
        if code == arrival_code(ledger.order, ledger.judge.round):
            grade = "A"
        elif code in place.signs:
            grade = "B" if distance is not None and distance <= NEAR_M else "C"
        else:
            left = MAX_WRONG - ledger.wrong_codes - 1
            raise WrongCode(_("到场码不对，还可以试 %(left)d 次。") % {"left": left})
    elif by_centre and data.get("callback") is True:
        grade = "A"
    out["proof"] = grade
    return out


def _distance(data: dict[str, Any], place: Place, out: dict[str, Any]) -> float | None:
    """Read the position; keeps the point (erasable), its accuracy and the distance to the place."""
    raw = data.get("point")
    if raw is None:
        return None
    if not isinstance(raw, dict) or not {"lon", "lat"} <= raw.keys():
        raise BadInput.of("data.point", "bad_point", _("位置应包含经度 lon 和纬度 lat。"))
    point = from_crs(raw["lon"], raw["lat"], raw.get("crs", "WGS-84"), field="data.point")
    out["point"] = f"{point.lon:.6f},{point.lat:.6f}"
    accuracy = data.get("accuracy_m")
    if isinstance(accuracy, int | float) and 0 <= accuracy < 1e6:
        out["accuracy_m"] = round(float(accuracy))
    if place.point is None:
        return None
    distance = distance_m(point, place.point)
    out["distance_m"] = round(distance)
    return distance


def typed_on_arrival(ledger: Ledger, at: Any) -> bool:
    """Whether the arrival lies within two minutes of typing the order in, which figures mark."""
    report = ledger.moments[0]
    return bool(at - report.received_at <= timedelta(minutes=ledger.pack.typing_mark_min))
