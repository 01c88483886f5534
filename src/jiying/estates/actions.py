"""Writes about estates, companies and workers; each checks its input and says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from stdnum.cn import uscc as uscc_check
from stdnum.exceptions import ValidationError as BadNumber

from jiying.core.crypto import seal
from jiying.core.errors import BadInput
from jiying.core.phones import parse_phone
from jiying.estates.duty import LONGEST, holds_until
from jiying.estates.models import (
    Alliance,
    AllianceMember,
    Company,
    Contract,
    Division,
    DutyChange,
    Estate,
    Level,
    Mandate,
    Shift,
    Worker,
)
from jiying.estates.queries import zone_of
from jiying.people.models import Organisation, OrganisationKind, User


def checked_uscc(code: str) -> str:
    """The unified social credit code without spaces, upper case.

    Raises:
        BadInput: code `bad_uscc`, with what is wrong (length, characters, check digit).
    """
    try:
        return str(uscc_check.validate(code))
    except BadNumber as error:
        raise BadInput.of("uscc", "bad_uscc", _("统一社会信用代码不对：%(why)s") % {"why": str(error)}) from error


def register_company(*, district: str, uscc: str, name: str, parent: Company | None = None) -> Company:
    """A company and its organisation."""
    code = checked_uscc(uscc)
    if Company.objects.filter(uscc=code).exists():
        raise BadInput.of("uscc", "duplicate", _("这个统一社会信用代码已经登记过。"))
    with transaction.atomic():
        organisation = Organisation.objects.create(
            kind=OrganisationKind.COMPANY, code=code, name=name, district=district
        )
        return Company.objects.create(district=district, uscc=code, name=name, parent=parent, organisation=organisation)


def sign_contract(company: Company, estate: Estate, *, since: date, until: date | None = None) -> Contract:
    """`company` serves `estate` from `since`; one that runs by then ends that day.

    It ends itself, at the latest, where a contract begins that is signed already: two never run on one day.
    """
    if until is not None and until <= since:
        raise BadInput.of("valid_to", "bad_time", _("合同的结束日期应晚于开始日期。"))
    with transaction.atomic():
        signed = Contract.objects.filter(estate=estate)
        signed.valid_on(since).update(valid_to=since)
        following = signed.filter(valid_from__gt=since).order_by("valid_from").first()
        if following is not None and (until is None or until > following.valid_from):
            until = following.valid_from
        return Contract.objects.create(company=company, estate=estate, valid_from=since, valid_to=until)


def hire(
    company: Company,
    *,
    name: str,
    skills: Iterable[str],
    shifts: Iterable[tuple[int, int]],
    known_skills: Iterable[str],
    home: Estate | None = None,
    user: User | None = None,
    phone: str = "",
) -> Worker:
    """A worker with skills (codes among `known_skills`) and shifts in minutes of the day."""
    wanted = sorted(set(skills))
    if unknown := sorted(set(wanted) - set(known_skills)):
        raise BadInput.of("skills", "unknown_skill", _("没有这样的技能：%(what)s") % {"what": "、".join(unknown)})
    hours = list(shifts)
    for start, end in hours:
        if not 0 <= start < 1440 or not start < end <= start + 1440:
            raise BadInput.of("shifts", "bad_time", _("班次的结束时间应晚于开始时间。"))
    with transaction.atomic():
        worker = Worker(company=company, name=name, skills=wanted, home_estate=home, user=user)
        if phone:
            worker.phone = seal(parse_phone(phone), context=f"worker:{worker.id}")
        worker.save()
        Shift.objects.bulk_create(Shift(worker=worker, start_min=start, end_min=end) for start, end in hours)
        return worker


def give_mandate(company: Company, tier: str, division: Division, *, since: date, until: date | None = None) -> Mandate:
    """`company` is a station of the town, or the centre of the district, `division` from `since`.

    Raises:
        BadInput: `unknown_tier`; `wrong_level`: stations belong to towns, centres to districts; `bad_time`.
    """
    level = {"station": Level.TOWN, "centre": Level.DISTRICT}.get(tier)
    if level is None:
        raise BadInput.of("tier", "unknown_tier", _("只有服务站和应急维修中心需要授权。"))
    if division.level != level:
        raise BadInput.of("division", "wrong_level", _("服务站属于街镇，应急维修中心属于区。"))
    if until is not None and until <= since:
        raise BadInput.of("valid_to", "bad_time", _("授权的结束日期应晚于开始日期。"))
    return Mandate.objects.create(company=company, tier=tier, division=division, valid_from=since, valid_to=until)


def ally(name: str, companies: Iterable[Company], *, since: date, until: date | None = None) -> Alliance:
    """Companies of one district help one another out with their people from `since`.

    Raises:
        BadInput: `too_few`: an alliance has two members at least; `other_district`; `bad_time`.
    """
    members = list({company.pk: company for company in companies}.values())
    if len(members) < 2:
        raise BadInput.of("companies", "too_few", _("区域联盟至少要有两家企业。"))
    if len({company.district for company in members}) > 1:
        raise BadInput.of("companies", "other_district", _("区域联盟的企业应在同一个区。"))
    if until is not None and until <= since:
        raise BadInput.of("valid_to", "bad_time", _("联盟协议的结束日期应晚于开始日期。"))
    with transaction.atomic():
        alliance = Alliance.objects.create(district=members[0].district, name=name)
        AllianceMember.objects.bulk_create(
            AllianceMember(alliance=alliance, company=company, valid_from=since, valid_to=until) for company in members
        )
    return alliance


def switch_duty(
    worker: Worker, on: bool, *, by: User, at: datetime | None = None, until: datetime | None = None
) -> DutyChange:
    """`worker` comes to work or leaves, whatever the shifts say; holds until they turn, or `until` (16 h at most).

    Raises:
        BadInput: `bad_time`: the end does not lie after the beginning, or too far away.
    """
    at = at or timezone.now()
    if until is None:
        hours = [shift.hours for shift in worker.shifts.all()]
        until = holds_until(hours, at, zone_of(worker.company.district))
    if not at < until <= at + LONGEST:
        raise BadInput.of("until", "bad_time", _("在班或离岗的结束时间应在十六小时之内。"))
    return DutyChange.objects.create(worker=worker, on=on, at=at, until=until, by=by)
