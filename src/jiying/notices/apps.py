from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "jiying.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jiying.notices.follower import tell
        from jiying.orders import followers

        followers.register("notices", tell, skips=followers.REPACK)
