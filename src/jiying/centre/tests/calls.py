"""A signed-in browser, and what stands in the form of a call."""

from __future__ import annotations

from django.test import Client

from jiying.orders.tests.build import District
from jiying.people.models import User


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(pk=user.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


def call(d: District, **more: str) -> dict[str, str]:
    return {
        "phone": "138 1234 5678", "name": "陈女士", "estate": d.estate.code, "description": "水管爆了",
        "category": "leak", "urgency": "", "kind": "repair", "channel": "phone", "idempotency_key": "k1", **more,
    }  # fmt: skip
