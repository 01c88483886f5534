"""The back office's view of estates."""

from django.contrib import admin

from jiying.estates.models import Building, Company, Contract, Division, Estate, Shift, Worker


class BuildingInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Building
    extra = 0


class ContractInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Contract
    extra = 0
    autocomplete_fields = ("company",)


class ShiftInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Shift
    extra = 0


@admin.register(Division)
class DivisionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("code", "name", "level", "parent", "valid_from", "valid_to")
    list_filter = ("level",)
    search_fields = ("code", "name")


@admin.register(Estate)
class EstateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("code", "name", "kind", "town", "households")
    list_filter = ("kind",)
    search_fields = ("code", "name", "initials")
    inlines = (BuildingInline, ContractInline)


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("uscc", "name")
    search_fields = ("uscc", "name")


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "company", "active")
    search_fields = ("name",)
    exclude = ("phone",)
    inlines = (ShiftInline,)
