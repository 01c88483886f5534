"""Users, organisations and memberships, and the audit of what was shown, taken away and changed.

A membership says who somebody is, for whom, and from when to when; a user may hold several.  Nothing here
knows estates or orders: towns and committees meet their divisions by `code`, companies by organisation.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NoReturn

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jiying.core.ids import uuid7
from jiying.people.scopes import scope_of


class Role(models.TextChoices):
    """The roles of the contract; `rule` is a dated rule, which acts without a person."""

    RESIDENT = "resident", _("居民")
    WORKER = "worker", _("维修工")
    MANAGER = "manager", _("小区经理")
    COMPANY = "company", _("物业企业")
    COMMITTEE = "committee", _("居村委")
    TOWN = "town", _("街镇房办")
    OPERATOR = "operator", _("坐席")
    SUPERVISOR = "supervisor", _("值班长")
    DISTRICT = "district", _("区物管处")


class User(AbstractUser):
    """Somebody who signs in.  `name` is how pages call them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return self.name or self.username


class OrganisationKind(models.TextChoices):
    DISTRICT = "district", _("区物管处")
    TOWN = "town", _("街镇房办")
    COMMITTEE = "committee", _("居村委")
    COMPANY = "company", _("物业企业")
    CENTRE = "centre", _("行业指挥中心")
    OWNERS = "owners", _("业主委员会")


class Organisation(models.Model):
    """A body that people belong to.  Towns and committees carry their division's code, companies their USCC."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=OrganisationKind)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    district = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="organisation_kind_code")]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def valid_on(self, day: date) -> MembershipQuerySet:
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class Membership(models.Model):
    """Who somebody is for an organisation, from `valid_from` up to but not including `valid_to`.

    `places` narrows it to some estates by their codes (an estate manager, an owners' committee); empty
    means all of the organisation's.  `duty` is `front_desk`, `duty_manager` or empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships", null=True, blank=True)
    role = models.CharField(max_length=12, choices=Role)
    duty = models.CharField(max_length=20, blank=True)
    places = models.JSONField(default=list, blank=True)
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class NightDuty(models.Model):
    """`user` is on duty for `organisation` from `starts_at` up to but not including `ends_at`: a line of its roster.

    `duty` is the audience that is told through them (`rosters.DUTIES`).  `places` narrows it to some estates by their
    codes; empty means all.  Only what lies in a night counts (`nights`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="night_duties", db_index=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="night_duties")
    duty = models.CharField(max_length=12)
    places = models.JSONField(default=list, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name_plural = "night duties"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user", "duty", "starts_at"], name="night_duty_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="night_duty_not_backwards"),
        ]
        indexes = [models.Index(fields=["organisation", "ends_at"], name="night_duty_until")]

    def __str__(self) -> str:
        return f"{self.user} · {self.starts_at:%m-%d %H:%M}–{self.ends_at:%m-%d %H:%M}"


class Token(models.Model):
    """A bearer token for the REST interface; only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"token of {self.user}"


class AuditAction(models.TextChoices):
    """What is audited."""

    REVEAL = "reveal", _("查看号码")
    EXPORT = "export", _("导出")
    PERMISSION = "permission", _("变更权限")
    ERASE = "erase", _("删除个人信息")
    CHANNEL = "channel", _("停用或启用通知渠道")
    REPACK = "repack", _("换规则包")


class AuditQuerySet(models.QuerySet["Audit"]):
    def visible_to(self, user: Any) -> AuditQuerySet:
        """Rows of the districts that somebody answers for: district officers and shift supervisors."""
        scope = scope_of(user)
        if not scope.roles & {"district", "supervisor"}:
            return self.none()
        return self.filter(district__in=[*scope.districts, ""])

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused: rows are only ever added."""
        raise TypeError("the audit is append-only")

    def delete(self) -> NoReturn:
        """Refused: rows are only ever added."""
        raise TypeError("the audit is append-only")


class Audit(models.Model):
    """One line of the audit: who did what to whose data, why, when and from where.  Written by `audit.record`.

    `by` is a user's id; empty when no user stands behind it (a command on the machine).  `subject` is the id
    of what it was about, `about` its name for people (an order's number).  `data` holds counts and codes,
    never personal data.  `mark` is a keyed hash over the rest: a row changed behind the program's back shows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=12, choices=AuditAction)
    by = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=12, blank=True)
    subject = models.CharField(max_length=60, blank=True)
    about = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict)
    mark = models.CharField(max_length=64)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit"
        indexes = [
            models.Index(fields=["district", "at"], name="audit_district"),
            models.Index(fields=["by", "action", "at"], name="audit_by"),
            models.Index(fields=["subject", "action"], name="audit_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.about}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only as a new row."""
        if not self._state.adding:
            raise TypeError("the audit is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise TypeError("the audit is append-only")
