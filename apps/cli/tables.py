"""Print rows as a table on a terminal, and as lines with tabs for other programs."""

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table


def print_rows(rows: Sequence[Sequence[str]], *, headers: Sequence[str] = ()) -> None:
    """Print rows; the headers show in a table only."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    table = Table(*headers, show_header=bool(headers))
    for row in rows:
        table.add_row(*row)
    Console().print(table)
