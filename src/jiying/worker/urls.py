"""Addresses of the workers' pages."""

from django.urls import path

from jiying.worker import duty, standby, views

urlpatterns = [
    path("worker", views.mine),
    path("worker/duty", duty.switch),
    path("worker/standby/<uuid:standby_id>", standby.answer),
    path("worker/orders/<uuid:order_id>", views.one),
    path("worker/orders/<uuid:order_id>/decline", duty.decline),
    path("worker/orders/<uuid:order_id>/telephone", views.reveal),
    path("worker/orders/<uuid:order_id>/photos", views.add_photos),
    path("worker/orders/<uuid:order_id>/<str:verb>", views.say),
]
