"""Addresses of imports and exports."""

from django.urls import path

from jiying.ledgers import exporting, importing, views

urlpatterns = [
    path("ledgers", views.ledgers),
    path("ledgers/import", importing.upload),
    path("ledgers/import/mapping", importing.mapping),
    path("ledgers/imports/<uuid:import_id>", importing.imported),
    path("ledgers/imports/<uuid:import_id>/rejects.csv", importing.rejects),
    *(path(f"ledgers/imports/<uuid:import_id>/{verb}", importing.run, {"verb": verb}) for verb in importing.VERBS),
    path("ledgers/exports", exporting.ask),
    path("ledgers/exports/<uuid:export_id>", exporting.export),
    path("ledgers/exports/<uuid:export_id>/file", exporting.file),
]
