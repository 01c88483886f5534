"""Users, organisations and memberships.

A membership says who somebody is, for whom, and from when to when; a user may hold several.  Nothing here
knows estates or orders: towns and committees meet their divisions by `code`, companies by organisation.
"""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jiying.core.ids import uuid7


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


class Token(models.Model):
    """A bearer token for the REST interface; only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"token of {self.user}"
