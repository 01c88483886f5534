"""Why somebody should wait elsewhere, in one sentence; what ended it."""

from __future__ import annotations

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiying.dispatch.saying import TRADES
from jiying.dispatch.standby.models import Standby

ORDER, SILENT, OFF_DUTY, TAKEN_BACK = "order", "silent", "off_duty", "taken_back"
ENDINGS: dict[str, Lazy | str] = {
    ORDER: gettext_lazy("有工单了"),
    SILENT: gettext_lazy("没有答复"),
    OFF_DUTY: gettext_lazy("离岗了"),
    TAKEN_BACK: gettext_lazy("已收回"),
}


def why(one: Standby) -> str:
    """Why the place is worth waiting at: by trade, town and the people who could be there in half an hour.

    In Chinese: 门锁急修：潍坊新村街道现在没有人能在 30 分钟内赶到.
    """
    about = {"trade": TRADES.get(one.skill, one.skill), "town": one.town.name, "n": round(one.reach)}
    if not about["n"]:
        return _("%(trade)s急修：%(town)s现在没有人能在 30 分钟内赶到") % about
    return _("%(trade)s急修：%(town)s现在只有 %(n)d 位能在 30 分钟内赶到") % about


def way(one: Standby) -> str:
    """How far it is: 3.1 公里，约 13 分钟."""
    return _("%(km)s 公里，约 %(min)d 分钟") % {"km": f"{one.metres / 1000:.1f}", "min": one.minutes}


def ended(one: Standby) -> str:
    """What became of it, in words."""
    return str(ENDINGS.get(one.why) or one.get_state_display())
