"""Waiting where one will be missed: who among the idle might wait elsewhere, asked of them and never ordered.

`seeking` finds out, `models` keeps, `actions` asks and answers, `queries` reads, `saying` says why.
"""
