"""Two documents, made from the one that Litestar generates: today's API, and the legacy addresses."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from apps.api import legacy
from apps.api.legacy.addresses import documented_path
from apps.api.legacy.operations import legacy_description
from apps.api.middleware.query_parameters import refuses_parameters
from apps.api.openapi import parameters
from apps.api.openapi.described import FORM, JSON, Answer, Body, Described, Form, Media
from apps.api.openapi.document import LEGACY
from apps.api.openapi.examples import example_of
from apps.api.openapi.headers import RATE_LIMITS, REQUEST_HEADERS, RESPONSE_HEADERS
from apps.api.openapi.operations import OPERATIONS
from apps.api.openapi.problem_responses import problem_responses
from apps.api.openapi.schemas import Schemas
from libs.contracts.views.problems import Problem

Json = dict[str, Any]
UNLIMITED = ("/health/",)  # addresses without a rate limit


def documents(app: Litestar, generated: Mapping[str, Any]) -> dict[str, Json]:
    """Complete and divide the document that Litestar generates."""
    handlers = dict(_handlers(app))
    today, older = _Document(generated), _Document(generated)
    for path, item in sorted(generated["paths"].items()):
        for method, operation in item.items():
            handler = handlers[path, method.upper()]
            if legacy.TAG in operation["tags"]:
                address = documented_path(path)
                described = legacy_description(handler)
                older.add(
                    address, method, {**operation, "operationId": _id_of(method, address)}, handler, described
                )
            else:
                today.add(path, method, operation, handler, OPERATIONS[operation["operationId"]])
    about = {"title": "Darkroom: legacy addresses", "description": legacy.DESCRIPTION}
    return {
        "": today.finished(generated["info"], generated["tags"]),
        LEGACY: older.finished(generated["info"] | about, [{"name": legacy.TAG}]),
    }


def _handlers(app: Litestar) -> Iterator[tuple[tuple[str, str], HTTPRouteHandler]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                yield (route.path_format, method), handler


def _id_of(method: str, path: str) -> str:
    """Name a legacy operation after its method and path."""
    words = path.replace("{", "by/").replace("}", "").replace("_", "/").replace(".", "/").split("/")
    return method + "".join(word.title() for word in words)


class _Document:
    """A document while it is made."""

    def __init__(self, generated: Mapping[str, Any]) -> None:
        self._generated = generated
        self._paths: dict[str, Json] = {}
        self._schemas = Schemas()
        self._schemas.of(Problem)
        self._schemas.add_operations()

    def add(
        self, path: str, method: str, operation: Json, handler: HTTPRouteHandler, described: Described
    ) -> None:
        text = inspect.cleandoc(handler.fn.__doc__ or "")
        id_ = operation["operationId"]
        complete: Json = {
            "tags": operation["tags"],
            "summary": text.partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip("."),
            "description": text,
            "operationId": id_,
            "parameters": [
                *(parameters.described(found, id_) for found in operation.get("parameters", [])),
                *(
                    {"name": name, "in": "header", "required": False, **REQUEST_HEADERS[name]}
                    for name in described.sends
                ),
            ],
            "responses": self._responses(path, method, operation, handler, described),
        }
        if described.form or described.json or described.file:
            complete["requestBody"] = self._request_body(described)
        if "security" in operation:
            complete["security"] = operation["security"]
        self._paths.setdefault(path, {})[method] = complete

    def _request_body(self, described: Described) -> Json:
        content: Json = {}
        if described.form is not None:
            content[FORM] = {"schema": self._form(described.form)}
        if described.json is not None:
            example = described.example or example_of(described.json)
            content[JSON] = {"schema": self._schemas.of(described.json), "example": example}
        if described.file is not None:
            content[described.file.media_type] = {"schema": described.file.schema()}
        return {"required": described.body_required, "content": content}

    def _form(self, form: Form) -> Json:
        self._schemas.found[form.name] = {
            "title": form.name,
            "type": "object",
            "description": form.text,
            "properties": {name: dict(field) for name, field in form.fields.items()},
            "required": list(form.required),
            "additionalProperties": False,
        }
        return {"$ref": f"#/components/schemas/{form.name}"}

    def _responses(
        self, path: str, method: str, operation: Json, handler: HTTPRouteHandler, described: Described
    ) -> Json:
        everywhere = ("X-Request-ID",) if path.startswith(UNLIMITED) else ("X-Request-ID", *RATE_LIMITS)
        found = {
            str(status): self._answer(answer, everywhere) for status, answer in described.answers.items()
        }
        problems = problem_responses(
            path,
            method,
            operation,
            described,
            everywhere,
            refuses_parameters=refuses_parameters(handler),
        )
        return found | {status: answer for status, answer in problems.items() if status not in found}

    def _answer(self, answer: Answer, everywhere: tuple[str, ...]) -> Json:
        headers = {name: header(name) for name in (*answer.headers, *everywhere)}
        found: Json = {"description": answer.text, "headers": headers}
        if answer.body is not None:
            found["content"] = self._content(answer.body)
        return found

    def _content(self, body: Body) -> Json:
        if isinstance(body, Media):
            example = {} if body.example is None else {"example": body.example}
            return {body.media_type: {"schema": body.schema(), **example}}
        media: Json = {"schema": self._schema(body)}
        if (example := _example(body)) is not None:
            media["example"] = example
        return {JSON: media}

    def _schema(self, body: Body) -> Json:
        return self._schemas.of(body)

    def finished(self, info: Mapping[str, Any], tags: list[Json]) -> Json:
        components = {
            "schemas": self._schemas.found | self._still_missing(),
            "headers": RESPONSE_HEADERS,
            "securitySchemes": self._generated["components"]["securitySchemes"],
        }
        used = {
            tag for item in self._paths.values() for operation in item.values() for tag in operation["tags"]
        }
        return {
            "openapi": "3.1.0",
            "info": dict(info),
            "servers": self._generated["servers"],
            "tags": [tag for tag in tags if tag["name"] in used],
            "paths": self._paths,
            "components": components,
        }

    def _still_missing(self) -> Json:
        """Return Litestar's schemas of enumerations that only parameters use."""
        text = json.dumps(self._paths)
        known = self._generated["components"]["schemas"]
        return {
            name: schema
            for name, schema in known.items()
            if name not in self._schemas.found and f'"#/components/schemas/{name}"' in text
        }


def header(name: str) -> Json:
    """Refer to a response header."""
    return {"$ref": f"#/components/headers/{name}"}


def _example(body: Body) -> object:
    if isinstance(body, tuple):
        return _example(cast("tuple[Any, ...]", body)[0])
    if getattr(body, "__origin__", None) is list:
        one = example_of(body.__args__[0])
        return None if one is None else [one]
    return example_of(body)
