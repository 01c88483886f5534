"""What a district has decided about who is sent, what the dispatcher still has to do, and what it knows.

`Policy` and `Pool` are edited by people, in the back office.  `Task` is written by `follower` and `loop` alone; a row
that is lost is made again by the order's next event.  `Look` is written by `keeping` alone, every minute, `Surge` and
`SurgeSwitch` by `surges`.  `Moving` and `Standby`, of those who wait elsewhere, stand in `standby/models.py`.
"""

from __future__ import annotations

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from jiying.core.ids import uuid7
from jiying.dispatch.standby.models import Moving, Standby
from jiying.estates.models import Company, DatedQuerySet, Division
from jiying.orders.models import Order
from jiying.people.models import User
from jiying.rules.pack import SKILLS

__all__ = ["Look", "Mode", "Moving", "Policy", "Pool", "Reach", "Standby", "Surge", "SurgeSwitch", "Task"]


class Mode(models.TextChoices):
    """What the dispatcher does about an order nobody has."""

    AUTOMATIC = "automatic", _("自动派工")
    SUGGEST = "suggest", _("只给建议")
    OFF = "off", _("不参与")


class Policy(models.Model):
    """One line of what a district wants, from `valid_from` up to but not including `valid_to`.

    The line that says most about an order counts: a company before a category before an urgency; empty means all.
    `after_s`: seconds that people have before a rule assigns.  `depart_min`: minutes after which somebody who has
    not set off is replaced, at most `most_replaced` times.  `cap_m`: metres; empty: the engine's own.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    company = models.ForeignKey(Company, models.CASCADE, null=True, blank=True, related_name="+")
    category = models.CharField(max_length=30, blank=True)
    urgency = models.CharField(max_length=10, blank=True, choices=[("emergency", _("急修")), ("ordinary", _("一般"))])
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.SUGGEST)
    after_s = models.PositiveIntegerField(default=60, validators=[MaxValueValidator(86_400)])
    depart_min = models.PositiveSmallIntegerField(default=10, validators=[MinValueValidator(1)])
    most_replaced = models.PositiveSmallIntegerField(default=2, validators=[MaxValueValidator(10)])
    cap_m = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(100)])
    load_cap = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="policy_not_backwards"
            ),
        ]
        indexes = [models.Index(fields=["district", "valid_from"], name="policy_district")]

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.get_mode_display(), self.urgency, self.category, str(self.company or ""))))


class Reach(models.TextChoices):
    """How far the dispatcher looks among those who are entitled; each takes in those before it."""

    TEAM = "team", _("本小区队伍")
    COMPANY = "company", _("本企业")
    TOWN = "town", _("本街镇服务站")
    ALLIANCE = "alliance", _("区域联盟")
    DISTRICT = "district", _("全区（含应急中心）")


def no_narrower() -> Q:
    """That `surge_reach` is empty, or `reach` and what takes it in."""
    wide, found = list(Reach.values), Q(surge_reach="")
    for n, reach in enumerate(wide):
        found |= Q(reach=reach, surge_reach__in=wide[n:])
    return found


class Pool(models.Model):
    """Who may be sent in a district, a town of it, for one skill: in force from `valid_from` up to but not including
    `valid_to`.  The line that says most counts: a town before a skill; empty means all (`pools`).  `surge_reach` holds
    instead of `reach` while a surge runs, and is no narrower; empty: nothing changes then.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    town = models.ForeignKey(Division, models.CASCADE, null=True, blank=True, related_name="+")
    skill = models.CharField(max_length=20, blank=True, choices=[(skill, skill) for skill in SKILLS])
    reach = models.CharField(max_length=10, choices=Reach)
    surge_reach = models.CharField(max_length=10, choices=Reach, blank=True, default="", db_default="")
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="pool_not_backwards"
            ),
            models.CheckConstraint(
                condition=no_narrower(),
                name="pool_surge_no_narrower",
                violation_error_message=_("高峰期的派工范围不能比平时窄。"),
            ),
        ]
        indexes = [models.Index(fields=["district", "valid_from"], name="pool_district")]

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.get_reach_display(), str(self.town or ""), self.skill)))


class Task(models.Model):
    """When the dispatcher looks at an order again, at `due_at`.

    `why` says what it has asked the centre for ("" nothing) and mirrors the order's `ask_centre` event for the wall.
    `tries` counts looks that led to nothing, each of which waits longer for the next.
    """

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="dispatch_task")
    district = models.CharField(max_length=20)
    due_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=20, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="dispatch_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["district"], name="dispatch_asked", condition=~Q(why="")),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.due_at}"


class Look(models.Model):
    """What is known of a district as of `at`: `outlook` is `engine.outlook.Outlook`, packed.  Ids of nobody in it."""

    district = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()
    outlook = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.district} {self.at:%m-%d %H:%M}"


class Surge(models.Model):
    """A time in which a district has more emergencies than its people carry; at most one runs (`ended_at` empty).

    `peak`: the highest load; `most_recalled`: the most people who were wanted besides those on duty.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    peak = models.FloatField(default=0.0)
    most_recalled = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["district"], condition=Q(ended_at=None), name="surge_one_runs"),
        ]
        indexes = [models.Index(fields=["district", "began_at"], name="surge_district")]

    def __str__(self) -> str:
        return f"{self.district} {self.began_at:%m-%d %H:%M}"


class SurgeSwitch(models.Model):
    """A person of the centre said that a surge runs (`on`) or that none does: from `at` up to but not including
    `until`, unless it was taken back before, at `undone_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    on = models.BooleanField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    until = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "surge switches"
        indexes = [models.Index(fields=["district", "until"], name="surge_switch_district")]

    def __str__(self) -> str:
        return f"{self.district} {self.at:%m-%d %H:%M} {'on' if self.on else 'off'}"
