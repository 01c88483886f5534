"""Who might wait elsewhere, who was asked to and what they said; and where a district wants that at all."""

from __future__ import annotations

from datetime import date, datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from jiying.core.ids import uuid7
from jiying.estates.models import Company, DatedQuerySet, Division, Estate, Worker
from jiying.people.models import User
from jiying.people.scopes import scope_of


class Wish(models.TextChoices):
    """What is done about somebody who would be of more use elsewhere."""

    OFF = "off", _("不建议待命")
    SUGGEST = "suggest", _("给出建议，由人来问")
    ASK = "ask", _("按规则直接问本人")


class Moving(models.Model):
    """One line of what a district wants, from `valid_from` up to but not including `valid_to`.

    A line that names a company counts before one that names none; one that names none is about companies with a
    mandate.  `posts`: people of an estate's own post may be asked too.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    company = models.ForeignKey(Company, models.CASCADE, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, choices=Wish, default=Wish.SUGGEST)
    posts = models.BooleanField(default=False)
    valid_from = models.DateField(default=date(2000, 1, 1))
    valid_to = models.DateField(null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "moving"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="moving_not_backwards"
            ),
        ]
        indexes = [models.Index(fields=["district", "valid_from"], name="moving_district")]

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.get_mode_display(), str(self.company or ""))))


class Stand(models.TextChoices):
    """How far a suggestion has come."""

    SUGGESTED = "suggested", _("建议")
    ASKED = "asked", _("已问，等答复")
    ACCEPTED = "accepted", _("已答应")
    DECLINED = "declined", _("说不去")
    ENDED = "ended", _("已结束")


class StandbyQuerySet(models.QuerySet["Standby"]):
    def visible_to(self, user: User) -> StandbyQuerySet:
        """Those of the district for who works for the whole of it; a company's own people for its desk."""
        scope = scope_of(user)
        return self.filter(Q(district__in=scope.districts) | Q(worker__company__organisation_id__in=scope.desks))

    def in_effect(self, now: datetime) -> StandbyQuerySet:
        """Of who said yes, where they are by now."""
        return self.filter(state=Stand.ACCEPTED, there_at__lte=now, until__gt=now)


LIVE = (Stand.SUGGESTED, Stand.ASKED, Stand.ACCEPTED)


class Standby(models.Model):
    """`worker` would be of more use waiting at `estate`, whose place (WGS-84) is kept with it.

    Why: with `skill` only `reach` people could be in `town` within half an hour, one who is at work counted as a
    quarter; it is `metres` in a straight line, `minutes` by electric bicycle.  `until`: the end of their shift, for
    which what they say holds.  `asked_by` None with an `asked_at`: by rule.  `there_at`: from when on somebody who
    said yes is taken to be there.  `why`: what ended it, a code of `saying.ENDINGS`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="+", db_index=False)
    estate = models.ForeignKey(Estate, models.CASCADE, related_name="+", db_index=False)
    lon = models.FloatField()
    lat = models.FloatField()
    skill = models.CharField(max_length=20)
    town = models.ForeignKey(Division, models.CASCADE, related_name="+", db_index=False)
    reach = models.FloatField()
    metres = models.PositiveIntegerField()
    minutes = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=Stand, default=Stand.SUGGESTED)
    until = models.DateTimeField()
    suggested_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)
    there_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=12, blank=True)

    objects = StandbyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["worker"], name="standby_once", condition=Q(state__in=("suggested", "asked", "accepted"))
            ),
        ]
        indexes = [
            models.Index(fields=["district", "until"], name="standby_district"),
            models.Index(fields=["worker", "until"], name="standby_worker"),
        ]

    def __str__(self) -> str:
        return f"{self.worker_id} → {self.estate_id} ({self.state})"
