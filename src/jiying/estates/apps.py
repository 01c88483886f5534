from django.apps import AppConfig


class EstatesConfig(AppConfig):
    name = "jiying.estates"
    label = "estates"
    default_auto_field = "django.db.models.BigAutoField"
