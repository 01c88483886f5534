"""Studies in the back office: looking only."""

from __future__ import annotations

from django.contrib import admin

from jiying.orders.admin import ReadOnly
from jiying.planning.models import Study


@admin.register(Study)
class StudyAdmin(ReadOnly):
    list_display = ("asked_at", "district", "by", "finished_at", "problem")
    list_filter = ("district",)
