"""`darkroom dead-letters`: list the messages in the dead-letter queue, submit them again or delete them."""

import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings

if TYPE_CHECKING:
    from libs.broker.dead_letters import QueuedDeadLetter

MAX_LETTERS = 1000  # read in one command

Action = Callable[["QueuedDeadLetter"], Awaitable[None]]


@click.group()
def dead_letters() -> None:
    """Inspect, requeue or delete messages that could not be processed."""


@dead_letters.command("list")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1, MAX_LETTERS),
    help="Show at most this many, oldest first.",
)
def list_letters(limit: int) -> None:
    """List dead letters: id, route, sender and reason."""
    from libs.broker import dead_letters as queue

    async def run(settings: Settings) -> None:
        async with queue.dead_letters(settings.broker_url, limit=limit) as letters:
            for letter in letters:
                sender = letter.message.user_id or "-"
                click.echo(f"{letter.id}  {letter.route:<14}  {sender:<16}  {letter.reason}")
        click.echo(f"{len(letters)} dead letters", err=True)

    _run(run)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--body", is_flag=True, help="Write the body alone, byte for byte.")
def show(letter_id: str, *, body: bool) -> None:
    """Show the properties, headers and body of one dead letter.

    ID may be shortened to its first characters.
    """

    async def write(letter: "QueuedDeadLetter") -> None:
        if body:
            sys.stdout.buffer.write(letter.message.body)
        else:
            _print(letter)

    _run(lambda settings: _for_each(settings, (letter_id,), everything=False, action=write))


@dead_letters.command()
@click.argument("letter_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Requeue all dead letters.")
def requeue(letter_ids: tuple[str, ...], *, everything: bool) -> None:
    """Submit messages again, on behalf of their senders.

    A message that is refused again stays in the dead-letter queue.
    """
    from libs.backends import open_backends
    from libs.orders import dead_letters
    from libs.orders.errors import DeadLetterRefused
    from libs.storage import audit

    async def run(settings: Settings) -> None:
        async with open_backends(settings) as backends:

            async def submit(letter: "QueuedDeadLetter") -> None:
                try:
                    await dead_letters.requeue(letter, backends)
                except DeadLetterRefused as error:
                    raise click.ClickException(str(error)) from error
                await audit.add(audit.shell_user(), "dead_letter.requeue", letter.id, detail=letter.reason)
                click.echo(f"{letter.id} requeued")

            await _for_each(settings, letter_ids, everything=everything, action=submit)

    _run(run)


@dead_letters.command()
@click.argument("letter_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Delete all dead letters.")
def drop(letter_ids: tuple[str, ...], *, everything: bool) -> None:
    """Delete messages for good."""
    from libs.storage import audit
    from libs.storage.database.connection import open_database

    async def delete(letter: "QueuedDeadLetter") -> None:
        await audit.add(audit.shell_user(), "dead_letter.drop", letter.id, detail=letter.reason)
        await letter.remove()
        click.echo(f"{letter.id} dropped")

    async def run(settings: Settings) -> None:
        async with open_database(settings.database_url):
            await _for_each(settings, letter_ids, everything=everything, action=delete)

    _run(run)


async def _for_each(settings: Settings, ids: tuple[str, ...], *, everything: bool, action: Action) -> None:
    """Call `action` with each chosen letter; a ClickException from one does not stop the others.

    Raises:
        click.UsageError: Neither ids nor `everything` were given, or both.
        click.ClickException: An id is unknown or ambiguous, or `action` failed for some letters.
    """
    from libs.broker import dead_letters as queue

    if bool(ids) == everything:
        raise click.UsageError("give the IDs of dead letters, or --all")
    failures: list[str] = []
    async with queue.dead_letters(settings.broker_url, limit=MAX_LETTERS) as letters:
        try:
            chosen = letters if everything else [queue.find(letters, prefix) for prefix in ids]
        except LookupError as error:
            raise click.ClickException(str(error)) from error
        for letter in chosen:
            try:
                await action(letter)
            except click.ClickException as error:
                failures.append(error.message)
    if failures:
        raise click.ClickException("\n".join(failures))


def _print(letter: "QueuedDeadLetter") -> None:
    message = letter.message
    properties = {
        "id": letter.id,
        "reason": letter.reason,
        "route": letter.route,
        "sender": message.user_id,
        "message_id": message.message_id,
        "reply_to": message.reply_to,
        "correlation_id": message.correlation_id,
        "content_type": message.content_type,
    }
    for name, value in {**properties, **message.headers}.items():
        click.echo(f"{name}: {value if value is not None else '-'}")
    click.echo(f"\n{message.body.decode(errors='replace')}")


def _run(command: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    async def run(settings: Settings) -> None:
        if settings.embedded:
            raise click.ClickException(
                "memory:// keeps dead letters inside the process, until it ends; its log has each of them"
            )
        await command(settings)

    run_command(run)
