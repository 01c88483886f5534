from django.apps import AppConfig


class CentreConfig(AppConfig):
    name = "jiying.centre"
    label = "centre"
