"""Figures: how well towns, companies and estates keep what they promise.

`figures` holds the formulas, pure; `queries.table` reads orders, clocks and events and fills them.  There are
no models as yet: figures are read from the orders themselves, in a constant number of queries.  Roll-up tables
come when the orders no longer fit that.
"""
