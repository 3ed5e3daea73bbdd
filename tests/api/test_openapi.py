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
    "/api/images": "get post",
    "/api/images/search": "post",
    "/api/images/duplicates": "get",
    "/api/images/{image_id}": "get patch put delete",
    "/api/images/{image_id}/similar": "get",
    "/api/images/{image_id}/download": "get head",
    "/api/images/{image_id}/transform": "post",
    "/api/images/{image_id}/link": "post",
    "/api/images/{image_id}/metadata": "get",
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
    "/health/live": "get",
    "/health/ready": "get",
}
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


@pytest.fixture(scope="module")
async def described(site: Site) -> dict[str, Any]:
    """The description as clients get it."""
    async with Client(site) as client:
        answer = await client.get("/schema/openapi.json")
        assert answer.status == 200
        return answer.json


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


async def test_what_older_clients_alone_know_is_a_group_of_its_own(described: dict[str, Any]) -> None:
    group = {
        path: " ".join(item)
        for path, item in described["paths"].items()
        if any("Compatibility" in operation["tags"] for operation in item.values())
    }
    assert {path: set(methods.split()) for path, methods in group.items()} == {
        path: set(methods.split()) for path, methods in LEGACY_ROUTES.items()
    }
    assert "Compatibility" in [tag["name"] for tag in described["tags"]]


async def test_the_answers_at_shared_addresses_are_described_with_a_slash_and_without(
    described: dict[str, Any],
) -> None:
    def fields(path: str, method: str, status: int) -> set[str]:
        content = described["paths"][path][method]["responses"][str(status)]["content"]
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        return set(described["components"]["schemas"][name]["properties"])

    image, login = "/api/images/{image_id}", "/accounts/login"
    older = fields(f"{image}/", "get", 200) - fields(image, "get", 200)
    assert older == {"image_url", "md5_hash", "image_format", "detail_url"}
    assert fields(f"{login}/", "post", 200) - fields(login, "post", 200) == {"access", "refresh"}
    form = described["paths"]["/api/images/"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert "original_image" in form["schema"]["properties"]


async def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for name in re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(described)):
        assert name in described["components"]["schemas"]
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(names) == len(set(names))


async def test_what_needs_a_token_says_so_and_does(site: Site, described: dict[str, Any]) -> None:
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert "security" not in described
    async with Client(site) as anyone:
        for path, method, operation in operations(described):
            answer = await anyone.call(method.upper(), re.sub(r"{\w+_id}", str(uuid4()), path))
            requires_token = answer.status == 401 and not path.startswith("/d/")
            assert requires_token == ({"bearer": []} in operation.get("security", [])), (method, path)


async def test_options_names_every_method_of_an_address(described: dict[str, Any], site: Site) -> None:
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for path, method, _ in operations(described):
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
    body = described["paths"]["/api/images"]["post"]["requestBody"]
    form = body["content"]["multipart/form-data"]["schema"]
    uploads = {"image", "operations", "retention", "on_duplicate", "webhook_url"}
    edits = {"prompt", "mask", "size", "quality", "n", "output_format", "background"}
    assert form["properties"].keys() == uploads | edits
    assert body["content"]["application/json"]["schema"]["$ref"].endswith("/ImageFromUrl")


async def test_a_change_is_described_as_the_json_it_is(described: dict[str, Any]) -> None:
    item, schemas = described["paths"]["/api/images/{image_id}"], described["components"]["schemas"]
    for method, name in (("patch", "ImagePatch"), ("put", "ImagePut")):
        body = item[method]["requestBody"]["content"]
        assert body["application/json"] == {"schema": {"$ref": f"#/components/schemas/{name}"}}
        assert schemas[name]["properties"].keys() == {"image_url", "filename", "retention"}
    assert schemas["ImagePut"]["required"] == ["image_url"]


async def test_every_operation_describes_its_problems_and_every_code_appears(
    described: dict[str, Any],
) -> None:
    documented: set[str] = set()
    for path, _, operation in operations(described):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                reference = answer["content"]["application/problem+json"]["schema"]["$ref"]
                assert reference == "#/components/schemas/Problem"
                documented |= set(re.findall(r"`(\w+)`", answer["description"]))
        assert {"400", "429", "500", "503"} <= operation["responses"].keys()
        assert ("401" in operation["responses"]) or "security" not in operation
        assert ("404" in operation["responses"]) == ("{" in path)
    assert documented == {code for code, status in all_codes().items() if status not in (403, 405)}


async def test_the_page_and_all_it_loads_come_from_here(site: Site) -> None:
    async with Client(site) as client:
        for address in ("/schema", "/schema/"):
            page = await client.get(address)
            assert page.status == 200
            assert not re.findall(rb"https?://", page.body)
            assets = set(re.findall(rb'(?:src|href)="([^"]+)"', page.body))
            assert len(assets) >= 2
            for asset in assets:
                assert asset.startswith(b"/schema/assets/")
                assert (await client.get(asset.decode())).status == 200


async def test_nothing_but_the_assets_is_served_from_their_folder(site: Site) -> None:
    async with Client(site) as client:
        for path in ("nothing.js", "..%2f..%2f__init__.py", "%2e%2e/%2e%2e/__init__.py"):
            refused(await client.get(f"/schema/assets/{path}"), 404, "not_found")
