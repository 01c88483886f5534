"""Tables in and out: imports of other people's ledgers, exports of what one sees, and the jobs that do it."""
