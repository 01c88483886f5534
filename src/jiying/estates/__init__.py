"""Estates: divisions, estates, buildings, companies, contracts, workers and their shifts."""
