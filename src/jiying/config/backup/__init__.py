"""Backups: one archive with the database, the photos and the home's other files, and the way back.

`archive` is the file's form, `copying` is what each database needs, `facts` what a copy holds; `saving` and
`restoring` are the two ways.  Keys are never in it.
"""
