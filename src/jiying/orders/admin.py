"""The back office may look at orders, never write them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from jiying.orders.models import Event, Order


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnly):
    list_display = ("number", "state", "kind", "category", "urgency", "reported_at")
    list_filter = ("state", "kind", "urgency")
    search_fields = ("number",)
    show_full_result_count = False


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("seq", "order", "version", "verb", "role", "at")
    list_filter = ("verb",)
    show_full_result_count = False
