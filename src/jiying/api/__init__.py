"""The REST interface under /api/v1: the contract's names, one door to the orders.

Views read a request, ask `orders`, `estates` or `supervision`, and answer JSON; what is refused becomes a problem
document in `problems`, in one place.
"""
