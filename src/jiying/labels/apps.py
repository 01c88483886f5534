from django.apps import AppConfig


class LabelsConfig(AppConfig):
    name = "jiying.labels"
    label = "labels"
