from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "jiying.supervision"
    label = "supervision"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jiying.orders import followers
        from jiying.supervision.actions import FOLLOWERS

        for follower in FOLLOWERS:
            followers.add(follower)
