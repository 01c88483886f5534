from django.apps import AppConfig


class DistrictConfig(AppConfig):
    name = "jiying.district"
    label = "district"

    def ready(self) -> None:
        """Let the table of figures be exported."""
        from jiying.exchange import sources

        sources.register("figures", "jiying.district.table.SOURCE")
