"""Django's SQLite, with writers of one process taking turns."""
