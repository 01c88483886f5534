"""The back office's view of people."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.http import HttpRequest

from jiying.people import audit
from jiying.people.actions import record_membership, record_power
from jiying.people.models import Audit, AuditQuerySet, Membership, Organisation, User

_POWERS = ("is_active", "is_staff", "is_superuser")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    autocomplete_fields = ("organisation",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    list_display = ("username", "name", "is_active", "last_login")
    search_fields = ("username", "name")
    inlines = (MembershipInline,)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """What somebody may do is on the audit, whoever changes it."""
        before = User.objects.filter(pk=obj.pk).values(*_POWERS).first() or dict.fromkeys(_POWERS, False)
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            powers = {name: bool(getattr(obj, name)) for name in _POWERS}
            if powers != before:
                record_power(obj, powers, by=_asker(request), origin=audit.origin_of(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The same for memberships."""
        with transaction.atomic():
            super().save_formset(request, form, formset, change)
            if formset.model is not Membership:
                return
            kept = [*formset.new_objects, *(member for member, _fields in formset.changed_objects)]
            changes = [(member, "join" if member.valid_to is None else "leave") for member in kept]
            changes += [(member, "delete") for member in formset.deleted_objects]
            for member, told in changes:
                record_membership(member, told, by=_asker(request), origin=audit.origin_of(request))


def _asker(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@admin.register(Organisation)
class OrganisationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "kind", "code", "district")
    list_filter = ("kind",)
    search_fields = ("name", "code")


@admin.register(Audit)
class AuditAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """To read, and nothing else; who is no administrator reads the districts they answer for."""

    list_display = ("at", "action", "about", "by", "role", "reason", "origin")
    list_filter = ("action", "district")
    search_fields = ("about", "by", "subject")

    def get_queryset(self, request: HttpRequest) -> AuditQuerySet:
        rows = Audit.objects.order_by("-at")
        return rows if _asker(request).is_superuser else rows.visible_to(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Audit | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Audit | None = None) -> bool:
        return False
