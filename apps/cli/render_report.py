"""What `darkroom process` prints at its end: a table on a terminal, lines in a pipe, or JSON."""

from collections.abc import Sequence

import click
import msgspec
from rich.console import Console
from rich.filesize import decimal
from rich.table import Column, Table

from apps.cli.render_file import Outcome

MAX_ROWS = 50  # of successes in a table; failures are all shown


def print_report(outcomes: Sequence[Outcome], *, as_json: bool, quiet: bool, to_stderr: bool) -> None:
    """Print all outcomes; with `quiet` only the failures, as lines on standard error."""
    console = Console(stderr=to_stderr)
    if quiet:
        for outcome in _failures(outcomes):
            click.echo(_line(outcome), err=True)
    elif as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(outcomes, enc_hook=str)), err=to_stderr)
    elif console.is_terminal:
        console.print(_table(outcomes))
    else:
        for outcome in outcomes:
            click.echo(_line(outcome), err=to_stderr)
        click.echo(_summary(outcomes), err=True)


def _failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.error is not None]


def _line(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{outcome.source}: failed: {outcome.error}"
    before, after = decimal(outcome.before_bytes), decimal(outcome.after_bytes)
    return f"{outcome.source} ({before}) -> {outcome.result} ({after})"


def _summary(outcomes: Sequence[Outcome]) -> str:
    failures = len(_failures(outcomes))
    return f"{len(outcomes) - failures} done, {failures} failed"


def _table(outcomes: Sequence[Outcome]) -> Table:
    done = [outcome for outcome in outcomes if outcome.error is None]
    table = Table(Column("file", overflow="fold"), "before", "after", Column("result", overflow="fold"))
    for outcome in done[:MAX_ROWS]:
        before, after = decimal(outcome.before_bytes), decimal(outcome.after_bytes)
        table.add_row(str(outcome.source), before, after, str(outcome.result))
    if len(done) > MAX_ROWS:
        table.add_row(f"and {len(done) - MAX_ROWS} more", "", "", "")
    for outcome in _failures(outcomes):
        table.add_row(str(outcome.source), decimal(outcome.before_bytes), "", f"failed: {outcome.error}")
    table.add_section()
    table.add_row(_summary(outcomes), *_totals(done))
    return table


def _totals(done: Sequence[Outcome]) -> tuple[str, str, str]:
    before = sum(outcome.before_bytes for outcome in done)
    after = sum(outcome.after_bytes for outcome in done)
    return decimal(before), decimal(after), f"{after / before:.0%}" if before else ""
