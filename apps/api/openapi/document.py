"""The API's description in OpenAPI, and pages that show it without the internet."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from litestar import Litestar, Request, Response, Router, get
from litestar.enums import OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityRequirement, SecurityScheme, Tag
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from apps.api.middleware.upload_token_access import PARAMETER
from apps.api.openapi.page import ASSETS, page_of
from libs.contracts import asyncapi

LOGIN: list[SecurityRequirement] = [{"bearer": []}]  # of the routes that an API key cannot use
BEARER: list[SecurityRequirement] = [{"bearer": []}, {"api_key": []}, {"basic": []}]  # of those that it can
UPLOAD: list[SecurityRequirement] = [{"upload_token": []}]  # beside `BEARER`, of those that it opens
LEGACY = "/legacy"  # below /schema: the description of the legacy addresses
TAGS = {
    "Accounts": "Accounts and their tokens.",
    "Images": "Uploads, results, downloads, transformations, edits and searches.",
    "Delivery": "Images by URL: presets, signed addresses, stored renditions.",
    "Jobs": "The work that is done on images.",
    "Batches": "Images whose URLs are listed in one CSV file.",
    "Webhooks": "URLs that receive signed events, and the deliveries of these.",
    "Links": "Addresses that open without a token.",
    "Operators": "The whole site, for accounts marked `admin`. No API key opens it.",
    "Health": "Checks for load balancers and orchestrators.",
}

Document: TypeAlias = Mapping[str, Any]
Documents: TypeAlias = Callable[[Litestar, Document], Mapping[str, Document]]
"""Makes the documents, by their addresses below /schema, from the one that Litestar generates."""


def openapi_config(version: str, documents: Documents) -> OpenAPIConfig:
    """Configure the documents, and the pages that show them."""
    made = _Made(documents)
    return OpenAPIConfig(
        title="Darkroom",
        version=version,
        description="Image uploads, operations that workers run, and results that expire.",
        path="/schema",
        operation_id_creator=_unique_id,
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", description="An access token, or an API key."
                ),
                "api_key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
                "upload_token": SecurityScheme(
                    type="apiKey",
                    name=PARAMETER,
                    security_scheme_in="query",
                    description="An upload token, where no header can be sent; else it is a bearer token.",
                ),
                "basic": SecurityScheme(
                    type="http", scheme="basic", description="An API key as the username; no password."
                ),
            }
        ),
        render_plugins=[
            rendered
            for base in ("", LEGACY)
            for rendered in (_Page(made, base), _Json(made, base), _Yaml(made, base))
        ],
    )


class _Made:
    """The documents, made at the first request for one of them."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._made: Mapping[str, Document] | None = None

    def get(self, base: str, request: Request[Any, Any, Any], generated: Document) -> Any:  # noqa: ANN401 - JSON
        if self._made is None:
            self._made = self._documents(request.app, generated)
        return self._made[base]


class _Page(OpenAPIRenderPlugin):
    """A page with one of the documents, made at the first request for it."""

    def __init__(self, made: _Made, base: str) -> None:
        self._made, self._base = made, base
        self._page = b""
        super().__init__(path=base or "/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        self._page = self._page or page_of(self._made.get(self._base, request, openapi_schema))
        return self._page


class _Json(OpenAPIRenderPlugin):
    def __init__(self, made: _Made, base: str) -> None:
        self._made, self._base = made, base
        super().__init__(path=f"{base}/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, self._made.get(self._base, request, openapi_schema))


class _Yaml(OpenAPIRenderPlugin):
    def __init__(self, made: _Made, base: str) -> None:
        self._made, self._base = made, base
        paths = [f"{base}/openapi.yaml", f"{base}/openapi.yml"]
        super().__init__(path=paths, media_type=OpenAPIMediaType.OPENAPI_YAML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        document = self._made.get(self._base, request, openapi_schema)
        return yaml.dump(document, default_flow_style=False, sort_keys=False).encode()


def _unique_id(handler: HTTPRouteHandler, method: Method, path: list[str | PathParameterDefinition]) -> str:
    """Name a legacy operation; `assemble` gives it its final name."""
    return f"{method} {path} {handler.handler_name}"


def by_method(**ids: str) -> Callable[[HTTPRouteHandler, Method, list[str | PathParameterDefinition]], str]:
    """Name the operations of a handler of several methods."""
    return lambda _, method, __: ids[method]


def page_assets() -> Router:
    """Serve the files of Swagger UI from the package `fastapi-offline`."""
    return create_static_files_router(
        path=ASSETS,
        directories=[_package_folder("fastapi_offline") / "static"],
        include_in_schema=False,
        name="schema-assets",
    )


def _package_folder(package: str) -> Path:
    """Find a package without importing it, which would load its web framework."""
    spec = find_spec(package)
    assert spec is not None  # noqa: S101 - a dependency
    assert spec.origin is not None  # noqa: S101 - a package
    return Path(spec.origin).parent


@get("/asyncapi.json", include_in_schema=False, sync_to_thread=False)
def asyncapi_document() -> Response[bytes]:
    """Serve the AsyncAPI document of the AMQP interface."""
    return Response(asyncapi.text().encode(), media_type="application/json")
