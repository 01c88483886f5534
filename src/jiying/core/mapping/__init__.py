"""Other people's tables, read by a mapping file: their columns become our values.

language   what a mapping file may say, and loading it
table      a CSV file as records, and the file of rejected rows
apply      a table and a mapping give rows and rejects
staff      who works, where a mapping is used for a replay
"""

from jiying.core.mapping.apply import Reject, Row, rows
from jiying.core.mapping.language import Mapping, MappingError, load, shipped
from jiying.core.mapping.staff import Staff
from jiying.core.mapping.table import Record, Table, TableError, read_table, write_rejects

__all__ = [
    "Mapping",
    "MappingError",
    "Record",
    "Reject",
    "Row",
    "Staff",
    "Table",
    "TableError",
    "load",
    "read_table",
    "rows",
    "shipped",
    "write_rejects",
]
