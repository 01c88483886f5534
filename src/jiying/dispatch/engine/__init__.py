"""Who goes: pure Python and NumPy, no database, no clock of its own.

world      what a decision looks at: people, the order, the settings
travel     how far and how long, behind an interface
outlook    what a district loses without somebody, how long work takes, who will be on duty
costs      what it costs to send one worker to one order
ranking    the entitled in their order, with reasons, and why everybody else was left out
"""

VERSION = "nearest-1"
"""Stands in the event of a decision by nearness alone; `outlook.VERSION` where an outlook was known."""
