from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "jiying.live"
    label = "live"
