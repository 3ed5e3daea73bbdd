"""The table that `darkroom process` prints at its end."""

from collections.abc import Sequence

from rich.console import Console
from rich.filesize import decimal
from rich.table import Column, Table

from apps.cli.render_file import Outcome

MAX_ROWS = 50  # of successes; failures are all shown


def print_report(outcomes: Sequence[Outcome]) -> int:
    """Print a table of all outcomes and return the number of failures."""
    done = [outcome for outcome in outcomes if outcome.failure is None]
    failures = [outcome for outcome in outcomes if outcome.failure is not None]
    table = Table(Column("file", overflow="fold"), "before", "after", Column("result", overflow="fold"))
    for outcome in done[:MAX_ROWS]:
        before, after = decimal(outcome.before_bytes), decimal(outcome.after_bytes)
        table.add_row(str(outcome.source), before, after, str(outcome.target))
    if len(done) > MAX_ROWS:
        table.add_row(f"and {len(done) - MAX_ROWS} more", "", "", "")
    for outcome in failures:
        table.add_row(str(outcome.source), decimal(outcome.before_bytes), "", f"failed: {outcome.failure}")
    table.add_section()
    table.add_row(f"{len(done)} done, {len(failures)} failed", *_totals(done))
    Console().print(table)
    return len(failures)


def _totals(done: Sequence[Outcome]) -> tuple[str, str, str]:
    before = sum(outcome.before_bytes for outcome in done)
    after = sum(outcome.after_bytes for outcome in done)
    return decimal(before), decimal(after), f"{after / before:.0%}" if before else ""
