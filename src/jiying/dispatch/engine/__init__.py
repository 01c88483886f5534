"""Who goes: pure Python, no database, no clock of its own.

world      what a decision looks at: people, the order, the settings
travel     how far and how long, behind an interface
ranking    the entitled in their order, with reasons, and why everybody else was left out
"""

VERSION = "nearest-1"
"""Stands in the event of every decision, so that it can be told later which engine made it."""
