"""Requests that schemathesis generates from the descriptions get answers that these describe."""

import os
from pathlib import Path

import pytest

from tests.clients.generating import run
from tests.support.client import Client

OPTIONS = Path(__file__).parent / "schemathesis.toml"
EXAMPLES = os.environ.get("EXAMPLES", "2")
SECONDS = os.environ.get("SECONDS_EACH", "30")
ENDLESS = ("streamAll", "streamJob", "streamBatch", "getApiJobsByJobIdEvents")
ENDS_ITSELF = ("deleteAccount", "revokeApiKey", "changePassword")


@pytest.mark.parametrize(
    ("shared_site", "address"),
    [
        pytest.param("services", "/schema", marks=pytest.mark.services),
        ("embedded", "/schema/legacy"),  # translations to the same functions, so once more on the other kind
    ],
    indirect=["shared_site"],
)
async def test_no_answer_is_other_than_described(client: Client, tmp_path: Path, address: str) -> None:
    skipped = [word for name in (*ENDLESS, *ENDS_ITSELF) for word in ("--exclude-operation-id", name)]
    said = await run(
        "schemathesis",
        *("--config-file", OPTIONS, "run", f"{client.site.url}{address}/openapi.json"),
        *("--header", f"Authorization: Bearer {client.token}"),
        *("--max-examples", EXAMPLES, "--max-time", SECONDS, "--request-timeout", "90"),
        *("--generation-deterministic", "--no-shrink", "--continue-on-failure", "--warnings", "off"),
        *("--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"),
        *skipped,
        cwd=tmp_path,
    )
    assert "No issues found" in said
