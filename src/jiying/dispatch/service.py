"""Between the engine and the orders: who could go to which order now, in a number of queries that does not grow.

Only the entitled are read: the team of the running contract, the stations of the town, the centres of the district,
and, where a pool says so, the allies of the company.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from jiying.dispatch import outlooks
from jiying.dispatch.engine.costs import held_min
from jiying.dispatch.engine.outlook import Outlook
from jiying.dispatch.engine.ranking import OUTSIDE, Choice, Ranking, nearest, rank
from jiying.dispatch.engine.whatif import Outside, what_if
from jiying.dispatch.engine.world import DEFAULTS, Candidate, Job, Settings, Tier
from jiying.dispatch.hands import Hand, read, spot_of
from jiying.dispatch.plan import History, Rules
from jiying.dispatch.policies import Policies
from jiying.dispatch.pools import Pools
from jiying.estates.queries import allied, mandated, zone_of
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order
from jiying.orders.store import load_many, pack_of

log = logging.getLogger("jiying.dispatch")

EMERGENCY_MIN, ORDINARY_MIN = 30.0, 240.0
"""Minutes in which the engine wants somebody on site, by urgency: those of a day's run (`fleet.world`)."""

TIERS = {"station": Tier.STATION, "centre": Tier.CENTRE}
REACHES = {Tier.STATION: "town", Tier.CENTRE: "district"}


@dataclass(frozen=True, slots=True)
class Advice:
    """Who could go to one order: the ranking, the people in it, and what it was made with.

    `failed`: the engine broke down, and `nearest` stood in.  `widened`: the reaches that are asked because a surge
    runs.
    """

    order: Order
    job: Job
    ranking: Ranking
    people: dict[str, Hand]
    settings: Settings
    rules: Rules
    history: History
    outlook: Outlook | None = None
    outside: Outside | None = None
    failed: bool = False
    widened: frozenset[str] = frozenset()

    @property
    def held_min(self) -> float:
        """Minutes for which a rule holds the order back, since whoever would go is worth more where they are."""
        best = self.ranking.best
        if self.outlook is None or best is None or best.cost is None or best.minutes is None:
            return 0.0
        return held_min(self.job, best.minutes, best.cost, self.outlook)

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
            **({"pool": choice.candidate.pool} if choice.candidate.pool == "alliance" else {}),
            **({"surge": True} if choice.candidate.pool in self.widened else {}),
            "load": choice.candidate.load,
            "soon": self.ranking.others_within(choice, self.settings.soon_min, among),
        }
        if choice.metres is not None and choice.minutes is not None:
            kept |= {"metres": round(choice.metres), "minutes": round(choice.minutes)}
        if choice.cost is not None:
            kept["price"] = round(choice.cost.price, 3)
            if choice.cost.leave_by is not None:
                kept["leave_by"] = int(choice.cost.leave_by)
        return kept

    def noted(self, worker: str, *, by_person: bool) -> dict[str, object]:
        """What the event of an assignment keeps: ids and numbers, no personal text.

        `overrules`: a person sends somebody else than comes first, or than a rule had sent.
        """
        choice, best, near = self.ranking.of(worker), self.ranking.best, self.ranking.nearest
        kept: dict[str, object] = {
            "engine": self.ranking.engine,
            "rank": choice.rank if choice else 0,
            "of": len(self.ranking.ranked),
            "best": best.worker if best else "",
            **self.spoken(worker),
        }
        if near is not None and near.minutes is not None:
            kept["nearest"] = {"worker": near.worker, "minutes": round(near.minutes)}
        if self.outside is not None:
            kept["outside"] = {"n": self.outside.n, "minutes": self.outside.minutes}
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
    pools = Pools.on(timezone.localdate(now), {order.district for order in orders})
    entitled = _entitled(orders, pools, now)
    hands = read({company for tiers in entitled.values() for company in tiers}, now)
    known = {district: outlooks.of(district, now) for district in {order.district for order in orders}}
    return [
        _advice(
            order, ledgers[order.pk], policies.of(order), entitled[order.pk], hands, now, everybody,
            known[order.district], pools.of(order, skill_of(order)), pools.widened(order, skill_of(order)),
        )
        for order in orders
    ]  # fmt: skip


def _entitled(
    orders: Sequence[Order], pools: Pools, now: datetime
) -> dict[uuid.UUID, dict[uuid.UUID, tuple[Tier, str]]]:
    """For each order the companies that may go: the lowest tier of each, and the reach by which.  One query, and one
    more where a pool uses alliances.
    """
    day = timezone.localdate(now)
    towns = {order.town_id for order in orders if order.town_id}
    by_place: dict[uuid.UUID | str, list[tuple[Tier, str, uuid.UUID]]] = defaultdict(list)
    for division, code, name, company in mandated(towns, {order.district for order in orders}, day):
        tier = TIERS[name]
        by_place[code if tier is Tier.CENTRE else division].append((tier, REACHES[tier], company))
    partners = allied({o.company_id for o in orders if o.company_id}, day) if pools.allied else {}
    found: dict[uuid.UUID, dict[uuid.UUID, tuple[Tier, str]]] = {}
    for order in orders:
        reach = pools.of(order, skill_of(order))
        mine: dict[uuid.UUID, tuple[Tier, str]] = {}
        if order.company_id:
            mine[order.company_id] = (Tier.TEAM, "company")
        for level, by, body in [*by_place.get(order.district, ()), *by_place.get(order.town_id or "", ())]:
            if by in reach:
                mine[body] = min(mine.get(body, (level, by)), (level, by))
        # An agreement makes them part of the first duty, whatever else they are.
        for body in partners.get(order.company_id, ()) if order.company_id and "alliance" in reach else ():
            mine[body] = (Tier.TEAM, "alliance")
        found[order.pk] = mine
    return found


def skill_of(order: Order) -> str:
    """The skill that the order's category wants; "" where none in particular."""
    category = pack_of(order.pack).categories.get(order.category)
    return category.skill if category else ""


def _advice(
    order: Order,
    ledger: Ledger,
    rules: Rules,
    entitled: dict[uuid.UUID, tuple[Tier, str]],
    hands: dict[uuid.UUID, list[Hand]],
    now: datetime,
    everybody: bool,
    known: Outlook | None,
    reach: frozenset[str],
    widened: frozenset[str],
) -> Advice:
    history = History.of(ledger.moments)
    settings = settings_of(rules)
    job = Job(
        order=str(order.pk),
        at=spot_of(order.lon, order.lat),
        skill=skill_of(order),
        urgency=order.urgency,
        asked=Tier.CENTRE if everybody else history.asked,
        left_min=(limit_of(ledger) - now).total_seconds() / 60,
    )
    people = [(hand, *by) for company, by in entitled.items() for hand in hands.get(company, ())]
    candidates = [_candidate(hand, tier, by, order, history, now) for hand, tier, by in people]
    barred = [replace(one, barred=OUTSIDE) if one.pool not in reach and not one.barred else one for one in candidates]
    ranking, failed = _ranked(job, barred, settings, known)
    by_id = {hand.id: hand for hand, _tier, _by in people}
    beyond = [one for one in candidates if one.pool not in reach]
    wider = what_if(job, ranking, beyond, settings, known, frozenset(map(str, entitled)))
    looked = None if failed else known
    return Advice(order, job, ranking, by_id, settings, rules, history, looked, wider, failed, widened)


def limit_of(ledger: Ledger) -> datetime:
    """By when the engine wants somebody on site: so long after the report, or after the last reopening."""
    begun = max(moment.received_at for moment in ledger.moments if moment.verb in ("report", "reopen"))
    urgent = ledger.judge.facts is not None and ledger.judge.facts.urgency == "emergency"
    return begun + timedelta(minutes=EMERGENCY_MIN if urgent else ORDINARY_MIN)


def _candidate(hand: Hand, tier: Tier, by: str, order: Order, history: History, now: datetime) -> Candidate:
    on_duty, until = hand.duty(now, zone_of(order.district))
    home = order.estate_id is not None and hand.home_id == order.estate_id and by != "alliance"
    return Candidate(
        worker=hand.id,
        tier=tier,
        at=hand.place,
        skills=hand.skills,
        on_duty=on_duty,
        load=hand.load,
        home=home,
        barred=history.bar_of(hand.id, tier, ours=by != "alliance"),
        pool="team" if by == "company" and home else by,
        doing=hand.doing,
        busy_min=max((now - hand.arrived).total_seconds() / 60, 0.0) if hand.arrived else 0.0,
        duty_min=(until - now).total_seconds() / 60 if until else None,
        urgent_in_hand=bool(hand.urgent - {order.pk}),
    )


def _ranked(
    job: Job, candidates: Iterable[Candidate], settings: Settings, known: Outlook | None
) -> tuple[Ranking, bool]:
    """The engine's answer; should it break down, the nearest with the skill, and True."""
    hands = list(candidates)
    try:
        return rank(job, hands, settings, known=known), False
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
