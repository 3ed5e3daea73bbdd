"""Render one photo into the output folder: the function that `darkroom process` runs in render processes."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from libs.imaging.errors import FileTooLarge, ImagingError
from libs.imaging.formats import FORMATS
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation
from libs.imaging.pipeline import explain, render


class RenderOptions(Struct, frozen=True, kw_only=True):
    """What is done to each photo."""

    operations: tuple[AnyOperation, ...]
    out: Path  # the output folder
    force: bool  # overwrite existing results
    limits: Limits
    max_bytes: int  # of a photo
    assets: Mapping[str, Path]


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of one photo, or the reason why there is none."""

    source: Path
    before_bytes: int
    target: Path | None = None
    after_bytes: int = 0
    failure: str | None = None


def render_file(source: Path, target: Path, part: Path, options: RenderOptions) -> Outcome:
    """Render `source` into `part`, then move that to `target` with the extension of its format.

    An existing file is overwritten only if `options.force`, the source itself never.
    """
    try:
        check_size(source, options.max_bytes)
        plan = explain(source, options.operations, options.limits)
        expected = target.with_suffix("." + FORMATS[plan.output.format].extension)
        if not options.force and not plan.output.opaque_format and expected.exists():
            return failed(source, f"{expected} is there already; --force overwrites")
        target.parent.mkdir(parents=True, exist_ok=True)
        rendered = render(source, part, options.operations, options.limits, assets=options.assets)
        target = target.with_suffix("." + rendered.extension)
        if options.force and target.resolve() != source.resolve():
            part.replace(target)
        else:
            target.hardlink_to(part)  # unlike a rename, this fails if the target exists
    except ImagingError as error:
        return failed(source, f"{error} ({error.code})")
    except FileExistsError:
        return failed(source, f"{target} is there already; --force overwrites all but the source")
    except OSError as error:
        return failed(source, str(error))
    finally:
        part.unlink(missing_ok=True)
    return Outcome(
        source=source,
        before_bytes=source.stat().st_size,
        target=target,
        after_bytes=rendered.size_bytes,
    )


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
    return Outcome(source=source, before_bytes=size_bytes, failure=reason)
