"""Centre."""
