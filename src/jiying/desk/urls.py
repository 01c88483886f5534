"""Addresses of the desk."""

from django.urls import path

from jiying.desk import views

urlpatterns = [
    path("desk", views.desk),
    path("desk/orders/<uuid:order_id>", views.order),
    path("desk/orders/<uuid:order_id>/contact", views.reveal),
    path("desk/orders/<uuid:order_id>/<str:verb>", views.say),
]
