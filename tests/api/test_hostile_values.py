"""Values that nobody sends in good faith, in every place that the API's description names."""

import asyncio
import random
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tests.support.client import Client
from tests.support.multipart import END, FORM_TYPE, file_part, text_part

Json = dict[str, Any]

SAMPLE = 800  # of all requests, so that the test takes seconds
HASHED = re.compile("/(login|register|token)/?$")  # a password is hashed at each, which takes long

TEXTS = (
    "\0",
    "a\0b",
    "",
    " ",
    "-1",
    "9" * 400,
    str(2**63),
    "1e400",
    "NaN",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{GRINNING FACE}",
    "'\"\\%s{}$(",
    "../../etc/passwd",
    "x" * 20_000,
    "[" * 5_000,
    "data:;base64,%",
    "http://[::1",
    "http://a:99999999999/",
    "http://\0/",
    "http://" + "a" * 300 + "/",
    "http://xn--\N{SNOWMAN}/",
)
VALUES: tuple[Any, ...] = (
    *TEXTS,
    None,
    True,
    -1,
    2**63,
    10**30,
    0.5,
    -1e308,
    [],
    {},
    [[]],
    {"": None},
    "\ud800",
)
HEADERS = ("Prefer", "Idempotency-Key", "Range", "If-None-Match", "If-Range", "X-Request-ID", "Content-Type")
IN_HEADERS = (
    "",
    " ",
    "\xff",
    "wait=" + "9" * 400,
    "bytes=" + "9" * 400 + "-",
    "x" * 4000,
    "application/x;=",
    "wait=-1",
)

DESCRIPTIONS = ("/schema", "/schema/legacy")


async def test_no_hostile_value_anywhere_is_an_internal_error(
    shared_client: Client, small_picture: bytes
) -> None:
    documents = [(await shared_client.get(f"{address}/openapi.json")).json for address in DESCRIPTIONS]
    image = (await shared_client.upload(small_picture, filename="a.png", retention="ephemeral")).json["id"]
    requests = [
        (method.upper(), address, options)
        for document in documents
        for path, method, operation in _operations(document)
        for address, options in _requests(path, operation, document, image, small_picture)
    ]
    assert len(requests) > 10_000
    requests = random.Random(1).sample(requests, SAMPLE)  # noqa: S311 - the same in every run
    faults: list[object] = []

    async def send() -> None:
        while requests:
            method, address, options = requests.pop()
            options["headers"] = {"Prefer": "wait=0", **options.get("headers", {})}
            answer = await shared_client.call(method, address, **options)
            if answer.status == 500:
                faults.append((method, address[:200], str(options)[:300]))

    await asyncio.gather(*(send() for _ in range(4)))
    assert not faults, (len(faults), faults[:20])


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if (path, method) != ("/accounts/me", "delete") and not HASHED.search(path):
                yield path, method, operation


def _requests(
    path: str, operation: Json, document: Json, image: str, picture: bytes
) -> Iterator[tuple[str, Json]]:
    """Yield addresses with the options of a request, each with one hostile value."""
    address = re.sub(r"{\w+}", image if "/images/{image_id}" in path else str(uuid4()), path)
    if "{" in path:
        for text in TEXTS:
            yield re.sub(r"{\w+}", quote(text[:2000], safe=""), path), {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            for text in TEXTS:
                yield f"{address}?{parameter['name']}={quote(text)}", {}
    body = operation.get("requestBody", {}).get("content", {})
    for name in HEADERS:
        for text in IN_HEADERS if "events" not in path else ():
            options: Json = {"data": b"{}"} if body else {}
            yield address, {**options, "headers": {name: text}}
    if "application/json" in body:
        yield from (
            (address, {"json": sent}) for sent in _bodies(body["application/json"]["schema"], document)
        )
    if "multipart/form-data" in body:
        properties = _resolved(body["multipart/form-data"]["schema"], document)["properties"]
        yield from ((address, _form(parts)) for parts in _forms(properties, picture))


def _bodies(schema: Json, document: Json) -> Iterator[object]:
    """Yield valid bodies in which one property has a hostile value."""
    schema = _resolved(schema, document)
    valid = {name: _example(schema["properties"][name], document) for name in schema.get("required", ())}
    yield from VALUES
    for name in schema.get("properties", {}):
        yield from ({**valid, name: value} for value in VALUES)
        yield from ({**valid, name: [value]} for value in VALUES[:3])
    yield {**valid, "\0": 1}


def _resolved(schema: Json, document: Json) -> Json:
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif choices := schema.get("oneOf") or schema.get("anyOf"):
            schema = next(choice for choice in choices if choice.get("type") != "null")
        else:
            return schema


def _example(schema: Json, document: Json) -> Any:
    schema = _resolved(schema, document)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    examples: Json = {"integer": 1, "number": 1.0, "array": [], "object": {}, "boolean": True}
    return examples.get(schema.get("type", ""), "http://192.0.2.1/x@example.org")


def _forms(properties: Json, picture: bytes) -> Iterator[list[bytes]]:
    """Yield the parts of forms with one hostile field or filename."""
    files = [name for name, schema in properties.items() if schema.get("format") == "binary"]
    good = [file_part(picture, name=files[0])] if files else []
    for name in properties:
        for text in TEXTS:
            yield [text_part(name, text), *good]
    for text in TEXTS:
        if files:
            yield [file_part(picture, text.replace('"', "%22"), name=files[0])]
            yield [file_part(text.encode(), name=files[0])]
        yield [text_part(text.replace('"', "%22"), "x"), *good]


def _form(parts: list[bytes]) -> Json:
    return {"data": BytesIO(b"".join(parts) + END), "headers": FORM_TYPE}
