from django.apps import AppConfig


class SimulationConfig(AppConfig):
    name = "jiying.simulation"
    label = "simulation"
