"""What goes wrong at the vendor has a code, and is paid for at most once."""

import base64

import pytest
from aiohttp import web
from msgspec import Struct

from tests.edits.conftest import ON_ONE_EDIT_SITE, EditSite, NewEditSite
from tests.edits.edit_requests import PROMPT, edit, edited, file, form, picture_of, pixels, stored, used
from tests.edits.openai_server import (
    Responder,
    answer,
    break_off_response,
    drop_connection,
    error,
    images,
    respond_with,
    responds_when_released,
)
from tests.support.client import Answer, Client
from tests.support.ports import free_port

RETRIED = 3  # calls, when each of them surely did not run
NOT_BASE64 = "*" * 40
TEXT = base64.b64encode(b"this is no image").decode()
HALF = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()


class Case(Struct, frozen=True):
    """How the vendor fails, and what the client gets."""

    respond: Responder
    code: str
    status: int
    words: str  # in the detail
    calls: int = 1


def page() -> web.Response:
    return web.Response(text="<html>Welcome to the proxy</html>", content_type="text/html")


CASES = {
    "moderation": Case(
        respond_with(lambda: error(400, "Your request was rejected: sharp teeth", code="moderation_blocked")),
        "edit_rejected",
        422,
        "sharp teeth",
    ),
    "a size it does not know": Case(
        respond_with(lambda: error(400, "size must be divisible by 16", code="invalid_value")),
        "edit_rejected",
        422,
        "divisible by 16",
    ),
    "key": Case(
        respond_with(lambda: error(401, "Incorrect API key provided: sk-te***789", code="invalid_api_key")),
        "edit_auth",
        502,
        "refuses the site's key",
    ),
    "region": Case(respond_with(lambda: error(403, "not in your country")), "edit_auth", 502, "403"),
    "no credit": Case(
        respond_with(
            lambda: error(429, "You exceeded your quota", code="insufficient_quota", retry_after="1")
        ),
        "edit_quota",
        503,
        "no credit",
    ),
    "no more credit": Case(
        respond_with(lambda: error(400, "limit", code="billing_hard_limit_reached")),
        "edit_quota",
        503,
        "no credit",
    ),
    "too many, come again": Case(
        respond_with(lambda: error(429, "Rate limit reached", code="rate_limit_exceeded", retry_after="0")),
        "edit_rate_limited",
        503,
        "Rate limit reached",
        calls=RETRIED,
    ),
    "too many, no word when": Case(
        respond_with(lambda: error(429, "Rate limit reached")), "edit_rate_limited", 503, "Rate limit reached"
    ),
    "too many, come tomorrow": Case(
        respond_with(lambda: error(429, "Rate limit reached", retry_after="86400")),
        "edit_rate_limited",
        503,
        "reached",
    ),
    "HTML with 200": Case(respond_with(page), "edit_bad_response", 502, "not JSON"),
    "JSON that is none": Case(
        respond_with(lambda: web.Response(text="{", content_type="application/json")),
        "edit_bad_response",
        502,
        "cannot be read",
    ),
    "empty data": Case(respond_with(lambda: answer({"data": []})), "edit_bad_response", 502, "no image"),
    "no data": Case(respond_with(lambda: answer({})), "edit_bad_response", 502, "no image"),
    "a URL": Case(
        respond_with(lambda: answer({"data": [{"url": "http://127.0.0.1/x.png"}]})),
        "edit_bad_response",
        502,
        "without bytes",
    ),
    "broken base64": Case(
        respond_with(lambda: answer({"data": [{"b64_json": NOT_BASE64}]})), "edit_bad_response", 502, "base64"
    ),
    "not an image": Case(
        respond_with(lambda: answer({"data": [{"b64_json": TEXT}]})), "edit_bad_response", 502, "not an image"
    ),
    "half an image": Case(
        respond_with(lambda: answer({"data": [{"b64_json": HALF}]})), "edit_bad_response", 502, ""
    ),
    "elsewhere": Case(
        respond_with(lambda: web.Response(status=307, headers={"Location": "/v1/images/edits"})),
        "edit_unavailable",
        503,
        "307",
    ),
    "no such model": Case(
        respond_with(lambda: error(404, "The model does not exist", code="model_not_found")),
        "edit_unavailable",
        503,
        "does not exist",
    ),
    "an error of its own": Case(
        respond_with(lambda: error(500, "The server had an error")),
        "edit_unavailable",
        503,
        "server had an error",
        calls=RETRIED,
    ),
    "an error without a body": Case(
        respond_with(lambda: web.Response(status=503)), "edit_unavailable", 503, "503", calls=RETRIED
    ),
    "a gateway that gave up waiting": Case(
        respond_with(lambda: web.Response(status=504)), "edit_timed_out", 504, "may have been paid for"
    ),
    "hangs up": Case(drop_connection, "edit_timed_out", 504, "may have run and been paid for"),
    "half an answer": Case(break_off_response, "edit_timed_out", 504, "may have run and been paid for"),
}


@pytest.mark.parametrize("shared_edit_site", ["embedded"], indirect=True)
@pytest.mark.parametrize("name", CASES)
async def test_each_failure_has_its_code_and_only_what_did_not_run_is_called_again(
    edit_site: EditSite, name: str
) -> None:
    case = CASES[name]
    edit_site.openai.responders.extend([case.respond] * case.calls)
    source = await stored(edit_site.client)
    refused = await edit(edit_site.client, source)
    assert (refused.status, refused.code) == (case.status, case.code), refused
    assert case.words in refused.json["detail"]
    assert "sk-" not in refused.json["detail"]
    assert len(edit_site.openai.calls) == case.calls
    view = (await edit_site.client.get(f"/api/images/{source}")).json
    assert (view["status"], view["error_code"]) == ("failed", case.code)
    assert case.words in view["error"]
    assert (await edit_site.client.get("/api/images", params={"parent": source})).json == []


async def test_a_call_that_did_not_run_is_made_again_and_succeeds(new_edit_client: EditSite) -> None:
    busy = respond_with(lambda: error(429, "Rate limit reached", retry_after="1"))
    new_edit_client.openai.responders.extend([respond_with(lambda: error(503, "overloaded")), busy])
    job = await edited(new_edit_client.client, await stored(new_edit_client.client))
    assert (job["status"], job["error_code"], job["attempts"]) == ("completed", None, 3)
    assert (await picture_of(new_edit_client.client, job["result_id"])).format == "PNG"
    assert {call.reference for call in new_edit_client.openai.calls} == {job["id"]}
    today = (await used(new_edit_client.client))["today"]
    assert (today["edits"], today["calls"], today["images"]) == (1, 3, 1)


@ON_ONE_EDIT_SITE
async def test_a_server_that_cannot_be_reached_costs_nothing(new_edit_site: NewEditSite) -> None:
    edit_site = await new_edit_site(OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1")
    refused = await edit(edit_site.client, await stored(edit_site.client))
    assert (refused.status, refused.code) == (503, "edit_unavailable")
    assert "cannot be reached" in refused.json["detail"]
    job = (await edit_site.client.get("/api/jobs", params={"kind": "edit"})).json[0]
    assert job["attempts"] == RETRIED


@ON_ONE_EDIT_SITE
async def test_a_call_that_is_not_answered_in_time_is_not_made_again(new_edit_site: NewEditSite) -> None:
    edit_site = await new_edit_site(OPENAI_TIMEOUT_S="1")
    edit_site.openai.responders.append(responds_when_released(edit_site.openai))
    refused = await edit(edit_site.client, await stored(edit_site.client))
    assert (refused.status, refused.code) == (504, "edit_timed_out")
    assert "not answered within 1 s; it may have run and been paid for" in refused.json["detail"]
    assert len(edit_site.openai.calls) == 1


async def test_what_an_answer_cost_is_counted_though_its_image_is_of_no_use(
    new_edit_client: EditSite,
) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    new_edit_client.openai.responders.append(
        respond_with(lambda: answer({"data": [{"b64_json": TEXT}], "usage": usage}))
    )
    assert (
        await edit(new_edit_client.client, await stored(new_edit_client.client))
    ).code == "edit_bad_response"
    today = (await used(new_edit_client.client))["today"]
    assert (today["calls"], today["input_tokens"], today["total_tokens"]) == (1, 5, 12)


async def test_an_answer_without_usage_is_as_good(new_edit_client: EditSite) -> None:
    new_edit_client.openai.responders.append(respond_with(lambda: images(usage=False)))
    await edited(new_edit_client.client, await stored(new_edit_client.client))
    assert (await used(new_edit_client.client))["today"]["total_tokens"] == 0


async def test_an_operation_that_does_not_fit_what_came_has_its_own_code(edit_site: EditSite) -> None:
    source = await stored(edit_site.client)
    steps = [{"op": "crop", "width": 5000, "height": 5000}]
    refused = await edit(edit_site.client, source, operations=steps)
    assert (refused.status, refused.code) == (422, "crop_outside")


async def test_a_source_that_cannot_be_decoded_costs_no_call(edit_site: EditSite) -> None:
    cut = file(pixels((400, 300)), "JPEG")[:3000]
    refused = await edit_site.client.upload(cut, wait_s=60, prompt=PROMPT)
    assert (refused.status, refused.code) == (422, "image_truncated")
    assert edit_site.openai.calls == []


async def doors(client: Client, source: str) -> list[Answer]:
    """The answers of every way to ask for an edit."""
    at = f"/api/images/{source}"
    return [
        await edit(client, source),
        await client.post(f"{at}/edit", data=form(prompt=PROMPT)),
        await client.upload(file(pixels()), prompt=PROMPT),
        await client.post("/api/images", json={"prompt": PROMPT}),
        await client.post("/api/images", data=form(prompt=PROMPT)),
        await client.post("/api/images", json={"image_url": "https://example.org/a.png", "prompt": PROMPT}),
        await client.call("PATCH", at, data=form(image=file(pixels()), prompt=PROMPT)),
    ]


async def test_without_a_key_every_address_says_so_at_once_and_nothing_is_queued(client: Client) -> None:
    source = await stored(client)
    for refused in await doors(client, source):
        assert (refused.status, refused.code) == (503, "edits_not_configured"), refused
    (only,) = (await client.get("/api/images")).json
    assert only["id"] == source
    assert {job["kind"] for job in (await client.get("/api/jobs")).json} <= {"describe"}
    ready = await client.get("/health/ready")
    assert (ready.status, ready.json["edits"]) == (200, "off")
    assert (await used(client))["configured"] is False
