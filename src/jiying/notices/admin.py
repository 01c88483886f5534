"""The back office's view of notices; nobody edits them."""

from django.contrib import admin

from jiying.notices.models import Notice


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("order", "kind", "why", "user", "until", "read_at", "done_at")
    list_filter = ("kind", "why")
    list_select_related = ("order", "user")
    search_fields = ("order__number", "user__username")

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_add_permission(self, request: object) -> bool:
        return False
