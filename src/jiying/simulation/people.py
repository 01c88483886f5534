"""Made-up companies and people for simulated districts; every name is drawn, nobody is meant."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from stdnum.cn import uscc

from jiying.core.crypto import seal
from jiying.core.ids import uuid7
from jiying.estates.models import Company, Estate, Shift, Worker
from jiying.people.models import Membership, Organisation, OrganisationKind, Role, User

_SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗"
_GIVEN = "伟强军磊勇杰涛明超辉刚平斌鹏飞波宁建国海峰志成文华"


def person(rng: random.Random) -> str:
    """A made-up name."""
    return rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2))))


def phone(rng: random.Random) -> str:
    """A made-up mobile number of a valid form."""
    return "+86139" + "".join(rng.choice("0123456789") for _ in range(8))


def credit_code(number: int, area: str = "310115") -> str:
    """A unified social credit code with a right check digit, from a running number below 100,000."""
    base = f"91{area[:6]:0<6}MA1K{number:05}"
    return base + str(uscc.calc_check_digit(base))


def user(username: str, name: str) -> User:
    """An unsaved user who cannot sign in by password."""
    return User(id=uuid7(), username=username, name=name, password="!")


@dataclass(slots=True)
class Staff:
    """Unsaved rows of one or more companies' people, to be written together."""

    users: list[User]
    members: list[Membership]
    workers: list[Worker]
    shifts: list[Shift]

    @classmethod
    def empty(cls) -> Staff:
        return cls([], [], [], [])

    def member(self, who: User, organisation: Organisation, role: str, **more: object) -> None:
        self.members.append(Membership(user=who, organisation=organisation, role=role, **more))

    def desk(self, company: Company, username: str, name: str) -> User:
        """A front-desk user of a company."""
        who = user(username, name)
        self.users.append(who)
        self.member(who, company.organisation, Role.COMPANY, duty="front_desk")
        return who

    def worker(
        self,
        company: Company,
        *,
        username: str,
        name: str,
        skills: Sequence[str],
        hours: Sequence[tuple[int, int]],
        home: Estate | None,
        number: str = "",
    ) -> Worker:
        """A worker with a user and shifts (minutes of the day)."""
        who = user(username, name)
        self.users.append(who)
        self.member(who, company.organisation, Role.WORKER)
        row = Worker(id=uuid7(), company=company, user=who, name=name, skills=sorted(skills), home_estate=home)
        if number:
            row.phone = seal(number, context=f"worker:{row.id}")
        self.workers.append(row)
        self.shifts += [Shift(worker=row, start_min=start, end_min=end) for start, end in hours]
        return row

    def save(self) -> None:
        """Write everything; inside the caller's transaction."""
        User.objects.bulk_create(self.users, batch_size=500)
        Membership.objects.bulk_create(self.members, batch_size=500)
        Worker.objects.bulk_create(self.workers, batch_size=500)
        Shift.objects.bulk_create(self.shifts, batch_size=500)


def companies(names: Sequence[str], *, district: str, area: str) -> list[Company]:
    """Saved companies with organisations and valid codes."""
    organisations = [
        Organisation(kind=OrganisationKind.COMPANY, code=credit_code(n + 1, area), name=name, district=district)
        for n, name in enumerate(names)
    ]
    Organisation.objects.bulk_create(organisations, batch_size=500)
    rows = [Company(district=district, uscc=o.code, name=o.name, organisation=o) for o in organisations]
    Company.objects.bulk_create(rows, batch_size=500)
    return rows


def skill_sets(count: int, weights: dict[str, float], rng: random.Random) -> list[list[str]]:
    """For `count` workers, two or three skills each, drawn by demand; every skill in demand at least once."""
    names = [name for name, weight in weights.items() if weight > 0] or ["general"]
    sets: list[list[str]] = [[] for _ in range(max(count, 1))]
    for index, name in enumerate(sorted(names, key=lambda n: -weights.get(n, 0))):
        sets[index % len(sets)].append(name)
    for own in sets:
        while len(own) < min(3, len(names)):
            extra = rng.choices(names, [weights.get(n, 1.0) for n in names])[0]
            if extra not in own:
                own.append(extra)
    return sets
