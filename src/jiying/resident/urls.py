"""Addresses of the residents' pages."""

from django.urls import path

from jiying.resident import photos, reporting, tracking

urlpatterns = [
    path("report", reporting.report),
    path("report/places", reporting.places),
    path("report/where", reporting.where_piece),
    path("t/<str:token>", tracking.track),
    path("t/<str:token>/photos", photos.add),
    path("t/<str:token>/photos/<uuid:photo_id>", photos.see),
    path("t/<str:token>/<str:verb>", tracking.act_on_track),
]
