"""A query parameter that an operation does not take is refused, not ignored."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.client import Answer, Client
from tests.support.shared_sites import ON_ONE_SITE

pytestmark = ON_ONE_SITE

OF_LINKS = ("/d/{token}", "/accounts/reset/{token}")
"""Addresses that people open from mails and chats, which add parameters of their own."""
FOREIGN = "colour"


async def described(client: Client, address: str) -> dict[str, Any]:
    answer = await client.get(f"{address}/openapi.json")
    assert answer.status == 200, answer
    return answer.json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def filled(path: str, operation: dict[str, Any]) -> str:
    """The path with values of the right types."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            schema = parameter["schema"]
            value = str(uuid4()) if schema.get("format") == "uuid" else "7"
            path = path.replace(f"{{{parameter['name']}}}", value)
    assert not re.search("[{}]", path), path
    return path


def taken(operation: dict[str, Any]) -> list[str]:
    """The query parameters that an operation is described with; one may be its credential."""
    names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    if {"upload_token": []} in operation.get("security", []):
        names.add("upload_token")
    return sorted(names)


def messages(answer: Answer) -> dict[str, str]:
    return {error["key"]: error["message"] for error in answer.json["errors"]}


async def test_every_operation_refuses_a_parameter_that_it_does_not_take_and_lists_those_that_it_does(
    shared_client: Client,
) -> None:
    without_any: list[str] = []
    for method, path, operation in operations(await described(shared_client, "/schema")):
        if path in OF_LINKS:
            continue
        answer = await shared_client.call(method, f"{filled(path, operation)}?{FOREIGN}=red")
        assert answer.status == 400, (method, path, answer)
        assert "400" in operation["responses"], (method, path)
        assert "`invalid_request`" in operation["responses"]["400"]["description"], (method, path)
        if method == "HEAD":
            continue
        assert answer.code == "invalid_request"
        [(key, message)] = messages(answer).items()
        assert (key, message in answer.json["detail"]) == (FOREIGN, True)
        if names := taken(operation):
            assert message == f"unknown parameter `{FOREIGN}`; known: " + ", ".join(
                f"`{one}`" for one in names
            )
        else:
            without_any.append(path)
            assert message == f"unknown parameter `{FOREIGN}`: this operation takes none"
    assert {"/api/images/{image_id}", "/health/live", "/accounts/me"} <= set(without_any)


async def test_every_operation_names_the_nearest_of_its_own_parameters(shared_client: Client) -> None:
    for method, path, operation in operations(await described(shared_client, "/schema")):
        for name in taken(operation):
            answer = await shared_client.call(method, f"{filled(path, operation)}?{name}x=1")
            assert answer.status == 400, (method, path, name)
            if method != "HEAD":
                expected = f"unknown parameter `{name}x`; did you mean `{name}`?"
                assert messages(answer) == {f"{name}x": expected}, (method, path)


async def test_every_legacy_address_ignores_what_it_does_not_take(shared_client: Client) -> None:
    for method, path, operation in operations(await described(shared_client, "/schema/legacy")):
        address = filled(path, operation)
        for query in (f"{FOREIGN}=red", "stauts=x&fromat=x&limitx=1"):
            answer = await shared_client.call(method, f"{address}?{query}")
            assert b"unknown parameter" not in answer.body, (method, path)
    assert (await shared_client.get(f"/api/images/?{FOREIGN}=red&fromat=png&_=1732")).status == 200


async def test_a_link_is_opened_with_what_mail_programs_and_counters_add_to_it(
    shared_client: Client, small_picture: bytes
) -> None:
    image = (await shared_client.upload(small_picture, filename="small.png")).json["id"]
    link = (await shared_client.post(f"/api/images/{image}/link", json={})).json["url"]
    opened = await shared_client.get(f"{link}?utm_source=mail&fbclid=1&_=17", token=" ")
    assert (opened.status, opened.body) == (200, small_picture)
    misspelt = await shared_client.get(f"{link}?utm_source=mail&atachment=true", token=" ")
    assert (misspelt.status, messages(misspelt)) == (
        400,
        {"atachment": "unknown parameter `atachment`; did you mean `attachment`?"},
    )
    page = await shared_client.get("/accounts/reset/none?utm_source=chat", token=" ")
    assert (page.status, page.code) == (401, "token_invalid")


async def test_pages_ignore_what_they_do_not_take(shared_client: Client) -> None:
    for page in ("/", "/schema", "/schema/openapi.json", "/errors/invalid_request", "/console/"):
        assert (await shared_client.get(f"{page}?utm_source=mail")).status == 200, page


@pytest.mark.parametrize("credential", ["ticket", "upload_token"])
async def test_a_credential_that_opens_nothing_here_is_no_login(
    shared_client: Client, credential: str
) -> None:
    answer = await shared_client.get(f"/api/jobs?{credential}=x", token=" ")
    assert (answer.status, answer.code) == (401, "not_authenticated")


async def test_an_answer_names_at_most_twenty_unknown_parameters_each_once(shared_client: Client) -> None:
    names = [f"{FOREIGN}{number}" for number in range(1000)]
    answer = await shared_client.get(f"/api/images?{'&'.join(f'{name}=1&{name}=2' for name in names)}")
    assert (answer.status, [error["key"] for error in answer.json["errors"]]) == (400, names[:20])
