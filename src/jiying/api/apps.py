from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "jiying.api"
    label = "api"
