"""Other people's tables, read by a mapping file: their columns become our values.

language   what a mapping file may say, and loading it
table      a file as records: CSV here, Excel in workbook (archive refuses bombs); and the file of rejected rows
moments    times as people and spreadsheets write them
apply      a table and a mapping give rows and rejects
staff      who works, where a mapping is used for a replay
"""

from jiying.core.mapping.apply import Reject, Row, rows, written
from jiying.core.mapping.fault import TableError, in_english, said
from jiying.core.mapping.language import Mapping, MappingError, load, parse, shipped
from jiying.core.mapping.record import Record
from jiying.core.mapping.staff import Staff
from jiying.core.mapping.table import Table, is_workbook, read_table, sheets, write_rejects

__all__ = [
    "Mapping",
    "MappingError",
    "Record",
    "Reject",
    "Row",
    "Staff",
    "Table",
    "TableError",
    "in_english",
    "is_workbook",
    "load",
    "parse",
    "read_table",
    "rows",
    "said",
    "sheets",
    "shipped",
    "write_rejects",
    "written",
]
