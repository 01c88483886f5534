from django.apps import AppConfig


class DistrictConfig(AppConfig):
    name = "jiying.district"
    label = "district"
