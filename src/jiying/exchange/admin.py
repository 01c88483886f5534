"""Imports in the back office: looking only; what they did is undone by `revert`."""

from __future__ import annotations

from django.contrib import admin

from jiying.exchange.models import Import
from jiying.orders.admin import ReadOnly


@admin.register(Import)
class ImportAdmin(ReadOnly):
    list_display = ("began_at", "file", "kind", "stage", "read", "created", "updated", "unchanged", "rejected", "by")
    list_filter = ("kind", "stage")
