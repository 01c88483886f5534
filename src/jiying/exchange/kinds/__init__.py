"""The kinds of things that can be imported, one file each."""

from jiying.exchange.kinds.base import Field, Item, Kind, Plan, Refused, Task
from jiying.exchange.kinds.companies import Companies
from jiying.exchange.kinds.divisions import Divisions
from jiying.exchange.kinds.estates import Estates
from jiying.exchange.kinds.orders import Orders
from jiying.exchange.kinds.workers import Workers

KINDS: dict[str, type[Kind]] = {kind.name: kind for kind in (Divisions, Companies, Estates, Workers, Orders)}

__all__ = ["KINDS", "Field", "Item", "Kind", "Plan", "Refused", "Task"]
