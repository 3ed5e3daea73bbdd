"""The schema of the operations: small, and enough to make forms from."""

import gzip
from typing import Any

import jsonschema
import pytest

from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE

FORM_TYPES = {"integer", "number", "boolean", "string", "array"}


@pytest.fixture
async def schema(client: Client) -> dict[str, Any]:
    async with client.session.get(f"{client.site.url}/api/operations") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/schema+json")
        body = await answer.read()
    assert len(gzip.compress(body)) < 8000
    return (await client.get("/api/operations")).json


@ON_ONE_SITE
async def test_it_needs_no_token_and_says_of_every_field_what_a_form_needs(schema: dict[str, Any]) -> None:
    parts = schema["$defs"]
    operations = [parts[ref["$ref"].rpartition("/")[2]] for ref in schema["oneOf"]]
    assert len(operations) == 30
    for operation in operations:
        assert operation["description"]
        for name, field in operation["properties"].items():
            if name == "op":
                continue
            assert field["description"], (operation["title"], name)
            assert "default" in field or name in operation["required"], (operation["title"], name)
            for kind in field.get("anyOf", [field]):
                known = "enum" in kind or "$ref" in kind or kind["type"] in FORM_TYPES | {"null"}
                assert known, (operation["title"], name)
                if kind.get("type") in ("integer", "number"):
                    assert {"minimum", "exclusiveMinimum"} & kind.keys(), (operation["title"], name)
                    bounded = {"maximum", "exclusiveMaximum"} & kind.keys() or name == "max_bytes"
                    assert bounded, (operation["title"], name)
    assert parts["Colour"]["format"] == "color"


@ON_ONE_SITE
async def test_it_decides_as_the_api_does(schema: dict[str, Any], client: Client) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    for operation in (
        {"op": "resize", "width": 10, "gravity": "focus", "background": "#fff"},
        {"op": "resize", "width": 10, "gravity": {"x": 0.1, "y": 1}},
        {"op": "resize", "width": 0},
        {"op": "tint", "color": "reddish"},
        {"op": "blur", "sigma": 2, "radius": 1},
        {"op": "convert", "format": "pdf"},
    ):
        preset = await client.call("PUT", "/api/presets/tried", json={"operations": [operation]})
        assert validator.is_valid(operation) == (preset.status in (200, 201)), operation
