"""Bringing a database up to date, on each engine."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from piccolo.apps.migrations.tables import Migration
from piccolo.engine.postgres import PostgresEngine

from libs.imaging.hashing import HASH_VERSION
from libs.storage import idempotency, image_descriptions
from libs.storage.database import migrations
from libs.storage.database.connection import open_database
from libs.storage.database.engine import Engine, rows
from libs.storage.database.migrate import migrate
from libs.storage.database.tables import Image, Job
from tests.storage.database_process import run_process
from tests.storage.rows import an_owner, image_of, image_row, job_of, job_row

POSTGRES_SCHEMA = """
select 'column' as kind, table_name || '.' || column_name as name,
       data_type || ' ' || is_nullable || ' ' || coalesce(character_maximum_length::text, '') as text
from information_schema.columns where table_schema = 'public'
union all
select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
union all
select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint where contype in ('f', 'p', 'u')
order by 1, 2
"""
SQLITE_SCHEMA = """
select 'column' as kind, m.name || '.' || c.name as name, c.type || ' ' || c."notnull" || ' ' || c.pk as text
from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'
union all
select 'index', name, sql from sqlite_master where type = 'index' and sql is not null
union all
select 'constraint', m.name || '.' || k."from", k."table" || ' ' || k.on_delete
from sqlite_master m, pragma_foreign_key_list(m.name) k where m.type = 'table'
order by 1, 2
"""


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[Engine]:
    async with open_database(empty_database_url) as engine:
        yield engine


def steps() -> list[str]:
    """Our own migrations, oldest first."""
    folder = Path(migrations.__path__[0])
    return [line.split('"')[1] for path in sorted(folder.glob("0*.py")) for line in id_lines(path)]


def id_lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("ID = ")]


async def schema(engine: Engine) -> list[dict[str, str]]:
    return await rows(Image.raw(POSTGRES_SCHEMA if isinstance(engine, PostgresEngine) else SQLITE_SCHEMA))


RENAMED = {"expiry_group": "clock", "held": "parked"}  # today's name of a column: the one it had at first


async def insert_as_then(row: Image | Job, engine: Engine) -> None:
    """Store a row with the columns that its table has at this step, under the names of that time."""
    table = row._meta.tablename  # pyright: ignore[reportPrivateUsage]
    present = {
        one["name"].partition(".")[2]
        for one in await schema(engine)
        if one["kind"] == "column" and one["name"].startswith(f"{table}.")
    }
    values: dict[str, Any] = {}
    for name, value in row.to_dict().items():
        column = name if name in present else RENAMED.get(name, name)
        if column in present:
            values[column] = value
    places = ", ".join(["{}"] * len(values))
    statement = f"insert into {table} ({', '.join(values)}) values ({places})"  # noqa: S608 - names of columns
    await Job.raw(statement, *values.values())


async def test_an_old_database_with_rows_is_upgraded(empty: Engine) -> None:
    await migrate(empty, until=steps()[0])
    owner = await an_owner()
    image = image_of(owner)
    job = job_of(owner, image)
    for row in (image, job):
        await insert_as_then(row, empty)
    await Image.raw("update image set error = 'nobody reads this'")
    await migrate(empty)
    assert (await image_row(image.id)).to_dict() == image.to_dict()
    assert "image.error" not in {one["name"] for one in await schema(empty)}
    assert (await job_row(job.id)).command == job.command
    assert not (await job_row(job.id)).held
    await idempotency.begin(owner.id, "k", "f")
    with pytest.raises(idempotency.KeyInUse):
        await idempotency.begin(owner.id, "k", "f")


async def test_hashes_of_an_old_database_count_as_earlier_ones(empty: Engine) -> None:
    await migrate(empty, until="0015-set-aside")
    owner = await an_owner()
    old, bare = image_of(owner, phash=5, metadata="{}"), image_of(owner)
    for row in (old, bare):
        await insert_as_then(row, empty)
    await migrate(empty)
    late = image_of(owner, phash=6, metadata="{}").to_dict()
    del late["hash_version"]  # written by a process of the release before, which does not know the column
    places = ", ".join(["{}"] * len(late))
    await Image.raw(f"insert into image ({', '.join(late)}) values ({places})", *late.values())  # noqa: S608
    assert [(await image_row(one)).hash_version for one in (old.id, late["id"])] == [1, 1]
    assert (await image_row(old.id)).phash == 5
    undescribed = await image_descriptions.undescribed(10, after=None)
    assert {image.id for image in undescribed} == {old.id, bare.id, late["id"]}
    described: dict[Any, Any] = {Image.phash: 7, Image.hash_version: HASH_VERSION, Image.metadata: "{}"}
    described[Image.has_alpha] = False
    for image in undescribed:
        assert await image_descriptions.store(image, described)
        assert not await image_descriptions.store(image, described)
    assert await image_descriptions.count_undescribed() == 0


async def test_transparency_and_cameras_of_an_old_database_are_filled_in(empty: Engine) -> None:
    await migrate(empty, until="0017-api-keys")
    owner = await an_owner()
    metadata = {
        "clear": '{"has_alpha": true, "exif": null}',
        "nikon": '{"has_alpha": false, "exif": {"make": "NIKON CORPORATION", "model": "NIKON D750"}}',
        "canon": '{"has_alpha": false, "exif": {"make": "Canon", "model": " Canon EOS 5D"}}',
        "nul": '{"has_alpha": false, "exif": {"model": "X"}, "xmp": "a\\u0000b"}',
        "bare": None,
    }
    made = {name: image_of(owner, metadata=text) for name, text in metadata.items()}
    for image in made.values():
        await insert_as_then(image, empty)
    await migrate(empty)
    found = {name: await image_row(image.id) for name, image in made.items()}
    unread = isinstance(empty, PostgresEngine)  # PostgreSQL reads no JSON with the character NUL
    assert {name: (row.has_alpha, row.camera) for name, row in found.items()} == {
        "clear": (True, None),
        "nikon": (False, "NIKON CORPORATION NIKON D750"),
        "canon": (False, "Canon EOS 5D"),
        "nul": (None, None) if unread else (False, "X"),
        "bare": (None, None),
    }
    assert {row.tags for row in found.values()} == {"[]"}


async def test_an_upgraded_database_equals_a_fresh_one(empty: Engine, tmp_path: Path) -> None:
    for step in steps():
        await migrate(empty, until=step)
    upgraded = await schema(empty)
    if isinstance(empty, PostgresEngine):
        await Image.raw("drop schema public cascade")
        await Image.raw("create schema public")
        await migrate(empty)
        fresh = await schema(empty)
    else:
        async with open_database(f"sqlite:///{tmp_path}/fresh.sqlite") as other:
            await migrate(other)
            fresh = await schema(other)
    assert upgraded == fresh
    assert len(fresh) > 50


async def test_migrating_twice_changes_nothing(database: Engine) -> None:
    before = await schema(database), len(await Migration.objects())
    await migrate(database)
    assert (await schema(database), len(await Migration.objects())) == before


async def test_processes_that_migrate_at_once_do_not_disturb_each_other(empty_database_url: str) -> None:
    said = await asyncio.gather(*(run_process("upgrade", empty_database_url) for _ in range(3)))
    assert said == ["migrated"] * 3
    async with open_database(empty_database_url):
        assert await Job.count() == 0
        names = [row["name"] for row in await Migration.select(Migration.name)]
        assert len(names) == len(set(names))
