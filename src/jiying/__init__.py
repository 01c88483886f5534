"""Jiying 即应: the open information system of a district's property-management industry."""
