"""Imports in the admin: looking only; what they did is undone by `revert`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from jiying.exchange.models import Import


@admin.register(Import)
class ImportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("began_at", "file", "kind", "stage", "read", "created", "updated", "unchanged", "rejected", "by")
    list_filter = ("kind", "stage")

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False
