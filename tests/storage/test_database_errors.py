"""What the drivers of both engines raise arrives as the errors of libs/storage/database."""

import asyncio
import contextvars
import errno
from pathlib import Path
from socket import gaierror
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from libs.storage.database.connection import ping, transaction
from libs.storage.database.engine import Engine, engine_from, opened, rows
from libs.storage.database.errors import (
    DatabaseFull,
    DatabaseUnavailable,
    InvalidValue,
    UniqueViolation,
    driver_errors,
)
from libs.storage.database.statement import insert
from libs.storage.database.tables import Image, Job, new_id
from tests.storage.rows import a_queued_job, an_image, an_owner, image_of, job_row

POSTGRES = pytest.mark.parametrize(
    "database_url", [pytest.param("postgres", marks=pytest.mark.services)], indirect=True
)


async def end_connection(pid: int) -> None:
    await Image.raw("select pg_terminate_backend({})", pid)


async def test_a_repeated_key_is_a_unique_violation(database: Engine) -> None:
    owner = await an_owner()
    image = await an_image(owner)

    async def insert_in_transaction() -> None:
        async with transaction():
            await insert(image_of(owner, id=image.id))

    with pytest.raises(UniqueViolation):
        await insert(image_of(owner, id=image.id))
    with pytest.raises(UniqueViolation):
        await image_of(owner, id=image.id).save()
    with pytest.raises(UniqueViolation):
        await insert_in_transaction()


async def test_a_missing_reference_is_no_unique_violation(database: Engine) -> None:
    owner = await an_owner()
    with pytest.raises(Exception, match=r"(?i)foreign key") as raised:
        await insert(image_of(owner, parent=new_id()))
    assert not isinstance(raised.value, UniqueViolation | DatabaseUnavailable)


async def test_a_server_that_does_not_listen_is_unavailable() -> None:
    with pytest.warns(Warning, match="version"):  # Piccolo asks for it at once
        engine = engine_from("postgres://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        async with opened(engine):
            pass


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnavailable):
        engine_from(f"sqlite:///{tmp_path}/file/database.sqlite")
    with pytest.raises(DatabaseUnavailable):
        engine_from(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_has_its_own_error(database: Engine) -> None:
    owner = await an_owner()
    await rows(Image.raw("pragma max_page_count = 1"))  # as large as the file is now
    with pytest.raises(DatabaseFull) as full:
        await asyncio.gather(*(an_image(owner, filename="x" * 255) for _ in range(100)))
    assert full.value.code == "storage_full"


@pytest.mark.parametrize(
    "changes", [{"size_bytes": 10**30}, {"filename": "half a character: \ud800"}], ids=["number", "text"]
)
async def test_a_value_that_the_database_does_not_have_is_invalid(
    database: Engine, changes: dict[str, Any]
) -> None:
    owner = await an_owner()
    with pytest.raises(InvalidValue):
        await insert(image_of(owner, **changes))
    with pytest.raises(InvalidValue):
        await image_of(owner, **changes).save()


@POSTGRES
async def test_a_text_with_a_nul_is_invalid(database: Engine) -> None:
    with pytest.raises(InvalidValue):
        await insert(image_of(await an_owner(), filename="a\0b"))


async def test_an_error_of_the_file_system_says_nothing_about_the_database() -> None:
    for error in (PermissionError(errno.EACCES, "denied"), OSError(errno.EMFILE, "too many open files")):
        with pytest.raises(type(error)), driver_errors:
            raise error
    several = OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 111] Connect call failed")
    for error in (several, OSError(errno.EHOSTUNREACH, "no route"), gaierror(-3, "try again")):
        with pytest.raises(DatabaseUnavailable), driver_errors:
            raise error


@pytest.mark.parametrize("error", [asyncpg.InternalClientError, asyncpg.InterfaceError])
def test_a_driver_that_finds_its_connection_ended_says_unavailable(error: type[Exception]) -> None:
    with pytest.raises(DatabaseUnavailable), driver_errors:
        raise error("the connection ended")


@POSTGRES
async def test_a_connection_lost_in_a_statement_is_unavailable(database: Engine) -> None:
    async def end_own_connection() -> None:
        async with transaction():
            await Image.raw("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(DatabaseUnavailable):
        await Image.raw("select pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(DatabaseUnavailable):
        await end_own_connection()
    await ping()


@POSTGRES
async def test_a_connection_lost_before_commit_is_unavailable(database: Engine) -> None:
    job = await a_queued_job()

    async def lose_commit() -> None:
        async with transaction():
            await Job.update({Job.attempts: 7}).where(Job.id == job.id)
            (connection,) = await rows(Image.raw("select pg_backend_pid() as pid"))
            outside = contextvars.Context()  # a task made here would run in this transaction
            await asyncio.create_task(end_connection(connection["pid"]), context=outside)

    with pytest.raises(DatabaseUnavailable):
        await lose_commit()
    assert (await job_row(job.id)).attempts == 0
