"""The descriptions of the API say what everything means, and give an example of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site import Site

pytestmark = [ON_ONE_SITE, pytest.mark.parametrize("address", ["/schema", "/schema/legacy"])]

Json = Mapping[str, Any]
WITHOUT_EXAMPLE = ("application/zip", "image/*")


@pytest.fixture
async def document(site: Site, address: str) -> Json:
    """One of the descriptions, as clients get it."""
    async with Client(site) as anyone:
        return (await anyone.get(f"{address}/openapi.json")).json


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


def bodies(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Every body of a request or an answer."""
    for name, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            yield name, kind, content
        for status, answer in operation["responses"].items():
            for kind, content in answer.get("content", {}).items():
                yield f"{name} {status}", kind, content


async def test_every_operation_says_what_it_does_in_a_sentence(document: Json) -> None:
    for name, operation in operations(document):
        assert 10 < len(operation["summary"]) < 110, name
        assert not operation["summary"].endswith("."), name
        assert operation["description"].endswith("."), name
        assert operation["description"].startswith(operation["summary"]), name
        assert operation["tags"], name
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)


async def test_every_parameter_has_a_description_and_an_example(document: Json) -> None:
    for name, operation in operations(document):
        for parameter in operation["parameters"]:
            assert parameter["description"], (name, parameter["name"])
            [example] = parameter["schema"]["examples"]
            check(example, parameter["schema"], document)


async def test_every_field_has_a_description_and_an_example(document: Json) -> None:
    missing: list[tuple[str, str]] = []
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, described in schema.get("properties", {}).items():
            if "const" in described or described.get("format") == "binary":
                assert "const" in described or described.get("description"), (name, field)
                continue
            if not described.get("description") or described.get("examples") in (None, [None]):
                missing.append((name, field))
    assert not missing


async def test_every_example_is_valid(document: Json) -> None:
    for schema in document["components"]["schemas"].values():
        for described in schema.get("properties", {}).values():
            for example in described.get("examples", []):
                check(example, described, document)
    for where, kind, content in bodies(document):
        if kind.endswith("json"):
            assert "example" in content, where
            check(content["example"], content["schema"], document)
    for header in document["components"]["headers"].values():
        assert header["description"]
        check(header["example"], header["schema"], document)


async def test_every_body_has_an_example(document: Json) -> None:
    for where, kind, content in bodies(document):
        if kind == "multipart/form-data" or kind in WITHOUT_EXAMPLE:
            continue  # its fields have examples; bytes have none
        assert content.get("example"), where


def check(example: object, schema: Json, document: Json) -> None:
    validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
    validator.validate(example)
