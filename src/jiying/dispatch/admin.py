"""The back office's view of dispatch."""

from django.contrib import admin

from jiying.dispatch.models import Policy


@admin.register(Policy)
class PolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "district",
        "company",
        "category",
        "urgency",
        "mode",
        "after_s",
        "depart_min",
        "valid_from",
        "valid_to",
    )
    list_filter = ("mode", "urgency")
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
