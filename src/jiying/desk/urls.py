"""Addresses of the desk."""

from django.urls import path

from jiying.desk import crew, roster, views

urlpatterns = [
    path("desk", views.desk),
    path("desk/workers", crew.people),
    path("desk/workers/<uuid:worker_id>/duty", crew.switch),
    path("desk/roster", roster.show),
    path("desk/roster/fill", roster.fill),
    path("desk/roster/copy", roster.copy),
    path("desk/roster/off", roster.take_off),
    path("desk/orders/<uuid:order_id>", views.order),
    path("desk/orders/<uuid:order_id>/telephone", views.reveal),
    path("desk/orders/<uuid:order_id>/photos", views.add_photos),
    path("desk/orders/<uuid:order_id>/<str:verb>", views.say),
]
