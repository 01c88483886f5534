from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "jiying.dispatch"
    label = "dispatch"
