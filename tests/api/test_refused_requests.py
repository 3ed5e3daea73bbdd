"""Requests other than uploads that cannot be met: never a fault of ours, on either database."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.client import Client
from tests.support.multipart import END, FORM_TYPE, file_part, text_part
from tests.support.site_contents import refused

JSON = {"Content-Type": "application/json"}
DEEP = b"[" * 100_000


async def test_anothers_image_and_job_look_like_none_on_every_route(
    client: Client, other_client: Client, photo: Path
) -> None:
    theirs = (await other_client.upload(photo, [{"op": "grayscale"}], wait_s=60)).json
    image, job, result = theirs["id"], theirs["job_id"], theirs["result"]["id"]
    for found, code in ((image, "image_not_found"), (result, "image_not_found"), (job, "job_not_found")):
        for method, path, body in routes_of(found, is_job=found == job):
            options: dict[str, Any] = {"json": body} if body is not None else {}
            response = await client.call(method, path, **options)
            none = str(uuid4())
            unknown = await client.call(method, path.replace(found, none), **options)
            detail = refused(response, 404, code)
            assert detail.replace(found, "") == refused(unknown, 404, code).replace(none, "")
    assert (await client.get(f"/api/images?parent={image}")).json == []
    assert (await client.get(f"/api/jobs?image={image}")).json == []
    still = await other_client.get(f"/api/images/{image}")
    assert (still.json["filename"], still.json["first_downloaded_at"]) == (theirs["filename"], None)


def routes_of(found: str, *, is_job: bool) -> list[tuple[str, str, object]]:
    """Every route over one thing, with a body that would do."""
    if is_job:
        at = f"/api/jobs/{found}"
        return [("GET", at, None), ("GET", f"{at}/events", None), ("DELETE", at, None)]
    at = f"/api/images/{found}"
    return [
        ("GET", at, None),
        ("POST", at, None),
        ("PATCH", at, {"filename": "mine.jpg", "retention": "keep"}),
        ("PATCH", at, {"image_url": "https://example.org/mine.jpg"}),
        ("PUT", at, {"image_url": "https://example.org/mine.jpg"}),
        ("DELETE", at, None),
        ("GET", f"{at}/download", None),
        ("POST", f"{at}/download", None),
        ("GET", f"{at}download", None),
        ("GET", f"{at}/download?version=original", None),
        ("POST", f"{at}/transform", {"operations": [{"op": "grayscale"}]}),
        ("POST", f"{at}/edit", {"prompt": "make it mine"}),
        ("POST", f"{at}/link", {}),
        ("GET", f"{at}/metadata", None),
        ("GET", f"{at}/similar", None),
    ]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=101", "limit"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("after=nothing", "after"),
        ("parent=nothing", "parent"),
        ("status=lost", "status"),
        ("format=exe", "format"),
        ("format=%00", "format"),
        ("md5=abc", "md5"),
        ("md5=%00", "md5"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2026-13-01T00:00:00Z", "created_before"),
        ("created_before=0.5", "created_before"),
        ("created_after=1e3", "created_after"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "created_after"),
    ],
)
async def test_a_query_that_will_not_do_is_refused_naming_the_parameter(
    shared_client: Client, query: str, named: str
) -> None:
    assert named in refused(await shared_client.get(f"/api/images?{query}"), 400, "invalid_request")


@pytest.mark.parametrize("query", ["limit=101", "status=lost", "kind=lost", "image=nothing", "after=nothing"])
async def test_a_query_over_jobs_that_will_not_do_is_refused(shared_client: Client, query: str) -> None:
    assert query.split("=")[0] in refused(
        await shared_client.get(f"/api/jobs?{query}"), 400, "invalid_request"
    )


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("transform", '{"operations": [], "colour": 1}', "colour"),
        ("transform", "{}", "operations"),
        ("transform", '{"operations": [', "the body is not JSON: it ends too early"),
        ("transform", '{"operations": [],}', "a comma before the end of a list or object, at byte 18"),
        ("transform", "", "body"),
        ("link", '{"expires_in": 0}', "expires_in"),
        ("link", '{"expires_in": 604801}', "expires_in"),
        ("link", '{"version": "oldest"}', "version"),
        ("link", '{"for": "ever"}', "for"),
    ],
)
async def test_a_body_that_will_not_do_is_refused_naming_the_place(
    shared_client: Client, small_picture: bytes, path: str, body: str, named: str
) -> None:
    image_id = (await shared_client.upload(small_picture, filename="a.png", retention="ephemeral")).json["id"]
    answer = await shared_client.post(f"/api/images/{image_id}/{path}", data=body, headers=JSON)
    assert named in refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    "body", ['{"filename": ""}', '{"width": 5}', '{"retention": "for ever"}', '{"filename": "\\ud800"}', "[]"]
)
async def test_a_change_that_will_not_do_is_refused(
    shared_client: Client, small_picture: bytes, body: str
) -> None:
    image = (await shared_client.upload(small_picture, filename="a.png", retention="ephemeral")).json
    answer = await shared_client.call("PATCH", f"/api/images/{image['id']}", data=body, headers=JSON)
    refused(answer, 400, "invalid_request")
    assert (await shared_client.get(f"/api/images/{image['id']}")).json == image


@pytest.mark.parametrize("path", ["/accounts/login", "/api/images/{id}/transform", "/images/{id}/transform"])
async def test_a_json_body_beyond_reason_is_refused(
    shared_client: Client, small_picture: bytes, path: str
) -> None:
    image = (await shared_client.upload(small_picture, filename="a.png", retention="ephemeral")).json
    body = BytesIO(b'{"username": "' + b"x" * 2_000_000)
    answer = await shared_client.post(path.format(id=image["id"]), data=body, headers=JSON)
    refused(answer, 413, "upload_too_large")


@pytest.mark.parametrize(
    "path", ["/accounts/login", "/accounts/register/", "/api/token", "/api/images", "/api/webhooks"]
)
async def test_json_of_a_hundred_thousand_levels_is_refused(shared_client: Client, path: str) -> None:
    for body in (DEEP, DEEP + b"]" * 100_000, b'{"username": ' + DEEP):
        refused(await shared_client.post(path, data=body, headers=JSON), 400, "invalid_request")


@pytest.mark.parametrize(
    ("path", "file"), [("/api/images", "image"), ("/api/images/", "image"), ("/upload", "file")]
)
async def test_a_form_field_of_a_hundred_thousand_levels_is_refused(
    shared_client: Client, small_picture: bytes, path: str, file: str
) -> None:
    nested = f'[{{"unknown": {DEEP.decode()}'
    body = text_part("operations", nested) + file_part(small_picture, name=file) + END
    answer = await shared_client.post(path, data=BytesIO(body), headers=FORM_TYPE)
    assert refused(answer, 400, "invalid_request") == "operations is nested too deeply"


@pytest.mark.parametrize("path", ["/api/images", "/api/images/"])
async def test_a_form_field_that_is_no_json_is_refused_naming_the_byte(
    shared_client: Client, small_picture: bytes, path: str
) -> None:
    body = text_part("operations", '[{"op": grayscale}]') + file_part(small_picture, name="image") + END
    answer = await shared_client.post(path, data=BytesIO(body), headers=FORM_TYPE)
    said = refused(answer, 400, "invalid_request")
    assert said == "operations is not JSON: unexpected character at byte 9"
    fault = {"message": "is not JSON: unexpected character at byte 9", "key": "operations"}
    assert [{name: error[name] for name in fault} for error in answer.json["errors"]] == [fault]


@pytest.mark.parametrize("path", ["/accounts/login", "/api/images", "/api/webhooks"])
async def test_a_body_that_is_no_json_is_refused_naming_the_byte(shared_client: Client, path: str) -> None:
    answer = await shared_client.post(path, data=b'{"url":\n  x}', headers=JSON)
    said = refused(answer, 400, "invalid_request")
    assert said == "the body is not JSON: unexpected character at line 2, byte 3"


async def test_a_token_of_many_levels_is_not_valid(shared_client: Client) -> None:
    header = base64.urlsafe_b64encode(b'{"alg": "HS256", "x": ' + b"[" * 5000).decode().rstrip("=")
    token = f"{header}.e30.AAAA"
    refused(await shared_client.get("/api/jobs", token=token), 401, "token_invalid")
    refused(await shared_client.get(f"/d/{token}"), 401, "token_invalid")


async def test_an_address_that_does_not_exist_is_a_problem_too(shared_client: Client) -> None:
    for path in ("/nowhere", "/api/images/not-an-id", "/api/images/1/download"):
        refused(await shared_client.get(path), 404, "not_found")


async def test_a_method_that_is_not_allowed_names_those_that_are(shared_client: Client) -> None:
    answer = await shared_client.call("PUT", "/api/jobs")
    refused(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]
