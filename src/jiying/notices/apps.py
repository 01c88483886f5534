from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "jiying.notices"
    label = "notices"
