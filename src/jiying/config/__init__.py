"""Configuration: settings, the one port, the command line."""
