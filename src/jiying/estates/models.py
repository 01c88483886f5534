"""Where things are and who serves them.

Divisions, contracts and mandates are dated: codes are revoked, the company serving an estate changes.
Points are stored in WGS-84; `crs` keeps the system they came in.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jiying.core.ids import uuid7
from jiying.estates.duty import Hours, Switch, is_on
from jiying.people.models import Organisation, User
from jiying.people.scopes import scope_of


class DatedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows valid from `valid_from` up to but not including `valid_to`."""

    def valid_on(self, day: date) -> DatedQuerySet:
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class Level(models.TextChoices):
    DISTRICT = "district", _("区")
    TOWN = "town", _("街镇")
    COMMITTEE = "committee", _("居村委")


class Division(models.Model):
    """A node of the administrative tree: district, town or committee.  The district knows the time zone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    level = models.CharField(max_length=12, choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    timezone = models.CharField(max_length=40, blank=True)
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "valid_from"], name="division_code_from")]
        indexes = [models.Index(fields=["level", "code"])]

    def __str__(self) -> str:
        return self.name


class EstateKind(models.TextChoices):
    RESIDENTIAL = "residential", _("住宅")
    COMMERCIAL = "commercial", _("商办")
    MIXED = "mixed", _("综合")
    PUBLIC = "public", _("公共")
    INDUSTRIAL = "industrial", _("工业")


class EstateQuerySet(models.QuerySet["Estate"]):
    def visible_to(self, user: User) -> EstateQuerySet:
        """Estates somebody's memberships reach.  (The public sees names only, by `queries.find_places`.)"""
        scope = scope_of(user)
        today = date.today()
        contracted = Q()
        companies = set(scope.companies) | set(scope.works_for) | {k for k, v in scope.managed.items() if not v}
        if companies:
            contracted = Q(
                pk__in=Contract.objects.valid_on(today)
                .filter(company__organisation_id__in=companies)
                .values("estate_id")
            )
        reach = (
            Q(district__in=scope.districts)
            | Q(town__code__in=scope.towns)
            | Q(committee__code__in=scope.committees)
            | Q(code__in=set(scope.owned).union(*scope.managed.values()))
        )
        return self.filter(reach | contracted if contracted else reach)


class Estate(models.Model):
    """What one contract manages, or would if there were one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    initials = models.CharField(max_length=60, blank=True)
    kind = models.CharField(max_length=12, choices=EstateKind, default=EstateKind.RESIDENTIAL)
    address = models.CharField(max_length=200, blank=True)
    households = models.PositiveIntegerField(default=0)
    town = models.ForeignKey(Division, models.PROTECT, related_name="town_estates")
    committee = models.ForeignKey(Division, models.PROTECT, related_name="estates", null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    crs = models.CharField(max_length=10, default="WGS-84")

    objects = EstateQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["district", "name"]), models.Index(fields=["initials"])]

    def __str__(self) -> str:
        return self.name


class Building(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    estate = models.ForeignKey(Estate, models.CASCADE, related_name="buildings")
    name = models.CharField(max_length=120)
    floors = models.PositiveSmallIntegerField(default=6)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["estate", "name"], name="building_once")]

    def __str__(self) -> str:
        return self.name


class RoomKind(models.TextChoices):
    PUMP = "pump", _("泵房")
    POWER = "power", _("配电间")
    LIFT = "lift", _("电梯机房")
    FIRE = "fire", _("消防控制室")
    HEAT = "heat", _("换热站")
    OTHER = "other", _("其他设备间")


class PlantRoom(models.Model):
    """A room with machines that serve many: its sign proves an arrival like a building's.

    `building` None: it stands by itself in the estate.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    estate = models.ForeignKey(Estate, models.CASCADE, related_name="rooms")
    building = models.ForeignKey(Building, models.CASCADE, null=True, blank=True, related_name="rooms")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=8, choices=RoomKind, default=RoomKind.OTHER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["estate", "name"], name="room_once")]

    def __str__(self) -> str:
        return self.name


class Company(models.Model):
    """A property-service company; `uscc` is its unified social credit code (GB 32100), checked on writing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    uscc = models.CharField(max_length=18, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="subsidiaries")
    organisation = models.OneToOneField(Organisation, models.PROTECT, related_name="company")

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name


class Contract(models.Model):
    """`company` serves `estate` from `valid_from` up to but not including `valid_to`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    company = models.ForeignKey(Company, models.PROTECT, related_name="contracts")
    estate = models.ForeignKey(Estate, models.CASCADE, related_name="contracts")
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["estate", "valid_from"])]

    def __str__(self) -> str:
        return f"{self.company} × {self.estate}"


class Tier(models.TextChoices):
    """Who may go beyond an estate's own team, in the order in which they are asked."""

    STATION = "station", _("街镇特约服务站")
    CENTRE = "centre", _("区物业应急维修中心")


class Mandate(models.Model):
    """`company` is the contracted station of a town, or the emergency repair centre of a district.

    In force from `valid_from` up to but not including `valid_to`.  A division may have several of one tier.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    company = models.ForeignKey(Company, models.CASCADE, related_name="mandates")
    tier = models.CharField(max_length=8, choices=Tier)
    division = models.ForeignKey(Division, models.PROTECT, related_name="mandates", db_index=False)
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "tier", "division", "valid_from"], name="mandate_once"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="mandate_not_backwards"
            ),
        ]
        indexes = [models.Index(fields=["division", "valid_from"], name="mandate_division")]

    def __str__(self) -> str:
        return f"{self.company} · {self.get_tier_display()} · {self.division}"


class Alliance(models.Model):
    """A regional alliance (区域联盟): companies that have agreed to help one another out with their people."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    name = models.CharField(max_length=120)

    class Meta:
        indexes = [models.Index(fields=["district", "name"], name="alliance_district")]

    def __str__(self) -> str:
        return self.name


class AllianceMember(models.Model):
    """`company` is bound by the agreement from `valid_from` up to but not including `valid_to`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alliance = models.ForeignKey(Alliance, models.CASCADE, related_name="members", db_index=False)
    company = models.ForeignKey(Company, models.CASCADE, related_name="alliances")
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alliance", "company", "valid_from"], name="alliance_member_once"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="alliance_not_backwards"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alliance} · {self.company}"


class WorkerQuerySet(models.QuerySet["Worker"]):
    def visible_to(self, user: User) -> WorkerQuerySet:
        """Workers whom somebody may see: their company's, or the district's for those who dispatch."""
        scope = scope_of(user)
        companies = set(scope.companies) | set(scope.managed) | set(scope.works_for)
        return self.filter(
            Q(company__district__in=scope.districts)
            | Q(company__organisation_id__in=companies)
            | Q(user_id=scope.user_id)
        )


class Worker(models.Model):
    """A repair worker.  `skills` are codes of the rule pack; the telephone is sealed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    company = models.ForeignKey(Company, models.PROTECT, related_name="workers")
    user = models.OneToOneField(User, models.SET_NULL, null=True, blank=True, related_name="worker")
    name = models.CharField(max_length=60)
    skills = models.JSONField(default=list)
    home_estate = models.ForeignKey(Estate, models.SET_NULL, null=True, blank=True, related_name="home_workers")
    phone = models.BinaryField(default=b"", blank=True)
    active = models.BooleanField(default=True)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["company", "name"])]

    def __str__(self) -> str:
        return self.name

    def on_duty(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether they are at work at `at`: by what was switched last, else by their shifts on the clock of `zone`."""
        hours = [shift.hours for shift in self.shifts.all()]
        switches = [change.switch for change in self.duty_changes.all()]
        return is_on(hours, switches, at, zone)


class Shift(models.Model):
    """Working hours: from `start_min` to `end_min` (minutes of the day; past 1,440 runs into the next day).

    `weekdays` is a bit mask, Monday = 1.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="shifts")
    start_min = models.PositiveSmallIntegerField()
    end_min = models.PositiveSmallIntegerField()
    weekdays = models.PositiveSmallIntegerField(default=127)

    def __str__(self) -> str:
        return f"{self.start_min // 60:02}:{self.start_min % 60:02}–{self.end_min // 60 % 24:02}:{self.end_min % 60:02}"

    @property
    def hours(self) -> Hours:
        """The pure view."""
        return Hours(self.start_min, self.end_min, self.weekdays)

    def covers(self, weekday: int, minute: int) -> bool:
        """Whether the shift runs at `minute` of `weekday` (Monday = 0)."""
        return self.hours.covers(weekday, minute)


class DutyChange(models.Model):
    """A worker came to work, or left, beside what the shifts say: from `at` up to but not including `until`.

    Nothing is overwritten: of several that hold at a time the one made last counts.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="duty_changes", db_index=False)
    on = models.BooleanField()
    at = models.DateTimeField()
    until = models.DateTimeField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["worker", "until"], name="duty_worker_until")]

    @property
    def switch(self) -> Switch:
        """The pure view."""
        return Switch(self.on, self.at, self.until)

    def __str__(self) -> str:
        return f"{self.worker} {'on' if self.on else 'off'} {self.at:%m-%d %H:%M}–{self.until:%m-%d %H:%M}"
