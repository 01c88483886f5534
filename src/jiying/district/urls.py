"""Addresses of the figures' pages."""

from django.urls import path

from jiying.district import planning, views

urlpatterns = [
    path("district", views.district),
    path("district/planning", planning.planning),
    path("district/planning/<uuid:study_id>", planning.study),
    path("district/planning/<uuid:study_id>/again", planning.again),
    path("district/<str:by>/<str:code>", views.place),
]
