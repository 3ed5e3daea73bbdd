"""`darkroom compare`: how much two local photos look alike."""

from pathlib import Path

import click
import msgspec

from apps.cli.describe import PHOTO, describe_photos
from apps.cli.tables import print_rows
from libs.imaging.hashing import distance

HASHES = ("phash", "dhash", "average_hash", "colorhash")


@click.command()
@click.argument("first", type=PHOTO)
@click.argument("second", type=PHOTO)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def compare(first: Path, second: Path, as_json: bool) -> None:
    """Print the distances between the hashes of two photos, in bits.

    Photos look alike when their phash differs in at most 10 of its 64 bits.
    """
    description, other = describe_photos(first, second)
    distances = {name: distance(getattr(description, name), getattr(other, name)) for name in HASHES}
    if as_json:
        same_bytes = description.sha256 == other.sha256
        click.echo(msgspec.json.encode({"same_bytes": same_bytes, "distances": distances}))
        return
    rows = [
        (name, getattr(description, name), getattr(other, name), str(bits))
        for name, bits in distances.items()
    ]
    print_rows(rows, headers=("hash", first.name, second.name, "bits apart"))
