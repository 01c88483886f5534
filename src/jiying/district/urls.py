"""Addresses of the figures' pages."""

from django.urls import path

from jiying.district import views

urlpatterns = [
    path("district", views.district),
    path("district/<str:by>/<str:code>", views.place),
]
