"""Addresses of the supervision page."""

from django.urls import path

from jiying.district import views

urlpatterns = [path("district", views.district)]
