"""Writes about people: tokens, memberships, duty rosters.  A change of what somebody may do is put on the audit."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput
from jiying.people import audit, rosters
from jiying.people.models import AuditAction, Membership, NightDuty, Organisation, Token, User
from jiying.people.nights import Nights


def issue_token(user: User, *, days: int = 30) -> tuple[str, datetime]:
    """A new bearer token and when it ends; only its SM3 is stored."""
    if not 1 <= days <= 3650:
        raise BadInput.of("days", "out_of_range", _("有效天数应在 1 到 3650 之间。"))
    secret = secrets.token_urlsafe(32)
    now = timezone.now()
    token = Token.objects.create(
        user=user, digest=sm3_hex(secret.encode()), created_at=now, expires_at=now + timedelta(days=days)
    )
    return secret, token.expires_at


def join(
    user: User,
    organisation: Organisation,
    role: str,
    *,
    duty: str = "",
    places: tuple[str, ...] = (),
    since: date = date(2000, 1, 1),
    by: User | None = None,
    origin: str = audit.COMMAND,
) -> Membership:
    """Make `user` a member; saying it twice changes nothing."""
    wanted = {"duty": duty, "places": list(places), "valid_from": since, "valid_to": None}
    with transaction.atomic():
        member = Membership.objects.filter(user=user, organisation=organisation, role=role).first()
        if member is not None and all(getattr(member, name) == value for name, value in wanted.items()):
            return member
        member, _created = Membership.objects.update_or_create(
            user=user, organisation=organisation, role=role, defaults=wanted
        )
        record_membership(member, "join", by=by, origin=origin)
    return member


def leave(member: Membership, *, on: date, by: User | None = None, origin: str = audit.COMMAND) -> None:
    """End a membership on `on`; history keeps it."""
    member.valid_to = on
    with transaction.atomic():
        member.save(update_fields=["valid_to"])
        record_membership(member, "leave", by=by, origin=origin)


@dataclass(frozen=True, slots=True)
class Filled:
    """What filling a roster came to: lines made, and those that stood there already (or whose people have left)."""

    made: int = 0
    kept: int = 0


def put_on_duty(
    organisation: Organisation,
    duty: str,
    people: Sequence[User],
    spans: Sequence[tuple[datetime, datetime]],
    *,
    places: Iterable[str] = (),
    by: User | None = None,
) -> Filled:
    """Put people into the roster of an organisation, each for all `spans` (from, to; aware); saying it twice changes
    nothing.

    Raises:
        BadInput: `unknown_duty`, `required` (nobody, no night), `not_a_member`, `ends_before`, `overlaps` (the same
            person at the same time, but for other hours or estates).
    """
    if duty not in rosters.BY_KIND.get(organisation.kind, ()):
        raise BadInput.of("duty", "unknown_duty", _("没有这种值班。"))
    if not people or not spans:
        raise BadInput.of("people", "required", _("请选择值班的人和夜晚。"))
    if any(end <= start for start, end in spans):
        raise BadInput.of("to", "ends_before", _("值班的结束时间早于开始时间。"))
    may = {user.pk for user, duties in rosters.people(organisation, timezone.localdate()) if duty in duties}
    if strangers := [user for user in people if user.pk not in may]:
        raise BadInput.of(
            "people", "not_a_member", _("%(name)s 不是本单位能值这个班的人。") % {"name": strangers[0].name}
        )
    wanted = [(user.pk, start, end, sorted(places)) for user in people for start, end in spans]
    with transaction.atomic():
        return _fill(organisation, duty, wanted, by, strict=True)


def copy_duties(
    organisation: Organisation, rows: Sequence[NightDuty], nights: Nights, *, by: User | None = None
) -> Filled:
    """Put the same people on duty a week after `rows`: whole nights as whole nights, other hours at the same hours.

    Who has left, or has something at that time already, is passed over.
    """
    may = dict(rosters.people(organisation, timezone.localdate()))
    made = kept = 0
    with transaction.atomic():
        for row in rows:
            start, end = _a_week_on(row, nights)
            if row.duty in may.get(row.user, ()):
                done = _fill(organisation, row.duty, [(row.user_id, start, end, row.places)], by, strict=False)
                made, kept = made + done.made, kept + done.kept
            else:
                kept += 1
    return Filled(made, kept)


def _a_week_on(row: NightDuty, nights: Nights) -> tuple[datetime, datetime]:
    start, end = row.starts_at.astimezone(nights.zone), row.ends_at.astimezone(nights.zone)
    night = nights.of(start)
    if night is not None and (start, end) == nights.night(night):
        return nights.night(night + timedelta(days=7))
    return start + timedelta(days=7), end + timedelta(days=7)


def _fill(
    organisation: Organisation,
    duty: str,
    wanted: Sequence[tuple[uuid.UUID, datetime, datetime, list[str]]],
    by: User | None,
    *,
    strict: bool,
) -> Filled:
    """Write lines that are not there yet; whoever fills the same roster at the same time waits."""
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    first, last = min(start for _u, start, _e, _p in wanted), max(end for _u, _s, end, _p in wanted)
    there = [row for row in rosters.between([organisation.pk], first, last) if row.duty == duty]
    fresh, kept = [], 0
    for user, start, end, places in wanted:
        same = [row for row in there if row.user_id == user and row.starts_at < end and start < row.ends_at]
        if any((row.starts_at, row.ends_at, row.places) != (start, end, places) for row in same) and strict:
            raise BadInput.of(
                "people", "overlaps", _("%(name)s 在这段时间已经排了班，请先撤下原来的再排。") % {"name": same[0].user}
            )
        if same:
            kept += 1
            continue
        fresh.append(
            NightDuty(
                organisation=organisation, user_id=user, duty=duty, places=places, starts_at=start, ends_at=end, by=by
            )
        )
    NightDuty.objects.bulk_create(fresh, batch_size=500)
    return Filled(len(fresh), kept)


def take_off_duty(row: NightDuty) -> None:
    """Take a line out of a roster.

    Raises:
        BadInput: `over`: that night has passed, and the record of who was on duty stays.
    """
    if row.ends_at <= timezone.now():
        raise BadInput.of("duty", "over", _("这一班已经过去，值班记录不能再改。"))
    row.delete()


def record_membership(member: Membership, change: str, *, by: User | None, origin: str) -> None:
    """Put a changed membership on the audit; `change` is join, leave, or delete."""
    organisation = member.organisation
    audit.record(
        AuditAction.PERMISSION,
        by=by,
        district=organisation.district if organisation else "",
        origin=origin,
        subject=member.user_id,
        about=member.user.username,
        data={
            "change": change,
            "role": member.role,
            "organisation": organisation.code if organisation else "",
            "duty": member.duty,
            "places": len(member.places),
            "from": member.valid_from.isoformat(),
            "to": member.valid_to.isoformat() if member.valid_to else None,
        },
    )


def record_power(user: User, powers: dict[str, bool], *, by: User | None, origin: str) -> None:
    """Put a user's changed powers on the audit: whether they may sign in, enter the back office, do all there."""
    audit.record(
        AuditAction.PERMISSION,
        by=by,
        district="",
        origin=origin,
        subject=user.pk,
        about=user.username,
        data={"change": "power", **powers},
    )
