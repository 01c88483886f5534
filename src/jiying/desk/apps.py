from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "jiying.desk"
    label = "desk"
