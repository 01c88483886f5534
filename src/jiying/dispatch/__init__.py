"""Who goes: whom the rules entitle, who of them is near, and what becomes of it.

`engine` decides without a database; `service` ties it to orders; the follower `dispatch` lets it act.
"""
