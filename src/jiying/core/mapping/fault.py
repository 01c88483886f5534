"""The error of every reader of tables."""


class TableError(Exception):
    """A file that cannot be read as a table: a command ends with 2, nothing is written."""
