"""The names of results: the option `--name` of `darkroom process`."""

from difflib import get_close_matches
from pathlib import Path
from string import Formatter

import click
from msgspec import Struct

EARLY = ("stem", "name", "ext", "format")  # known before the photo is rendered
LATE = ("width", "height")
DEFAULT = "{stem}.{ext}"


class ResultName(Struct, frozen=True):
    """A template such as `{stem}-{width}.{ext}`."""

    template: str = DEFAULT

    @property
    def early(self) -> bool:
        """Whether the name is known before the photo is rendered."""
        return not any(f"{{{field}}}" in self.template for field in LATE)

    def beside(self, path: Path, *, ext: str, image_format: str, width: int = 0, height: int = 0) -> Path:
        """Return the path of the result of a photo that would itself be stored at `path`."""
        name = self.template.format_map(
            {
                "stem": path.stem,
                "name": path.name,
                "ext": ext,
                "format": image_format,
                "width": width,
                "height": height,
            }
        )
        return path.parent / name


def parse_result_name(text: str) -> ResultName:
    """Check a template.

    Raises:
        click.BadParameter: It has an unknown field, or leads out of the output folder.
    """
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise click.BadParameter(f"{error}", param_hint="--name") from error
    for _, field, form, conversion in pieces:
        if field is None:
            continue
        if form or conversion or field not in (*EARLY, *LATE):
            near = get_close_matches(field, (*EARLY, *LATE), n=1)
            known = ", ".join(f"{{{name}}}" for name in (*EARLY, *LATE))
            hint = f"did you mean {{{near[0]}}}?" if near else f"known: {known}"
            raise click.BadParameter(f"unknown field {{{field}}}; {hint}", param_hint="--name")
    path = Path(text)
    if not path.name or path.is_absolute() or ".." in path.parts:
        raise click.BadParameter("a name is a path below the output folder", param_hint="--name")
    return ResultName(text)
