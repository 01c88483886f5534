"""The Django application, as WSGI: under ASGI it would make a thread, and a connection, per request."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiying.config.settings")

application = get_wsgi_application()
