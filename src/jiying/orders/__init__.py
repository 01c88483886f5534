"""Orders: states, promises, the event log, and the only doors through which an order is written."""
