from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "jiying.dispatch"
    label = "dispatch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_delete, post_save

        from jiying.dispatch import pools
        from jiying.dispatch.follower import mark
        from jiying.dispatch.models import Pool
        from jiying.orders import followers

        followers.register("dispatch", mark, skips=followers.REPACK)
        for changed in (post_save, post_delete):
            changed.connect(pools.forget, sender=Pool, dispatch_uid="dispatch.pools")
