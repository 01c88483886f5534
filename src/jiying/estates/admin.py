"""The back office's view of estates."""

from django.contrib import admin

from jiying.estates.models import Building, Company, Contract, Division, Estate, Shift, Worker


class BuildingInline(admin.TabularInline[Building, Estate]):
    model = Building
    extra = 0


class ContractInline(admin.TabularInline[Contract, Estate]):
    model = Contract
    extra = 0
    autocomplete_fields = ("company",)


class ShiftInline(admin.TabularInline[Shift, Worker]):
    model = Shift
    extra = 0


@admin.register(Division)
class DivisionAdmin(admin.ModelAdmin[Division]):
    list_display = ("code", "name", "level", "parent", "valid_from", "valid_to")
    list_filter = ("level",)
    search_fields = ("code", "name")


@admin.register(Estate)
class EstateAdmin(admin.ModelAdmin[Estate]):
    list_display = ("code", "name", "kind", "town", "households")
    list_filter = ("kind",)
    search_fields = ("code", "name", "initials")
    inlines = (BuildingInline, ContractInline)


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin[Company]):
    list_display = ("uscc", "name")
    search_fields = ("uscc", "name")


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin[Worker]):
    list_display = ("name", "company", "active")
    search_fields = ("name",)
    exclude = ("phone",)
    inlines = (ShiftInline,)
