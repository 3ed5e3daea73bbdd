"""A misspelt name in a request is answered with the nearest right one, however the request is written."""

import json
from typing import Any

import pytest

from tests.support.client import Answer, Client
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
    assert answer.json["errors"] == [
        {"message": "unknown field `operatoins`; did you mean `operations`?", "key": "body"}
    ]
    answer = await shared_client.post(f"/api/images/{image}/link", json={"expires_im": 5})
    assert answer.json["errors"] == [
        {"message": "unknown field `expires_im`; did you mean `expires_in`?", "key": "body"}
    ]


@pytest.mark.parametrize(
    ("address", "given", "meant"),
    [
        ("/api/images", "fromat", "format"),
        ("/api/jobs", "stauts", "status"),
        ("/api/images/{image}/download", "versoin", "version"),
        ("/api/images/{image}/similar", "max_distence", "max_distance"),
        ("/api/webhooks/deliveries", "evnet", "event"),
    ],
)
async def test_a_query_parameter(
    shared_client: Client, image: str, address: str, given: str, meant: str
) -> None:
    answer = await shared_client.get(f"{address.format(image=image)}?{given}=x")
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.json["errors"] == [
        {"message": f"unknown parameter `{given}`; did you mean `{meant}`?", "key": given}
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("/api/jobs?status=complted", "`status` cannot be `complted`; did you mean `completed`?"),
        ("/api/images?format=jpge", "`format` cannot be `jpge`; did you mean `jpeg`?"),
    ],
)
async def test_a_value_of_a_query_parameter(shared_client: Client, query: str, message: str) -> None:
    answer = await shared_client.get(query)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert [error["message"] for error in answer.json["errors"]] == [message]


async def test_all_that_is_wrong_with_a_request_is_said_at_once(
    shared_client: Client, image: str, small_picture: bytes
) -> None:
    operations = [{"op": "resize", "width": 0}, {"op": "blurr"}]
    expected = [
        ("operations[0].width", "must be at least 1 in operation 1 (resize)"),
        ("operations[1].op", "unknown operation `blurr`; did you mean `blur`?"),
    ]

    def found(answer: Answer) -> list[tuple[str, str]]:
        assert (answer.status, answer.code) == (400, "invalid_request")
        return [(error["key"], error["message"]) for error in answer.json["errors"]]

    body = {"operations": operations, "webhook_url": ""}
    more = [*expected, ("webhook_url", "must have at least 1 character")]
    assert found(await shared_client.post(f"/api/images/{image}/transform", json=body)) == more
    url = {"image_url": "http://127.0.0.2/a.jpg", **body}
    assert found(await shared_client.post("/api/images", json=url)) == more
    assert found(await shared_client.upload(small_picture, json.dumps(operations))) == expected
    wrong_query = await shared_client.get("/api/jobs?status=lost&limit=0&after=x&image=x")
    assert [error["key"] for error in wrong_query.json["errors"]] == ["status", "limit", "after", "image"]
    assert wrong_query.json["errors"][1]["message"] == "must be at least 1"


async def test_no_error_has_the_words_of_a_library(shared_client: Client, image: str) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        (f"/api/images/{image}/transform", {"operations": [{"op": "resize", "width": "a"}, 3]}),
        (f"/api/images/{image}/link", {"expires_in": None, "version": 3}),
        ("/accounts/register", {"username": None, "email": "x", "password": "short"}),
        ("/api/webhooks", {"url": "", "events": [], "active": 1}),
    ]
    for path, body in requests:
        answer = await shared_client.post(path, json=body)
        assert answer.json["errors"], path
        for foreign in ("Expected `", "`str`", "`int`", "Object ", "msgspec", "litestar"):
            assert foreign not in answer.body.decode(), path
