"""The API's description in OpenAPI, and a page that shows it without the internet."""

from importlib.util import find_spec
from pathlib import Path

from litestar import Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityRequirement, SecurityScheme, Tag
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]

from apps.api import legacy
from libs.contracts import asyncapi

ASSETS = "/schema/assets"
LOGIN: list[SecurityRequirement] = [{"bearer": []}]  # of the routes that an API key cannot use
BEARER: list[SecurityRequirement] = [{"bearer": []}, {"api_key": []}, {"basic": []}]  # of those that it can
TAGS = ("Accounts", "Images", "Jobs", "Batches", "Webhooks", "Links", "Health")


def openapi_config(version: str) -> OpenAPIConfig:
    """Configure the document at /schema/openapi.json and the page at /schema."""
    return OpenAPIConfig(
        title="Darkroom",
        version=version,
        description="Image uploads, operations that workers run, and results that expire.",
        path="/schema",
        tags=[
            *(Tag(name=name) for name in TAGS),
            Tag(name=legacy.TAG, description=legacy.DESCRIPTION),
        ],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(
                    type="http", scheme="bearer", description="An access token, or an API key."
                ),
                "api_key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
                "basic": SecurityScheme(
                    type="http", scheme="basic", description="An API key as the username; no password."
                ),
            }
        ),
        render_plugins=[
            SwaggerRenderPlugin(
                path="/",
                js_url=f"{ASSETS}/swagger-ui-bundle.js",
                css_url=f"{ASSETS}/swagger-ui.css",
                standalone_preset_js_url=f"{ASSETS}/swagger-ui-bundle.js",
                favicon="",
            ),
            JsonRenderPlugin(),
            YamlRenderPlugin(),
        ],
    )


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
