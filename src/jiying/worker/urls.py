"""Addresses of the workers' pages."""

from django.urls import path

from jiying.worker import views

urlpatterns = [
    path("worker", views.mine),
    path("worker/orders/<uuid:order_id>", views.one),
    path("worker/orders/<uuid:order_id>/<str:verb>", views.say),
]
