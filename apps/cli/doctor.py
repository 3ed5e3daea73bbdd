"""`darkroom doctor`: find where bucket and database disagree, and mend it."""

from collections import Counter

import click

from apps.cli.bootstrap import run_with
from libs.settings import Settings

HOUR_S = 3600.0


@click.command()
@click.option("--mend", is_flag=True, help="Remove rows without object and objects without row.")
@click.option("--age", "age_h", default=24.0, show_default=True, type=click.FloatRange(min=0),
              help="Hours; a younger object may be work under way.")  # fmt: skip
@click.option("--force", is_flag=True, help="Mend even if most of what is there would go.")
def doctor(*, mend: bool, age_h: float, force: bool) -> None:
    """Compare bucket and database; changes nothing unless told to.

    The exit status is 0 when they agree, or do so now.
    """
    from libs.backends import Backends, open_backends
    from libs.images.consistency import MENDED, Examination, Finding, TooMuch
    from libs.storage.objects import StoreUnavailable

    def note(finding: Finding) -> None:
        image = f"  {finding.image_id}" if finding.image_id else ""
        click.echo(f"{finding.kind:<8} {finding.key}{image}")

    async def examine(backends: Backends) -> None:
        examination = Examination(backends, age_s=age_h * HOUR_S)
        await examination.run(note)
        found = Counter(finding.kind for finding in examination.findings)
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items())) or "nothing amiss"
        click.echo(f"{examination.rows} images, {examination.objects} objects: {told}", err=True)
        left = sum(found[kind] for kind in (*MENDED, "altered"))
        if mend:
            mended = await examination.mend(force=force)
            click.echo(f"{mended} mended", err=True)
            left -= mended
        if left:
            raise click.exceptions.Exit(1)

    async def run(settings: Settings) -> None:
        try:
            async with open_backends(settings) as backends:
                await examine(backends)
        except TooMuch as error:
            raise click.ClickException(
                f"{error}: are DARKROOM_OBJECTS_URL and DARKROOM_DATABASE_URL those that belong together? "
                "--force mends all the same"
            ) from error
        except StoreUnavailable as error:
            raise click.ClickException(f"the object store does not serve: {error}") from error

    run_with(run)
