"""What the district asked the planner, and what it found."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from jiying.core.ids import uuid7
from jiying.people.models import User
from jiying.people.scopes import scope_of


class StudyQuerySet(models.QuerySet["Study"]):
    def visible_to(self, user: Any) -> StudyQuerySet:
        """The studies of the districts whose officer somebody is: they tell of companies and of rosters to be."""
        return self.filter(district__in=scope_of(user).led)


class Study(models.Model):
    """A question (`study.Question` as data) about a district, drawn from the `history_days` before `until`.

    It is answered when `finished_at` is set and `answer` is not empty; else `problem` is the code of what hindered it.
    `fingerprint` tells whether the past is still as it was when it was begun.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    district = models.CharField(max_length=20)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    question = models.JSONField()
    seed = models.PositiveIntegerField(default=1)
    history_days = models.PositiveSmallIntegerField()
    until = models.DateField()
    fingerprint = models.CharField(max_length=40, blank=True)
    answer = models.JSONField(default=dict)
    problem = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["district", "asked_at"], name="study_list")]
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return f"{self.district} {self.asked_at:%Y-%m-%d %H:%M}"


class RunDay(models.Model):
    """A day that was run for a study under way (`outcome.Outcome` as data), so that one that was interrupted goes on
    where it was.  Gone once it is answered.
    """

    id = models.BigAutoField(primary_key=True)
    study = models.ForeignKey(Study, models.CASCADE, related_name="run_days", db_index=False)
    change = models.CharField(max_length=24)
    number = models.PositiveSmallIntegerField()
    outcome = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "change", "number"], name="run_day_once")]

    def __str__(self) -> str:
        return f"{self.study_id} {self.change} {self.number}"
