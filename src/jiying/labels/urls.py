"""Addresses of the labels."""

from django.urls import path

from jiying.labels import views

urlpatterns = [
    path("labels", views.choose),
    path("labels/<uuid:estate_id>", views.sheet),
    path("labels/<uuid:estate_id>/sheet.pdf", views.pdf),
]
