"""Render a file and describe the result, in one call to a render process."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from libs.imaging.describe import Description, describe
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import Rendered, render


class DescribedResult(Struct, frozen=True, kw_only=True):
    """The file that was written, and its description."""

    rendered: Rendered
    description: Description


def render_and_describe(
    source: Path,
    target: Path,
    operations: Sequence[AnyOperation],
    limits: Limits,
    *,
    assets: Mapping[str, Path] | None = None,
) -> DescribedResult:
    """Run `operations` over `source`, write the result to `target` and describe it.

    Raises:
        SourceFault, OperationFault, OutOfMemory: See `render`.
    """
    rendered = render(source, target, operations, limits, assets=assets)
    return DescribedResult(rendered=rendered, description=describe(target, limits))
