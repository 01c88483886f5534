"""Live: the stream of events to open pages, as server-sent events at /live/events."""
