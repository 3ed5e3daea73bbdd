"""A misspelt name in a request is answered with the nearest right one, however the request is written."""

import json
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = ON_ONE_SITE

OPERATIONS: list[dict[str, Any]] = [{"op": "flip"}, {"op": "resize", "widht": 30}]
ANSWER = "unknown field `widht` in operation 2 (resize); did you mean `width`?"


@pytest.fixture
async def image(shared_client: Client, small_picture: bytes) -> str:
    return (await shared_client.upload(small_picture, filename="small.png")).json["id"]


async def test_an_operation_in_a_json_body(shared_client: Client, image: str) -> None:
    answer = await shared_client.post(f"/api/images/{image}/transform", json={"operations": OPERATIONS})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.json["errors"] == [{"message": ANSWER, "key": "operations[1]"}]
    assert ANSWER in answer.json["detail"]
    url = {"image_url": "http://127.0.0.2/a.jpg", "operations": OPERATIONS}
    answer = await shared_client.post("/api/images", json=url)
    assert (answer.status, answer.json["errors"]) == (400, [{"message": ANSWER, "key": "operations[1]"}])


async def test_an_operation_in_a_form(shared_client: Client, small_picture: bytes) -> None:
    answer = await shared_client.upload(small_picture, json.dumps(OPERATIONS))
    assert answer.status == 400
    assert ANSWER in answer.json["detail"]
    answer = await shared_client.upload(small_picture, retenton="keep")
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert "unknown field `retenton`; did you mean `retention`?" in answer.json["detail"]


async def test_a_field_of_the_body_itself(shared_client: Client, image: str) -> None:
    answer = await shared_client.post(f"/api/images/{image}/transform", json={"operatoins": []})
    assert answer.json["errors"][0]["message"] in (
        "unknown field `operatoins`; did you mean `operations`?",
        "Object missing required field `operations`",
    )
    answer = await shared_client.post(f"/api/images/{image}/link", json={"expires_im": 5})
    assert answer.json["errors"] == [
        {"message": "unknown field `expires_im`; did you mean `expires_in`?", "key": "body"}
    ]
