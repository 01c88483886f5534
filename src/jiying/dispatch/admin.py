"""The back office's view of dispatch."""

from django.contrib import admin

from jiying.dispatch.models import Moving, Policy, Pool


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


@admin.register(Pool)
class PoolAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("district", "town", "skill", "reach", "surge_reach", "valid_from", "valid_to")
    list_filter = ("reach", "skill")
    list_select_related = ("town",)
    autocomplete_fields = ("town",)


@admin.register(Moving)
class MovingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("district", "company", "mode", "posts", "valid_from", "valid_to")
    list_filter = ("mode",)
    list_select_related = ("company",)
    autocomplete_fields = ("company",)
