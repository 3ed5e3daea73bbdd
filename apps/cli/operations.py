"""`darkroom operations`: what each operation does and takes."""

import textwrap
from difflib import get_close_matches

import click
import msgspec

from libs.imaging.operations.reference import description_of, fields_of, kinds


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def operations(name: str | None, as_json: bool) -> None:
    """List the operations, or describe the operation NAME with its fields."""
    known = kinds()
    if name is not None and name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise click.BadParameter(f"there is no operation {name!r}{hint}", param_hint="NAME")
    names = list(known) if name is None else [name]
    if as_json:
        shown = [
            {"name": each, "description": description_of(known[each]), "fields": fields_of(known[each])}
            for each in names
        ]
        click.echo(msgspec.json.format(msgspec.json.encode(shown if name is None else shown[0])))
    elif name is None:
        width = max(map(len, known)) + 2
        for each, kind in known.items():
            click.echo(f"{each:<{width}}{description_of(kind).splitlines()[0]}")
    else:
        click.echo(_described(name))


def _described(name: str) -> str:
    kind = kinds()[name]
    lines = [name, "", textwrap.indent(description_of(kind), "  ")]
    for field in fields_of(kind):
        default = (
            "required" if field.required else f"default {field.default}" if field.default else "optional"
        )
        lines += ["", f"  {field.name} ({default})", f"    {field.values}"]
    return "\n".join(lines)
