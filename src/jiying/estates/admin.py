"""The back office's view of estates."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from jiying.core.errors import BadInput
from jiying.core.text import initials
from jiying.estates.actions import checked_uscc
from jiying.estates.models import (
    Alliance,
    AllianceMember,
    Building,
    Company,
    Contract,
    Division,
    DutyChange,
    Estate,
    Mandate,
    PlantRoom,
    Shift,
    Worker,
)  # fmt: skip


class BuildingInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Building
    extra = 0


class PlantRoomInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PlantRoom
    extra = 0

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only buildings of this estate: a district has tens of thousands."""
        if db_field.name == "building":
            match = request.resolver_match
            estate = match.kwargs.get("object_id") if match else None
            kwargs["queryset"] = Building.objects.filter(estate=estate) if estate else Building.objects.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


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
    exclude = ("initials",)
    inlines = (BuildingInline, PlantRoomInline, ContractInline)

    def save_model(self, request: HttpRequest, obj: Estate, form: Any, change: bool) -> None:
        """The pinyin initials follow the name, so that the estate is found."""
        obj.initials = initials(obj.name)
        super().save_model(request, obj, form, change)


class CompanyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A company whose credit code is checked as everywhere."""

    class Meta:
        model = Company
        fields = ("district", "uscc", "name", "parent", "organisation")

    def clean_uscc(self) -> str:
        try:
            return checked_uscc(self.cleaned_data["uscc"])
        except BadInput as error:
            raise forms.ValidationError(error.detail) from error


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = CompanyForm
    list_display = ("uscc", "name")
    search_fields = ("uscc", "name")


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "company", "active")
    search_fields = ("name",)
    exclude = ("phone",)
    inlines = (ShiftInline,)


@admin.register(Mandate)
class MandateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("division", "tier", "company", "valid_from", "valid_to")
    list_filter = ("tier",)
    list_select_related = ("division", "company")
    autocomplete_fields = ("company", "division")


class AllianceMemberInline(admin.TabularInline):  # type: ignore[type-arg]
    model = AllianceMember
    extra = 1
    autocomplete_fields = ("company",)


@admin.register(Alliance)
class AllianceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Companies that have agreed to help one another out; whether it is used is a pool of dispatch."""

    list_display = ("name", "district")
    search_fields = ("name",)
    inlines = (AllianceMemberInline,)


@admin.register(DutyChange)
class DutyChangeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What was switched stays on record; nobody edits it."""

    list_display = ("worker", "on", "at", "until", "by")
    list_select_related = ("worker", "by")
    search_fields = ("worker__name",)

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False
