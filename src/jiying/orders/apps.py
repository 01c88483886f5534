from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "jiying.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jiying.orders import followers, search

        followers.register(search.FOLLOWER, search.follow, history=True, skips=followers.REPACK)
