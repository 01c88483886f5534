"""Who may enter the room: whoever works at a desk takes tables out; some bring tables in."""

from __future__ import annotations

from jiying.pages.gates import only

at_ledgers = only("company", "manager", "committee", "town", "operator", "supervisor", "district")

IMPORTING = frozenset({"town", "supervisor", "district"})
may_import = only(*IMPORTING)
