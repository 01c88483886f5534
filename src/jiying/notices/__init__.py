"""Notices: who is told of what happened to an order, and what wants an answer from them."""
