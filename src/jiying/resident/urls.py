"""Addresses of the residents' pages."""

from django.urls import path

from jiying.resident import reporting, tracking

urlpatterns = [
    path("report", reporting.report),
    path("report/places", reporting.places),
    path("report/where", reporting.where_piece),
    path("t/<str:token>", tracking.track),
    path("t/<str:token>/<str:verb>", tracking.act_on_track),
]
