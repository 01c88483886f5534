from django.apps import AppConfig


class LedgersConfig(AppConfig):
    name = "jiying.ledgers"
    label = "ledgers"
