"""What a person would accept: the limits of the engine's prices, for both who works out and who asks."""

from __future__ import annotations

from datetime import timedelta

from jiying.dispatch.engine.outlook import PRICES

ASKS = PRICES.moves_most
"""So often somebody is asked in one shift."""

BETWEEN = timedelta(minutes=PRICES.move_again)
BEFORE_END = timedelta(minutes=PRICES.move_before_end)
IDLE_FOR = timedelta(minutes=PRICES.move_after)
FARTHEST_M = PRICES.move_km * 1000
EVERY = timedelta(minutes=PRICES.move_every)
"""How often it is worked out who would be missed elsewhere."""
