"""Addresses of the command centre."""

from django.urls import path

from jiying.centre import channels, intake, moving, rulebook, shadowing, standby, surging, views

urlpatterns = [
    path("centre", views.wall),
    path("centre/rules", rulebook.rules),
    path("centre/rules/count", moving.begin, {"what": "count"}),
    path("centre/rules/move", moving.begin, {"what": "move"}),
    path("centre/shadow", shadowing.show),
    path("centre/standby", standby.show),
    path("centre/standby/<uuid:standby_id>/ask", standby.ask),
    path("centre/standby/<uuid:standby_id>/answer", standby.answer),
    path("centre/standby/<uuid:standby_id>/take-back", standby.take_back),
    path("centre/surge", surging.show),
    path("centre/surge/<slug:change>", surging.switch),
    path("centre/channels", channels.show),
    path("centre/channels/<slug:channel>/<slug:change>", channels.switch),
    path("centre/intake", intake.form),
    path("centre/intake/places", intake.places),
    path("centre/intake/beside", intake.around),
    path("centre/intake/<uuid:order_id>", intake.taken),
    path("centre/intake/<uuid:order_id>/join", intake.join),
    path("centre/intake/<uuid:order_id>/joined", intake.joined),
]
