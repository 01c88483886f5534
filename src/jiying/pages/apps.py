"""The room of the shared look."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Has no tables: templates, static files, template tags and a few views."""

    name = "jiying.pages"
    label = "pages"
