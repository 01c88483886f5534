"""Rule packs: dated data that says what is promised, who is told when, and what counts.

`pack` holds the shapes, `schema` reads and checks a file, `packs` finds the pack in force at a time.  Pure:
no models, no settings, no clock of its own.
"""
