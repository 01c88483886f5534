from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "jiying.exchange"
    label = "exchange"
