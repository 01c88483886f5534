"""The back office: Django's, without the address that looks things up by their type for a public page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class BackOffice(AdminSite):
    """Nothing of ours has a page of its own that the back office could lead to, and that look-up answers 500 to
    an id that is none."""

    def get_urls(self) -> list[Any]:
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", "") != "view_on_site"]


class BackOfficeConfig(AdminConfig):
    default_site = "jiying.config.backoffice.BackOffice"
