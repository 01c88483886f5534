"""Simulation: workers, desks and residents who act on a virtual clock, through the same door as people.

It makes the demo's history (`jiying seed`) and runs real days again (`jiying replay`).
"""
