"""The AsyncAPI document: that of the Structs, valid, and served."""

import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from libs.contracts import asyncapi
from libs.contracts.orders import decode_order
from libs.contracts.topology import EVENTS, JOBS, Route
from tests.orders.producer import ingest, transform
from tests.support.shared_sites import signed_in
from tests.support.site import Site

HERE = Path(__file__).parent
DOCUMENT = Path(asyncapi.__file__).with_name("asyncapi.json")


def document() -> dict[str, Any]:
    return json.loads(DOCUMENT.read_text())


def test_the_document_is_that_of_the_structs() -> None:
    assert DOCUMENT.read_text() == asyncapi.text()


def test_the_schema_of_asyncapi_accepts_it() -> None:
    schema = json.loads((HERE / "asyncapi-3.0.0.schema.json").read_text())  # as AsyncAPI publishes it
    assert [error.message for error in Draft7Validator(schema).iter_errors(document())] == []
    broken = document() | {"channels": {"one": {"adress": "typo"}}}
    assert list(Draft7Validator(schema).iter_errors(broken))


def test_every_reference_of_it_leads_somewhere() -> None:
    whole = document()
    for reference in references(whole):
        target: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def references(part: object) -> list[str]:
    """Every `$ref` within."""
    if isinstance(part, dict):
        inside = cast("dict[str, object]", part)
        own = [str(inside["$ref"])] if "$ref" in inside else []
        return own + [found for value in inside.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in cast("list[object]", part) for found in references(value)]
    return []


def test_its_exchanges_and_keys_are_those_of_the_topology() -> None:
    channels = asyncapi.asyncapi()["channels"]
    bound = {
        one["address"]: one["bindings"]["amqp"]["exchange"] for one in channels.values() if one["address"]
    }
    assert {bound[key]["name"] for key in ("transform", "transform.bulk", "ingest")} == {JOBS}
    assert {key for key, exchange in bound.items() if exchange["name"] == JOBS} <= set(Route)
    assert {one["name"] for one in bound.values()} == {JOBS, EVENTS}


@pytest.mark.parametrize(
    ("order", "good"),
    [
        (transform("ada", {"url": "https://example.org/a.jpg"}), True),
        (transform("ada", {"object": "inbox/ada/a.jpg"}, job_id="1", retention="keep"), True),
        (ingest("ada", {"object": "inbox/a.jpg"}, filename="a.jpg", on_duplicate="return"), True),
        (transform("ada", {}), False),
        (transform("ada", {"url": "https://example.org/", "object": "inbox/a.jpg"}), False),
        (transform("ada", {"url": "https://example.org/"}, operations=[{"op": "explode"}]), False),
        (transform("ada", {"url": "https://example.org/"}, retention="for ever"), False),
        (transform("", {"url": "https://example.org/"}), False),
    ],
)
def test_what_it_says_of_an_order_is_what_the_decoder_accepts(order: dict[str, Any], good: bool) -> None:
    root = "TransformOrder" if order["type"] == "transform.v1" else "IngestOrder"
    schema = document() | {"$ref": f"#/components/schemas/{root}"}
    assert Draft202012Validator(schema).is_valid(order) is good
    if good:
        decode_order(msgspec.json.encode(order))
    else:
        with pytest.raises(Exception, match=r"\$|source"):
            decode_order(msgspec.json.encode(order))


async def test_it_is_served_to_everybody(site: Site) -> None:
    async with signed_in(site) as client:
        answer = await client.get("/asyncapi.json", token="")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == document()
