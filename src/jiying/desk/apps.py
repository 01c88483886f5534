from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "jiying.desk"
    label = "desk"

    def ready(self) -> None:
        """Let the queue be exported."""
        from jiying.exchange import sources

        sources.register("orders", "jiying.desk.table.SOURCE")
