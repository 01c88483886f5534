"""The policies that can be compared, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jiying.dispatch.engine.fleet.prices import Prices
from jiying.dispatch.engine.fleet.simple import NEAREST, TEAM, TOWN

USUAL = Prices()


@dataclass(frozen=True)
class Policy:
    """`simple`: TEAM, TOWN or NEAREST, -1 for the priced batch."""

    name: str
    simple: int = -1
    cap_km: float = 4.0
    prices: Prices = USUAL

    def with_(self, **prices: float) -> Policy:
        """The same with other prices; each keeps its type, so that nothing is compiled anew."""
        typed = {name: type(getattr(self.prices, name))(value) for name, value in prices.items()}
        return replace(self, prices=self.prices._replace(**typed))


POLICIES = {
    "team": Policy("team", TEAM),
    "town": Policy("town", TOWN),
    "nearest": Policy("nearest", NEAREST),
    "batch": Policy("batch").with_(
        reserve=0, broken=9, hope=0, moves_most=0, way=0.02, least=1, value=1, surge_value=1, way_usual=0.02, late=1
    ),
    "auto": Policy("auto"),
}
"""team: each team serves its own estates.  town: the nearest idle worker of the town.  nearest: of all, within 4 km.
batch: every ten seconds, all together, travel priced.  auto: the same with a reserve, taking back, and moves."""
