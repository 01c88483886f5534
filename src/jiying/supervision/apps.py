from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "jiying.supervision"
    label = "supervision"
