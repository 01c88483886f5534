"""Addresses of imports and exports."""

from django.urls import path

from jiying.ledgers import exporting, views

urlpatterns = [
    path("ledgers", views.ledgers),
    path("ledgers/exports", exporting.ask),
    path("ledgers/exports/<uuid:export_id>", exporting.export),
    path("ledgers/exports/<uuid:export_id>/file", exporting.file),
]
