"""`darkroom dead-letters`: see why messages were put aside, try them again, or throw them away."""

import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from apps.cli.bootstrap import run_with
from libs.broker import BrokerUnavailable
from libs.settings import Settings

if TYPE_CHECKING:
    from libs.broker.dead_letters import DeadLetter

MOST = 1000

Act = Callable[["DeadLetter"], Awaitable[None]]


@click.group()
def dead_letters() -> None:
    """Messages that could not be worked."""


@dead_letters.command("list")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, MOST), help="The oldest so many."
)
def list_letters(limit: int) -> None:
    """Show id, route, sender and reason of each."""
    from libs.broker.dead_letters import dead_letters as held

    async def run(settings: Settings) -> None:
        async with held(settings.broker_url, limit=limit) as letters:
            for letter in letters:
                sender = letter.delivery.user_id or "-"
                click.echo(f"{letter.id}  {letter.route:<14}  {sender:<16}  {letter.reason}")
        click.echo(f"{len(letters)} dead letters", err=True)

    _run(run)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@click.option("--body", is_flag=True, help="The body alone, as it came.")
def show(letter_id: str, *, body: bool) -> None:
    """Show one whole."""

    async def print_it(letter: "DeadLetter") -> None:
        delivery = letter.delivery
        if body:
            sys.stdout.buffer.write(delivery.body)
            return
        told = {
            "id": letter.id,
            "reason": letter.reason,
            "route": letter.route,
            "sender": delivery.user_id,
            "message_id": delivery.message_id,
            "reply_to": delivery.reply_to,
            "correlation_id": delivery.correlation_id,
            "content_type": delivery.content_type,
        }
        for name, value in {**told, **delivery.headers}.items():
            click.echo(f"{name}: {value if value is not None else '-'}")
        click.echo(f"\n{delivery.body.decode(errors='replace')}")

    _run(lambda settings: _each(settings, (letter_id,), everything=False, do=print_it))


@dead_letters.command()
@click.argument("letter_ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
def requeue(letter_ids: tuple[str, ...], *, everything: bool) -> None:
    """Take messages in again, in the name of who sent them; what is still at fault stays."""
    from libs.backends import open_backends
    from libs.orders import intake

    async def run(settings: Settings) -> None:
        async with open_backends(settings) as backends:

            async def again(letter: "DeadLetter") -> None:
                try:
                    await intake.take_in_again(letter.delivery, letter.route, backends)
                except intake.REFUSALS as error:
                    raise click.ClickException(f"{letter.id} stays: {error.code}: {error}") from error
                await letter.forget()
                click.echo(f"{letter.id} requeued")

            await _each(settings, letter_ids, everything=everything, do=again)

    _run(run)


@dead_letters.command()
@click.argument("letter_ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
def drop(letter_ids: tuple[str, ...], *, everything: bool) -> None:
    """Throw messages away for good."""

    async def throw_away(letter: "DeadLetter") -> None:
        await letter.forget()
        click.echo(f"{letter.id} dropped")

    _run(lambda settings: _each(settings, letter_ids, everything=everything, do=throw_away))


async def _each(settings: Settings, ids: tuple[str, ...], *, everything: bool, do: Act) -> None:
    """Do something with the chosen letters; one that fails leaves the others their turn."""
    from libs.broker.dead_letters import dead_letters as held
    from libs.broker.dead_letters import find

    if bool(ids) == everything:
        raise click.UsageError("name the letters, or say --all")
    failures: list[str] = []
    async with held(settings.broker_url, limit=MOST) as letters:
        try:
            chosen = letters if everything else [find(letters, one) for one in ids]
        except LookupError as error:
            raise click.ClickException(str(error)) from error
        for letter in chosen:
            try:
                await do(letter)
            except click.ClickException as error:
                failures.append(error.message)
    if failures:
        raise click.ClickException("\n".join(failures))


def _run(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    async def on_the_broker(settings: Settings) -> None:
        if settings.embedded:
            raise click.ClickException(
                "with memory:// dead letters live and end with the process; its log has every one of them"
            )
        try:
            await run(settings)
        except BrokerUnavailable as error:
            raise click.ClickException(f"the broker does not serve: {error}") from error

    run_with(on_the_broker)
