"""Render one photo into the output folder: the function that `darkroom process` runs in render processes."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from apps.cli.result_names import ResultName
from libs.imaging.errors import FileTooLarge, ImagingError
from libs.imaging.formats import FORMATS
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain, render


class RenderOptions(Struct, frozen=True, kw_only=True):
    """What is done to each photo."""

    operations: tuple[AnyOperation, ...]
    out: Path  # the output folder
    name: ResultName
    force: bool  # overwrite existing results
    limits: Limits
    max_bytes: int  # of a photo
    assets: Mapping[str, Path]


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of one photo, or the reason why there is none."""

    source: Path
    before_bytes: int
    result: Path | None = None
    after_bytes: int = 0
    width: int = 0  # of the result, in pixels
    height: int = 0
    error: str | None = None


def render_file(source: Path, beside: Path, part: Path, options: RenderOptions) -> Outcome:
    """Render `source` into `part`; the outcome says where that belongs.

    Args:
        source: The photo.
        beside: Where the photo would be, if it were in the output folder.
        part: The unfinished result.
        options: What to do.
    """
    try:
        check_size(source, options.max_bytes)
        plan = explain(source, options.operations, options.limits)
        if not options.force and not plan.output.opaque_format and options.name.early:
            image_format = plan.output.format
            extension = FORMATS[image_format].extension
            check_free(options.name.beside(beside, ext=extension, image_format=image_format))
        part.parent.mkdir(parents=True, exist_ok=True)
        rendered = render(source, part, options.operations, options.limits, assets=options.assets)
    except ImagingError as error:
        return failed(source, f"{error} ({error.code})")
    except OSError as error:
        return failed(source, str(error))
    result = options.name.beside(
        beside,
        ext=rendered.extension,
        image_format=rendered.format,
        width=rendered.width,
        height=rendered.height,
    )
    return Outcome(
        source=source,
        before_bytes=source.stat().st_size,
        result=result,
        after_bytes=rendered.size_bytes,
        width=rendered.width,
        height=rendered.height,
    )


def store_result(part: Path, outcome: Outcome, taken: set[Path], *, force: bool) -> Outcome:
    """Move a finished part to its result.

    An existing file is overwritten only with `force`; the source, and what is in `taken`, never.
    """
    result = outcome.result
    if result is None:
        return outcome
    try:
        if result in taken:
            raise FileExistsError(f"{result} is the result of another photo too; --name can tell them apart")
        result.parent.mkdir(parents=True, exist_ok=True)
        if force and result.resolve() != outcome.source.resolve():
            part.replace(result)
        else:
            check_free(result)
            result.hardlink_to(part)  # unlike a rename, this fails if the target exists
    except OSError as error:
        return failed(outcome.source, error.strerror or str(error))
    taken.add(result)
    return outcome


def check_free(result: Path) -> None:
    """Check that no file would be overwritten.

    Raises:
        FileExistsError: One would be.
    """
    if result.exists():
        raise FileExistsError(f"{result} is there already; --force overwrites all but the source")


def check_size(source: Path, max_bytes: int) -> None:
    """Check the size of a file, as a worker does before it decodes one.

    Raises:
        FileTooLarge: It has more than `max_bytes`.
    """
    size_bytes = source.stat().st_size
    if size_bytes > max_bytes:
        raise FileTooLarge(size_bytes, max_bytes)


def failed(source: Path, reason: str) -> Outcome:
    """Return the outcome of a photo that has no result."""
    size_bytes = source.stat().st_size if source.exists() else 0
    return Outcome(source=source, before_bytes=size_bytes, error=reason)
