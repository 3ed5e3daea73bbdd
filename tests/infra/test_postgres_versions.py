"""The services' script brings PostgreSQL in another version than the system's, and Darkroom migrates it."""

from pathlib import Path
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from tests.infra.services_folder import environment, services, succeed, variables
from tests.support.services import service_url
from tests.support.site import PROGRAM, SECRET, Site

pytestmark = pytest.mark.services


async def test_postgresql_17_starts_and_takes_all_migrations(folder: Path, tmp_path: Path) -> None:
    others = {
        f"DARKROOM_TEST_{name}_URL": service_url(name)
        for name in ("BROKER", "RABBITMQ_MANAGEMENT", "OBJECTS")
    }
    env = environment(folder, POSTGRES="17", **others)
    succeed("up", env)
    url = variables(env)["DARKROOM_TEST_DATABASE_URL"]
    connection = cast("Any", await asyncpg.connect(url))
    assert (await connection.fetchval("show server_version")).startswith("17.")
    site = Site("services", tmp_path, {"DATABASE_URL": url, "SECRET_KEY": SECRET}, PROGRAM)
    await site.run("migrate")
    assert await connection.fetchval("select count(*) from job") == 0
    await connection.close()


def test_a_version_that_cannot_be_had_is_named(folder: Path) -> None:
    refused = services("up", environment(folder, POSTGRES="9"))
    assert refused.returncode == 1
    assert "POSTGRES may be 17" in refused.stderr
