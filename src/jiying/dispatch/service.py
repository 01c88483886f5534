"""Between the engine and the orders: who could go to which order now, in a number of queries that does not grow.

Only the entitled are read: the team of the running contract, the stations of the town, the centres of the district.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from jiying.dispatch.engine.ranking import Choice, Ranking, nearest, rank
from jiying.dispatch.engine.world import DEFAULTS, Candidate, Job, Settings, Spot, Tier
from jiying.dispatch.plan import History, Rules
from jiying.dispatch.policies import Policies
from jiying.estates.models import Worker
from jiying.estates.queries import mandated, with_duty, zone_of
from jiying.orders.ledger import Ledger
from jiying.orders.models import Order
from jiying.orders.states import OPEN
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
    workers: dict[str, Worker]
    settings: Settings
    rules: Rules
    history: History
    failed: bool = False

    def worker(self, choice: Choice) -> Worker:
        return self.workers[choice.worker]

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


@dataclass(slots=True)
class _Hands:
    """What is known of the workers in reach."""

    workers: dict[uuid.UUID, list[Worker]] = field(default_factory=lambda: defaultdict(list))
    load: dict[uuid.UUID, int] = field(default_factory=lambda: defaultdict(int))
    place: dict[uuid.UUID, tuple[bool, datetime, Spot]] = field(default_factory=dict)


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
    hands = _hands({company for tiers in entitled.values() for company in tiers}, now)
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


def _hands(companies: set[uuid.UUID], now: datetime) -> _Hands:
    """The companies' active workers with duty, load and place.  Four queries.

    A place is known only while an order of theirs is active: where they arrived, else where they are going; everybody
    else is taken to be at their home estate.
    """
    hands = _Hands()
    rows = with_duty(Worker.objects.filter(active=True, company_id__in=companies), now)
    for worker in rows.select_related("company", "home_estate"):
        hands.workers[worker.company_id].append(worker)
    # `open` is a set of states; the index of (worker, state) answers.
    busy = Order.objects.filter(worker__company_id__in=companies, state__in=sorted(OPEN)).order_by()
    columns = ("worker_id", "state", "state_since", "lon", "lat")
    for worker_id, state, since, lon, lat in busy.values_list(*columns):
        if worker_id is None:
            continue
        hands.load[worker_id] += 1
        if state in ("on_site", "en_route") and lon is not None and lat is not None:
            here = (state == "on_site", since, Spot(lon, lat))
            hands.place[worker_id] = max(hands.place.get(worker_id, here), here, key=lambda known: known[:2])
    return hands


def _advice(
    order: Order,
    ledger: Ledger,
    rules: Rules,
    entitled: dict[uuid.UUID, Tier],
    hands: _Hands,
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
    people = [(worker, tier) for company, tier in entitled.items() for worker in hands.workers.get(company, ())]
    candidates = [
        Candidate(
            worker=str(worker.pk),
            tier=tier,
            at=_place_of(worker, hands),
            skills=frozenset(worker.skills),
            on_duty=worker.on_duty(now, zone),
            load=hands.load.get(worker.pk, 0),
            home=order.estate_id is not None and worker.home_estate_id == order.estate_id,
            barred=history.bar_of(str(worker.pk), tier),
        )
        for worker, tier in people
    ]
    ranking, failed = _ranked(job, candidates, settings)
    workers = {str(worker.pk): worker for worker, _tier in people}
    return Advice(order, job, ranking, workers, settings, rules, history, failed)


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


def spot_of(lon: float | None, lat: float | None) -> Spot | None:
    """A place, where both numbers are there."""
    return Spot(lon, lat) if lon is not None and lat is not None else None


def _place_of(worker: Worker, hands: _Hands) -> Spot | None:
    known = hands.place.get(worker.pk)
    if known is not None:
        return known[2]
    home = worker.home_estate
    return spot_of(home.lon, home.lat) if home else None
