"""The desk: the queue of a company, a committee, a town or the centre, and one order with all about it."""
