"""Addresses of the command centre."""

from django.urls import path

from jiying.centre import intake, views

urlpatterns = [
    path("centre", views.wall),
    path("centre/intake", intake.form),
    path("centre/intake/places", intake.places),
    path("centre/intake/beside", intake.beside),
    path("centre/intake/<uuid:order_id>", intake.taken),
]
