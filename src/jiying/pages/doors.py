"""Which rooms somebody may enter, and where their own place is, by role."""

from __future__ import annotations

from collections.abc import Set

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from jiying.people.queries import main_role

_DESK = frozenset({"manager", "company", "committee", "town", "owners"})
_CENTRE = frozenset({"operator", "supervisor"})

#: Address, word, and the roles that work there.
ROOMS: tuple[tuple[str, Lazy | str, frozenset[str]], ...] = (
    ("/worker", _("我的工单"), frozenset({"worker"})),
    ("/desk", _("工作台"), _DESK | _CENTRE | {"district"}),
    ("/centre", _("指挥中心"), _CENTRE | {"district"}),
    ("/centre/intake", _("来电登记"), _CENTRE | {"company"}),
    ("/district", _("监管"), _DESK | {"district", "supervisor"}),
    ("/centre/rules", _("规则包"), _CENTRE | {"district", "town"}),
    ("/labels", _("标签"), _DESK | {"district"}),
    ("/ledgers", _("台账"), _DESK | _CENTRE | {"district"}),
    ("/report", _("我要报修"), frozenset({"resident"})),
)

_HOME = {"worker": "/worker", "operator": "/centre", "supervisor": "/centre", "district": "/district"}


def rooms_of(roles: Set[str]) -> list[tuple[str, Lazy | str]]:
    """The rooms of somebody holding `roles`, in order; residents' rooms only for those who are nothing else."""
    working = roles - {"resident"}
    return [(href, label) for href, label, who in ROOMS if who & (working or {"resident"})]


def home_of(roles: Set[str]) -> str:
    """Where somebody lands after signing in."""
    role = main_role(frozenset(roles))
    return _HOME.get(role, "/desk" if role in _DESK else "/report")
