"""Template tags of the figures' pages."""
