"""Which orders this browser has shown to be its own: reported here, or opened with the telephone's last digits.

A signed cookie that ends with the browser's session, that scripts cannot read.  A passed-on link does not
carry it, so its holder sees the progress and nothing else.
"""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse

from jiying.orders.contacts import last4_of
from jiying.orders.models import Order

COOKIE = "jiying_mine"
MOST = 12


def _kept(request: HttpRequest) -> list[str]:
    found = cast("str", request.get_signed_cookie(COOKIE, default="", salt=COOKIE))
    return found.split(".") if found else []


def is_proven(request: HttpRequest, order: Order) -> bool:
    """Whether the asker may see the arrival code: they reported it, showed the digits, or there are none to show."""
    if not last4_of(order) or order.pk.hex in _kept(request):
        return True
    # Reading the user costs queries, so only where somebody with an account reported it.
    return order.reporter_id is not None and order.reporter_id == request.user.pk


def remember(request: HttpRequest, response: HttpResponse, order: Order) -> None:
    """Keep `order` among the browser's own, the latest twelve."""
    kept = [*(one for one in _kept(request) if one != order.pk.hex), order.pk.hex][-MOST:]
    response.set_signed_cookie(
        COOKIE, ".".join(kept), salt=COOKIE, path="/", httponly=True, samesite="Lax", secure=request.is_secure()
    )
