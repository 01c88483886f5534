"""Core needs no database and no rooms: bare settings do where the project's are not loaded."""

from __future__ import annotations

import os

from django.conf import settings

if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
    settings.configure(DATA_KEY=bytes(16), USE_TZ=True, LANGUAGE_CODE="zh-hans", LOCALE_PATHS=[])
