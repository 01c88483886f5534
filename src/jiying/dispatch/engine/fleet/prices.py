"""All that can be set: limits, speeds, and what weighs how much.  Kernels read it, nothing changes it."""

from __future__ import annotations

from typing import NamedTuple


class Road(NamedTuple):
    """Travel: an electric bicycle at 15 km/h, detour 1.3, two minutes to get in; a stretch of way is half a minute."""

    min_per_km: float = 1.3 / (15 / 60)
    access_min: float = 2.0
    stretch_min: float = 0.5


class Prices(NamedTuple):
    """What weighs how much.  Unit: one emergency that is late (unless the name says minutes or kilometres)."""

    horizon: float = 40.0  # min; how far ahead coverage counts: about as long as a worker is gone
    reserve: float = 1.0  # how much of the price of a worker counts
    caution: float = 0.9  # of the emergencies that the pace of now would bring, so many are expected
    clumps: float = 6.0  # dispersion of the negative binomial: r of var = m + m * m / r
    going_counts: float = 0.8
    busy_counts: float = 0.25
    soon_counts: float = 0.7
    soon_min: float = 15.0
    memory_min: float = 260.0  # how fast the map of what was seen fades (e-fold)
    pace_min: float = 25.0
    fair: float = 0.6  # below 1, places where little happens count for more than their share
    prior_orders: float = 150.0
    widest: int = 12  # people that are looked at for an emergency, in a batch
    way: float = 0.002
    waiting: float = 0.03
    stay: float = 0.02
    broken: float = 0.01
    hope: float = 0.7  # nobody waits for somebody who will be too late with more than this probability
    alone: float = 1.6
    value: float = 1.0
    surge_value: float = 0.25
    surge_from: float = 0.4  # share of the staff that emergencies keep busy
    surge_full: float = 0.8
    on_the_way_min: float = 8.0
    least: float = 0.05
    bend: float = 2.0
    patience: float = 1.0
    pressing: float = 1.0
    late: float = 0.3
    lapsed: float = 0.05
    way_usual: float = 0.004
    cap_km: float = 6.0
    over_min: float = 45.0
    look_every: float = 1.0  # min
    usual_every: float = 0.5
    move_every: float = 2.0
    move_km: float = 6.0
    move_gain: float = 0.01
    move_price: float = 0.005
    move_after: float = 4.0
    move_again: float = 45.0
    move_before_end: float = 60.0
    moves_most: int = 3
    moves_at_once: int = 10
