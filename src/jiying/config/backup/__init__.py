"""Backups: one archive with the database, the photos and the home's other files, and the way back.

`archive` is the file's form, `copying` and `recovering` are what each database needs, `saving` and `restoring` are
the two ways.  Keys are never in it.
"""
