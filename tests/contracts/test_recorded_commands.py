"""Commands as version 1 has written them: rows of old processes are work for new ones, and the reverse."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast, get_args

import pytest

from libs.contracts.commands import AnyCommand, TransformImage, decode, encode
from libs.contracts.enums import JobStatus, Retention
from libs.storage.database.tables import Job, new_id
from tests.storage.rows import an_owner, image_row
from tests.support.backends import NewBackends, ended, submit, working

RECORDED = [
    json.loads(line) for line in (Path(__file__).parent / "recorded_commands.jsonl").read_text().splitlines()
]


def parts(value: Any, path: str = "") -> dict[str, Any]:
    """Every value inside, by its path."""
    pairs: Iterable[tuple[Any, Any]]
    match value:
        case dict():
            pairs = cast("dict[str, Any]", value).items()
        case list():
            pairs = enumerate(cast("list[Any]", value))
        case _:
            return {path: value}
    return {key: found for name, one in pairs for key, found in parts(one, f"{path}.{name}").items()}


def test_every_kind_of_command_is_recorded() -> None:
    tags = {command.__struct_config__.tag for command in get_args(AnyCommand)}
    assert {one["type"] for one in RECORDED} == tags


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: f"{one['type']} {one['job_id'][-1]}")
def test_a_recorded_command_is_read_and_written_as_it_was(recorded: dict[str, Any]) -> None:
    command = decode(json.dumps(recorded))
    assert parts(recorded).items() <= parts(json.loads(encode(command))).items()
    newer = recorded | {"a_field_of_a_newer_version": {"nested": [1]}}
    assert decode(json.dumps(newer)) == command


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)
async def test_a_worker_does_a_recorded_command(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    owner = await an_owner()
    image, submitted = await submit(backends, owner, photo, [{"op": "flip"}], Retention.KEEP)
    target = new_id()
    own = {"job_id": str(submitted.id), "source": {"image_id": str(image.id)}, "owner": owner.username}
    command = json.dumps(RECORDED[0] | own | {"target": str(target)})
    assert isinstance(decode(command), TransformImage)
    await Job.update({Job.command: command}).where(Job.id == submitted.id)
    async with working(backends):
        assert (await ended(submitted.id)).status == JobStatus.COMPLETED
    result = await image_row(target)
    assert (result.format, result.width, result.height) == ("webp", 80, 60)
