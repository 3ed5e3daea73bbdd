"""`darkroom doctor`: find and repair differences between object store and database."""

from collections import Counter

import click

from apps.cli.bootstrap import run_command
from libs.settings import Settings

HOUR_S = 3600.0


@click.command()
@click.option("--mend", is_flag=True, help="Remove rows without an object and objects without a row.")
@click.option(
    "--age",
    "age_h",
    default=24.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Ignore objects younger than this many hours: a job may still be storing them.",
)
@click.option("--force", is_flag=True, help="Repair even if most rows or objects would be removed.")
def doctor(*, mend: bool, age_h: float, force: bool) -> None:
    """Compare object store and database; --mend repairs them.

    Prints one line for each difference:

    \b
      missing  a row without its object
      stray    an object without a row
      attempt  an object that an earlier attempt at a job left behind
      uncached a rendition without its object; it is rendered again when asked for
      altered  an object whose size is not that of its row; never removed
      foreign  an object that is not Darkroom's; never removed

    Exits with 0 when nothing is left to repair, else with 1.
    """  # noqa: D301 - click reads \b: keep the lines below as they are
    from libs.backends import Backends, open_backends
    from libs.images.consistency import MENDED, Examination, Finding, TooMuch
    from libs.storage import audit

    def print_finding(finding: Finding) -> None:
        image = f"  {finding.image_id}" if finding.image_id else ""
        click.echo(f"{finding.kind:<8} {finding.key}{image}")

    async def examine(backends: Backends) -> None:
        await audit.add(audit.shell_user(), "consistency.mend" if mend else "consistency.check", "site")
        examination = Examination(backends, age_s=age_h * HOUR_S)
        await examination.run(print_finding)
        found = Counter(finding.kind for finding in examination.findings)
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items())) or "no differences"
        click.echo(f"{examination.rows} images, {examination.objects} objects: {counts}", err=True)
        left = sum(found[kind] for kind in (*MENDED, "altered"))
        if mend:
            repaired = await examination.mend(force=force)
            click.echo(f"{repaired} repaired", err=True)
            left -= repaired
        if left:
            raise click.exceptions.Exit(1)

    async def run(settings: Settings) -> None:
        try:
            async with open_backends(settings) as backends:
                await examine(backends)
        except TooMuch as error:
            raise click.ClickException(
                f"{error}: do DARKROOM_OBJECTS_URL and DARKROOM_DATABASE_URL belong together? "
                "--force repairs all the same"
            ) from error

    run_command(run)
