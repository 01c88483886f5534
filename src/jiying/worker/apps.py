from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "jiying.worker"
    label = "worker"
