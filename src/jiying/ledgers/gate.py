"""Who may enter the room: whoever works at a desk takes tables out; who brings some in is said by `may_import`."""

from __future__ import annotations

from jiying.pages.gates import only

at_ledgers = only("company", "manager", "committee", "town", "operator", "supervisor", "district")
