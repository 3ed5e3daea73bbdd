"""The API's description: whole, true, and readable without the internet."""

import re
from collections import defaultdict
from typing import Any
from uuid import uuid4

import pytest

from apps.api.problems import all_codes
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site import Site
from tests.support.site_contents import refused

pytestmark = ON_ONE_SITE

ROUTES = {
    "/accounts/register": "post",
    "/accounts/login": "post",
    "/accounts/refresh": "post",
    "/accounts/logout": "post",
    "/accounts/me": "get delete",
    "/accounts/me/delivery-keys": "get post",
    "/accounts/me/delivery-keys/{delivery_key_id}": "delete",
    "/api/images": "get post",
    "/api/images/search": "post",
    "/api/images/duplicates": "get",
    "/api/images/{image_id}": "get patch put delete",
    "/api/images/{image_id}/similar": "get",
    "/api/images/{image_id}/download": "get head",
    "/api/images/{image_id}/transform": "post",
    "/api/images/{image_id}/link": "post",
    "/api/images/{image_id}/metadata": "get",
    "/api/images/{image_id}/urls": "post",
    "/api/images/{image_id}/renditions": "get delete",
    "/api/presets": "get",
    "/api/presets/{name}": "get put delete",
    "/api/jobs": "get",
    "/api/jobs/{job_id}": "get delete",
    "/api/jobs/{job_id}/events": "get",
    "/api/batches": "get post",
    "/api/batches/{batch_id}": "get delete",
    "/api/batches/{batch_id}/output.csv": "get",
    "/api/batches/{batch_id}/archive.zip": "get",
    "/api/batches/{batch_id}/events": "get",
    "/api/batches/{batch_id}/retry": "post",
    "/d/{token}": "get head",
    "/thumbnails/{token}": "get",
    "/health/live": "get",
    "/health/ready": "get",
}
WITH_OWN_TOKEN = ("/d/", "/u/", "/thumbnails/", "/accounts/reset/")  # in the path
LEGACY_ROUTES = {
    "/accounts/register/": "post",
    "/accounts/login/": "post",
    "/accounts/refresh/": "post",
    "/accounts/logout/": "post",
    "/api/images/": "get post",
    "/api/images/create": "post",
    "/api/images/{image_id}/": "get post patch put delete",
    "/api/images/{image_id}/download/": "post",
    "/api/register": "post",
    "/users/register": "post",
    "/api/login": "post",
    "/api/token": "post",
    "/api/token/refresh": "post",
    "/account/logout": "post",
    "/upload": "post",
    "/api/upload": "post",
    "/status/{batch_id}": "get",
    "/api/status/{batch_id}": "get",
    "/images": "get post patch",
    "/api/images/images": "post patch",
    "/images/{image_id}": "delete",
    "/api/images/images/{image_id}": "patch delete",
    "/images/{image_id}/transform": "post",
}


async def description(site: Site, address: str) -> dict[str, Any]:
    """A description as clients get it."""
    async with Client(site) as client:
        answer = await client.get(f"{address}/openapi.json")
        assert answer.status == 200
        return answer.json


@pytest.fixture(scope="module")
async def described(site: Site) -> dict[str, Any]:
    """The description of today's API."""
    return await description(site, "/schema")


@pytest.fixture(scope="module")
async def legacy(site: Site) -> dict[str, Any]:
    """The description of the legacy addresses."""
    return await description(site, "/schema/legacy")


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
    ]


async def test_every_route_is_described(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    for path, methods in ROUTES.items():
        assert set(methods.split()) <= described["paths"][path].keys(), path
    assert not [path for path in described["paths"] if path.count("{") != path.count("}")]


async def test_the_legacy_addresses_have_a_document_of_their_own(
    described: dict[str, Any], legacy: dict[str, Any]
) -> None:
    assert {path: set(item) for path, item in legacy["paths"].items()} == {
        path: set(methods.split()) for path, methods in LEGACY_ROUTES.items()
    }
    assert not described["paths"].keys() & legacy["paths"].keys()
    for document, tags in ((described, {"Compatibility"}), (legacy, {"Images", "Accounts"})):
        assert not tags & {tag for _, _, operation in operations(document) for tag in operation["tags"]}
        assert not tags & {tag["name"] for tag in document["tags"]}


async def test_the_answers_at_shared_addresses_are_described_with_a_slash_and_without(
    described: dict[str, Any], legacy: dict[str, Any]
) -> None:
    def fields(document: dict[str, Any], path: str, method: str) -> set[str]:
        content = document["paths"][path][method]["responses"]["200"]["content"]
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        return set(document["components"]["schemas"][name]["properties"])

    image, login = "/api/images/{image_id}", "/accounts/login"
    older = fields(legacy, f"{image}/", "get") - fields(described, image, "get")
    assert older == {"image_url", "md5_hash", "image_format", "detail_url"}
    tokens = fields(legacy, f"{login}/", "post") - fields(described, login, "post")
    assert tokens == {"access", "refresh"}
    assert "original_image" in legacy["components"]["schemas"]["LegacyUploadForm"]["properties"]


async def test_every_reference_leads_somewhere(described: dict[str, Any], legacy: dict[str, Any]) -> None:
    for document in (described, legacy):
        for kind, name in re.findall(r"'\$ref': '#/components/(\w+)/([^']+)'", str(document)):
            assert name in document["components"][kind]
        names = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(names) == len(set(names))


async def test_operations_have_names_that_a_client_can_be_read_with(described: dict[str, Any]) -> None:
    names = {operation["operationId"] for _, _, operation in operations(described)}
    expected = "uploadImage getImage transformImage downloadImage getJob createBatch createWebhook logIn"
    assert set(expected.split()) <= names
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)*", name) for name in names)


async def test_what_needs_a_token_says_so_and_does(
    site: Site, described: dict[str, Any], legacy: dict[str, Any]
) -> None:
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert "security" not in described
    async with Client(site) as anyone:
        for path, method, operation in operations(described) + operations(legacy):
            answer = await anyone.call(method.upper(), re.sub(r"{\w+_id}", str(uuid4()), path))
            requires_token = answer.status == 401 and not path.startswith(WITH_OWN_TOKEN)
            assert requires_token == ({"bearer": []} in operation.get("security", [])), (method, path)


async def test_options_names_every_method_of_an_address(
    described: dict[str, Any], legacy: dict[str, Any], site: Site
) -> None:
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for path, method, _ in operations(described) + operations(legacy):
        methods[path].add(method.upper())
    for path in ("/api/images/{image_id}", "/api/images/{image_id}/download"):  # older clients read by POST
        methods[path].add("POST")
        methods[f"{path}/"] |= methods[path]
    async with Client(site) as anyone:
        for path, named in methods.items():
            address = re.sub(r"{\w+_id}", str(uuid4()), path)
            for method, status in (("OPTIONS", 204), ("TRACE", 405)):
                answer = await anyone.call(method, address)
                assert answer.status == status, (method, path)
                assert set(answer.headers["Allow"].split(", ")) == {*named, "OPTIONS"}, (method, path)


async def test_an_upload_is_described_as_the_form_it_is(described: dict[str, Any]) -> None:
    body = described["paths"]["/api/images"]["post"]["requestBody"]["content"]
    assert body["multipart/form-data"]["schema"]["$ref"].endswith("/UploadForm")
    form = described["components"]["schemas"]["UploadForm"]["properties"]
    uploads = {"image", "operations", "retention", "result_retention", "tags", "on_duplicate", "webhook_url"}
    uploads |= {"preset", "public", "renditions"}
    edits = {"prompt", "mask", "size", "quality", "n", "output_format", "background"}
    assert form.keys() == uploads | edits
    assert form["image"]["format"] == "binary"
    assert form["operations"].keys() == {"type", "description", "examples"}  # text, not a file
    assert body["application/json"]["schema"]["$ref"].endswith("/ImageFromUrl")


async def test_a_change_is_described_as_the_json_it_is(described: dict[str, Any]) -> None:
    item, schemas = described["paths"]["/api/images/{image_id}"], described["components"]["schemas"]
    fields = {"image_url", "filename", "retention", "tags"}
    for method, name, more in (("patch", "ImagePatch", {"public", "focus"}), ("put", "ImagePut", set[str]())):
        body = item[method]["requestBody"]["content"]
        assert body["application/json"]["schema"] == {"$ref": f"#/components/schemas/{name}"}
        assert schemas[name]["properties"].keys() == fields | more
    assert schemas["ImagePut"]["required"] == ["image_url"]


async def test_every_success_has_a_type_or_no_body(described: dict[str, Any], legacy: dict[str, Any]) -> None:
    without_body = {"204", "205", "302", "304"}
    for path, method, operation in operations(described) + operations(legacy):
        for status, answer in operation["responses"].items():
            if status < "400":
                is_empty = method == "head" or status in without_body
                assert ("content" in answer) != is_empty, (method, path, status)
                for media_type, content in answer.get("content", {}).items():
                    assert content["schema"], (method, path, status)
                    assert media_type.endswith("json") == (content["schema"].get("type") != "string")


async def test_an_upload_and_a_transformation_type_each_of_their_answers(described: dict[str, Any]) -> None:
    def named(path: str, status: str) -> set[str]:
        schema = described["paths"][path]["post"]["responses"][status]["content"]["application/json"][
            "schema"
        ]
        return {one["$ref"].rpartition("/")[2] for one in schema.get("oneOf", [schema])}

    assert named("/api/images", "201") == {"ImageView"}
    assert named("/api/images", "202") == {"ImageView", "JobView"}
    assert named("/api/images/{image_id}/transform", "202") == {"JobView"}
    download = described["paths"]["/api/images/{image_id}/download"]["get"]["responses"]
    for status in ("200", "206"):
        assert download[status]["content"] == {"image/*": {"schema": {"type": "string", "format": "binary"}}}


async def test_headers_are_described_where_they_are_read_and_sent(described: dict[str, Any]) -> None:
    def sent(path: str, method: str) -> set[str]:
        parameters = described["paths"][path][method]["parameters"]
        return {parameter["name"] for parameter in parameters if parameter["in"] == "header"}

    assert sent("/api/images", "post") == {"Prefer", "Idempotency-Key"}
    download = "/api/images/{image_id}/download"
    assert sent(download, "get") == {"If-None-Match", "Range", "If-Range"}
    answered = described["paths"]["/api/images"]["post"]["responses"]
    assert {"Location", "Preference-Applied", "RateLimit-Remaining"} <= answered["202"]["headers"].keys()
    assert "Retry-After" in answered["429"]["headers"]
    assert {"Link", "X-Total-Count"} <= described["paths"]["/api/jobs"]["get"]["responses"]["200"][
        "headers"
    ].keys()
    assert "ETag" in described["paths"][download]["get"]["responses"]["304"]["headers"]


async def test_every_operation_describes_its_problems_and_every_code_appears(
    described: dict[str, Any], legacy: dict[str, Any]
) -> None:
    documented: set[str] = set()
    for path, method, operation in operations(described) + operations(legacy):
        for answer in operation["responses"].values():
            if problem := answer.get("content", {}).get("application/problem+json"):
                assert problem["schema"]["$ref"] == "#/components/schemas/Problem"
                documented |= set(re.findall(r"`(\w+)`", answer["description"]))
        assert ("401" in operation["responses"]) or "security" not in operation
        if "_id}" in path:
            assert "404" in operation["responses"], (method, path)
    elsewhere = {"forbidden"}  # other addresses
    below_t = {
        *("address_invalid", "address_not_signed", "address_signature_invalid", "address_expired"),
        "source_not_allowed",
    }
    base_classes = {
        *("api_key_error", "upload_token_error"),
        *("delivery_error", "delivery_key_error", "preset_error"),
    }
    assert documented == all_codes().keys() - elsewhere - below_t - base_classes


async def test_the_page_and_all_it_loads_come_from_here(site: Site) -> None:
    async with Client(site) as client:
        for address in ("/schema", "/schema/", "/schema/legacy"):
            page = await client.get(address)
            assert page.status == 200
            assert not re.findall(rb'(?:src|href)="https?://', page.body)
            assets = set(re.findall(rb'(?:src|href)="([^"]+)"', page.body))
            assert len(assets) >= 2
            for asset in assets:
                assert asset.startswith(b"/schema/assets/")
                assert (await client.get(asset.decode())).status == 200


async def test_nothing_but_the_assets_is_served_from_their_folder(site: Site) -> None:
    async with Client(site) as client:
        for path in ("nothing.js", "..%2f..%2f__init__.py", "%2e%2e/%2e%2e/__init__.py"):
            refused(await client.get(f"/schema/assets/{path}"), 404, "not_found")
