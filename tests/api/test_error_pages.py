"""The `type` of every problem is the address of a page that explains its code."""

import re
from html import unescape

import pytest

from apps.api.error_texts import meanings
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE, NewSite


@ON_ONE_SITE
async def test_the_type_of_a_problem_opens_the_page_of_its_code(shared_client: Client) -> None:
    for method, path, code in (
        ("GET", "/api/images?status=lost", "invalid_request"),
        ("GET", "/nowhere", "not_found"),
        ("GET", "/api/images/019ab3c2-7f1e-7c7e-9d1a-2f6b8f3c5e01", "image_not_found"),
        ("GET", "/d/nothing", "token_invalid"),
        ("PUT", "/api/images", "method_not_allowed"),
    ):
        problem = (await shared_client.call(method, path)).json
        assert problem["type"] == f"{shared_client.site.url}/errors/{code}"
        page = await shared_client.get(problem["type"])
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        text = unescape(re.sub("<[^>]+>", "", page.body.decode()))
        assert code in text
        assert meanings()[code][1].replace("`", "") in text


@ON_ONE_SITE
async def test_every_code_has_a_page_that_loads_nothing_from_elsewhere(shared_client: Client) -> None:
    index = await shared_client.get("/errors")
    linked = set(re.findall(rb'href="/errors/(\w+)"', index.body))
    assert linked == {code.encode() for code in meanings()}
    for code in meanings():
        page = await shared_client.get(f"/errors/{code}")
        assert page.status == 200
        assert not re.findall(rb"https?:", page.body)


@ON_ONE_SITE
async def test_what_is_no_code_has_no_page(shared_client: Client) -> None:
    for code in ("nothing", "%3Cscript%3E", "Image_Not_Found"):
        answer = await shared_client.get(f"/errors/{code}")
        assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_the_type_has_the_public_address_of_the_server(new_site: NewSite) -> None:
    site = await new_site(PUBLIC_URL="https://images.example/darkroom/")
    async with Client(site) as client:
        problem = (await client.get("/api/jobs")).json
    assert problem["type"] == "https://images.example/darkroom/errors/not_authenticated"
