from django.apps import AppConfig


class ResidentConfig(AppConfig):
    name = "jiying.resident"
    label = "resident"
