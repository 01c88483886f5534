"""Between the engine and the orders: who could go to which order now, in a number of queries that does not grow.

Only the entitled are read: the team of the running contract, the stations of the town, the centres of the district.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from jiying.dispatch.engine.ranking import Choice, Ranking, nearest, rank
from jiying.dispatch.engine.world import DEFAULTS, Candidate, Job, Settings, Tier
from jiying.dispatch.hands import Hand, read, spot_of
from jiying.dispatch.plan import History, Rules
from jiying.dispatch.policies import Policies
from jiying.estates.duty import is_on
from jiying.estates.queries import mandated, zone_of
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order
from jiying.orders.store import load_many, pack_of

log = logging.getLogger("jiying.dispatch")

TIERS = {"station": Tier.STATION, "centre": Tier.CENTRE}


@dataclass(frozen=True, slots=True)
class Advice:
    """Who could go to one order: the ranking, the people in it, and what it was made with.

    `failed`: the engine broke down, and `nearest` stood in.
    """

    order: Order
    job: Job
    ranking: Ranking
    people: dict[str, Hand]
    settings: Settings
    rules: Rules
    history: History
    failed: bool = False

    def person(self, choice: Choice) -> Hand:
        """Who that is."""
        return self.people[choice.worker]

    def spoken(self, worker: str, among: frozenset[str] | None = None) -> dict[str, object]:
        """What speaks for one of the ranked, in codes and numbers (`saying.why` makes a sentence of it).

        `among`: of whom the asker knows; the others who could be there soon are counted among these.
        """
        choice = self.ranking.of(worker)
        if choice is None:
            return {}
        kept: dict[str, object] = {
            "skill": self.job.skill,
            "tier": choice.tier.name.lower(),
            "home": choice.candidate.home,
            "load": choice.candidate.load,
            "soon": self.ranking.others_within(choice, self.settings.soon_min, among),
        }
        if choice.metres is not None and choice.minutes is not None:
            kept |= {"metres": round(choice.metres), "minutes": round(choice.minutes)}
        return kept

    def noted(self, worker: str, *, by_person: bool) -> dict[str, object]:
        """What the event of an assignment keeps: ids and numbers, no personal text.

        `overrules`: a person sends somebody else than comes first, or than a rule had sent.
        """
        choice, best = self.ranking.of(worker), self.ranking.best
        kept: dict[str, object] = {
            "engine": self.ranking.engine,
            "rank": choice.rank if choice else 0,
            "of": len(self.ranking.ranked),
            "best": best.worker if best else "",
            **self.spoken(worker),
        }
        if by_person and best is not None:
            kept["overrules"] = worker != best.worker or (self.history.machine and not self.history.declined)
        return {"advice": kept}


def advise(order: Order, *, now: datetime | None = None, everybody: bool = True) -> Advice:
    """Who could go to `order` now.  `everybody`: all tiers at once, as the centre asks; else one after the other."""
    return advise_many([order], now=now, everybody=everybody)[0]


def advise_many(
    orders: Sequence[Order],
    *,
    now: datetime | None = None,
    everybody: bool = True,
    ledgers: dict[uuid.UUID, Ledger] | None = None,
) -> list[Advice]:
    """The same for many orders, in as many queries as for one; the orders carry estate, town and company."""
    now = now or timezone.now()
    if not orders:
        return []
    if ledgers is None:
        ledgers = load_many(orders)
    policies = Policies.on(timezone.localdate(now), {order.district for order in orders})
    entitled = _entitled(orders, now)
    hands = read({company for tiers in entitled.values() for company in tiers}, now)
    return [
        _advice(order, ledgers[order.pk], policies.of(order), entitled[order.pk], hands, now, everybody)
        for order in orders
    ]


def _entitled(orders: Sequence[Order], now: datetime) -> dict[uuid.UUID, dict[uuid.UUID, Tier]]:
    """For each order the companies that may go, each in its lowest tier.  One query."""
    towns = {order.town_id for order in orders if order.town_id}
    by_place: dict[uuid.UUID | str, list[tuple[Tier, uuid.UUID]]] = defaultdict(list)
    rows = mandated(towns, {order.district for order in orders}, timezone.localdate(now))
    for division, code, name, company in rows:
        tier = TIERS[name]
        by_place[code if tier is Tier.CENTRE else division].append((tier, company))
    found: dict[uuid.UUID, dict[uuid.UUID, Tier]] = {}
    for order in orders:
        mine: dict[uuid.UUID, Tier] = {}
        if order.company_id:
            mine[order.company_id] = Tier.TEAM
        for level, body in [*by_place.get(order.district, ()), *by_place.get(order.town_id or "", ())]:
            mine[body] = min(mine.get(body, level), level)
        found[order.pk] = mine
    return found


def _advice(
    order: Order,
    ledger: Ledger,
    rules: Rules,
    entitled: dict[uuid.UUID, Tier],
    hands: dict[uuid.UUID, list[Hand]],
    now: datetime,
    everybody: bool,
) -> Advice:
    history = History.of(ledger.moments)
    settings = settings_of(rules)
    category = pack_of(order.pack).categories.get(order.category)
    job = Job(
        order=str(order.pk),
        at=spot_of(order.lon, order.lat),
        skill=category.skill if category else "",
        urgency=order.urgency,
        asked=Tier.CENTRE if everybody else history.asked,
    )
    zone = zone_of(order.district)
    people = [(hand, tier) for company, tier in entitled.items() for hand in hands.get(company, ())]
    candidates = [
        Candidate(
            worker=hand.id,
            tier=tier,
            at=hand.at or hand.home_at,
            skills=hand.skills,
            on_duty=is_on(hand.hours, hand.switches, now, zone),
            load=hand.load,
            home=order.estate_id is not None and hand.home_id == order.estate_id,
            barred=history.bar_of(hand.id, tier),
        )
        for hand, tier in people
    ]
    ranking, failed = _ranked(job, candidates, settings)
    return Advice(order, job, ranking, {hand.id: hand for hand, _tier in people}, settings, rules, history, failed)


def _ranked(job: Job, candidates: Iterable[Candidate], settings: Settings) -> tuple[Ranking, bool]:
    """The engine's answer; should it break down, the nearest with the skill, and True."""
    hands = list(candidates)
    try:
        return rank(job, hands, settings), False
    except Exception:
        # Whatever is wrong with the engine, somebody has to go; the centre is told.
        log.exception("the engine failed on order %s; nearest stands in", job.order)
        return nearest(job, hands, settings), True


def settings_of(rules: Rules) -> Settings:
    """The engine's limits under a district's rules."""
    settings = replace(DEFAULTS, load_cap=rules.load_cap)
    if rules.cap_m is None:
        return settings
    return replace(settings, cap_m=dict.fromkeys(settings.cap_m, float(rules.cap_m)))
