from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "jiying.dispatch"
    label = "dispatch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jiying.dispatch.follower import mark
        from jiying.orders import followers

        followers.register("dispatch", mark)
