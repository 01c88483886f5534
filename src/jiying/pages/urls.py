"""Addresses of the shared pages; the names of allauth's own views are kept, since it looks them up."""

from __future__ import annotations

from django.urls import path

from jiying.pages import hooks, inbox, views, wishes

urlpatterns = [
    path("", views.front, name="front"),
    path("sign-in", views.SignIn.as_view(), name="account_login"),
    path("sign-out", views.sign_out, name="account_logout"),
    path("demo/sign-in", views.demo_sign_in, name="demo-sign-in"),
    path("inbox", inbox.show, name="inbox"),
    path("inbox/count", inbox.count, name="inbox-count"),
    path("inbox/read", inbox.read, name="inbox-read"),
    path("inbox/surges/<uuid:surge_id>", inbox.know, name="inbox-surge"),
    path("inbox/settings", wishes.settings, name="inbox-settings"),
    path("hooks/voice/<uuid:message_id>/<str:signature>", hooks.voice, name="hook-voice"),
    path("styleguide", views.styleguide, name="styleguide"),
]
