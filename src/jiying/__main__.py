"""`python -m jiying`."""

from jiying.config.cli import main

main(prog_name="jiying")
