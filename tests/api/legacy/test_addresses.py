"""The addresses that older clients alone use: a slash at the end makes no difference."""

from typing import Any

import pytest

from tests.batches.csv_files import accepted, products
from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = ON_ONE_SITE

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
HASH_RECORDS = ["POST /api/images/create"]
CSV_FILES = [
    "POST /upload",
    "POST /api/upload",
    "GET /status/{batch}",
    "GET /api/status/{batch}",
]
EDITS = [
    "POST /api/register",
    "POST /api/login",
    "POST /api/images/images",
    "PATCH /api/images/images",
    "PATCH /api/images/images/{image}",
    "PATCH /images",
    "DELETE /api/images/images/{image}",
    "DELETE /images/{image}",
]
TRANSFORMATIONS = [
    "POST /users/register",
    "POST /api/token",
    "POST /api/token/refresh",
    "POST /images",
    "GET /images",
    "POST /images/{image}/transform",
]
PIPELINES = [
    "POST /account/logout",
    "POST /api/images/{image}",
    "GET /api/images/{image}/download",
    "POST /api/images/{image}/download",
    "GET /api/images/{image}download",
    "POST /api/images/{image}download",
]


@pytest.fixture(scope="module")
async def batch(shared_client: Client) -> str:
    """The id of a batch."""
    return (await accepted(shared_client, products([[DOT]])))["id"]


@pytest.mark.parametrize("address", HASH_RECORDS + CSV_FILES + EDITS + TRANSFORMATIONS + PIPELINES)
async def test_an_address_is_the_same_with_a_slash_at_its_end_and_without(
    shared_client: Client, batch: str, small_picture: bytes, address: str
) -> None:
    answers: list[Answer] = []
    for slash in ("", "/"):
        uploaded = await shared_client.upload(small_picture, retention="ephemeral")
        image = uploaded.json["id"]  # the request may delete it
        method, path = address.format(image=image, batch=batch).split()
        body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
        answers.append(await shared_client.call(method, path + slash, allow_redirects=False, json=body))
    plain, slashed = answers
    assert plain.status in (200, 400, 415), plain
    assert (slashed.status, gist(slashed)) == (plain.status, gist(plain))


def gist(answer: Answer) -> Any:
    """Return what distinguishes handlers: the errors of a request, or the fields of the answer."""
    if not answer.headers["Content-Type"].endswith("json"):
        return answer.headers["Content-Type"]
    content: dict[str, Any] = answer.json[0] if answer.body.startswith(b"[") else answer.json
    return (content["detail"], content.get("errors")) if "detail" in content else sorted(content)
