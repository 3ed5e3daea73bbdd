"""From a file as it was fetched to the one that is kept, with all that is told of that."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from libs.imaging.describe import Description, describe
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered, render


class Developed(Struct, frozen=True):
    """The file that was written, and its description."""

    rendered: Rendered
    description: Description


def develop(
    source: Path,
    target: Path,
    operations: Sequence[AnyOperation],
    limits: Limits,
    *,
    assets: Mapping[str, Path] | None = None,
) -> Developed:
    """Run `operations` over `source`, write the result to `target` and describe it.

    Raises:
        SourceFault, OperationFault, OutOfMemory: As `render`.
    """
    rendered = render(source, target, operations, limits, assets=assets)
    return Developed(rendered, describe(target, limits))
