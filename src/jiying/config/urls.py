"""All addresses: each room brings its own."""

from django.contrib import admin
from django.urls import include, path

from jiying.api.urls import urlpatterns as api_urls
from jiying.config.health import readyz

urlpatterns = [
    path("readyz", readyz),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api_urls, "api"))),
    path("", include("jiying.resident.urls")),
    path("", include("jiying.worker.urls")),
    path("", include("jiying.desk.urls")),
    path("", include("jiying.centre.urls")),
    path("", include("jiying.district.urls")),
    path("", include("jiying.labels.urls")),
    path("", include("jiying.ledgers.urls")),
    path("", include("jiying.pages.urls")),
]

handler400 = "jiying.config.refusals.bad_request"
handler403 = "jiying.pages.views.error_403"
handler404 = "jiying.pages.views.error_404"
handler500 = "jiying.pages.views.error_500"
