"""Addresses of the shared pages; the names of allauth's own views are kept, since it looks them up."""

from __future__ import annotations

from django.urls import path

from jiying.pages import inbox, views

urlpatterns = [
    path("", views.front, name="front"),
    path("sign-in", views.SignIn.as_view(), name="account_login"),
    path("sign-out", views.sign_out, name="account_logout"),
    path("demo/sign-in", views.demo_sign_in, name="demo-sign-in"),
    path("inbox", inbox.show, name="inbox"),
    path("inbox/count", inbox.count, name="inbox-count"),
    path("inbox/read", inbox.read, name="inbox-read"),
    path("styleguide", views.styleguide, name="styleguide"),
]
