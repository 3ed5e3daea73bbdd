"""A page of another origin that strangers open: uploads by token, as a form and straight to the store."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Page, async_playwright

from infra.local import tools
from tests.images.test_upload_tokens import new_token
from tests.support.client import Client
from tests.support.cors_proxy import cors_proxy
from tests.support.other_origin import other_origin
from tests.support.services import own_bucket
from tests.support.shared_sites import NewSite, signed_in
from tests.support.waiting import until

pytestmark = pytest.mark.services  # `make services` brings the browser too

PAGE = """<!doctype html><script type="module">
function send(method, url, headers, body) {
  return new Promise(resolve => {
    const request = new XMLHttpRequest(), progress = [];
    request.upload.onprogress = event => progress.push([event.loaded, event.total]);
    request.onloadend = () => resolve({status: request.status, text: request.responseText, progress,
      etag: request.getResponseHeader("ETag")});
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
  });
}
async function ended(stream) {
  const events = [];
  await new Promise(resolve => {
    const source = new EventSource(stream);
    for (const name of ["queued", "running", "completed", "failed"])
      source.addEventListener(name, () => events.push(name));
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) resolve(); };
  });
  return events;
}
async function seen(answer) {
  const body = answer.text ? JSON.parse(answer.text) : {};
  const events = body.events_url ? await ended(body.events_url) : [];
  return {status: answer.status, code: body.code, events, progress: answer.progress.at(-1)};
}
const bytes = async () => await (await fetch("photo.jpg")).blob();
const json = (token) => ({"Authorization": `Bearer ${token}`, "Content-Type": "application/json"});
window.asForm = async ({api, token, junk}) => {
  const form = new FormData();
  form.append("image", junk ? new Blob([junk]) : await bytes(), "photo.jpg");
  return seen(await send("POST", `${api}/api/images`, {"Authorization": `Bearer ${token}`}, form));
};
window.direct = async ({api, token, cut}) => {
  const file = await bytes();
  const announced = {filename: "photo.jpg", size_bytes: file.size, content_type: "image/jpeg"};
  const opened = await send("POST", `${api}/api/uploads`, json(token), JSON.stringify(announced));
  if (opened.status !== 201) return {opened: await seen(opened)};
  const upload = JSON.parse(opened.text);
  const put = await send(upload.method, upload.url, upload.headers, cut ? file.slice(cut) : file);
  const made = await send("POST", `${api}/api/images`, json(token), JSON.stringify({upload: upload.id}));
  return {url: upload.url, put: {status: put.status, progress: put.progress.at(-1), etag: put.etag},
    made: await seen(made)};
};
window.isReady = true;
</script>"""


@asynccontextmanager
async def opened_page(new_site: NewSite, kind: str, photo: Path) -> AsyncGenerator[tuple[Page, Client, str]]:
    """The page in a browser, the account that gives it tokens, and the address of the store."""
    path = tools.BROWSER.find()
    assert path, tools.BROWSER.advice
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(other_origin(photo, PAGE))
        settings, store = {"CORS_ORIGINS": origin}, ""
        if kind == "services":
            bucket = own_bucket()
            target = f"http://{urlsplit(bucket).netloc.rpartition('@')[2]}"
            store = await stack.enter_async_context(cors_proxy(target, origin))
            settings["OBJECTS_URL"] = f"{bucket}&public_url={quote(store, safe='')}"
        client = await stack.enter_async_context(signed_in(await new_site(**settings)))
        playwright = await stack.enter_async_context(async_playwright())
        chromium = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        stack.push_async_callback(chromium.close)
        page = await chromium.new_page()
        await page.goto(origin)
        await page.wait_for_function("window.isReady")
        yield page, client, store


@pytest.mark.parametrize(
    ("new_site", "kind"), [("embedded", "embedded"), ("services", "services")], indirect=["new_site"]
)
async def test_a_page_that_strangers_open_uploads_what_its_token_allows(
    new_site: NewSite, kind: str, photo: Path
) -> None:
    size = photo.stat().st_size
    async with opened_page(new_site, kind, photo) as (page, client, store):
        sepia = [{"op": "sepia"}]

        async def call(function: str, token: dict[str, Any], **more: Any) -> Any:
            arguments = {"api": client.site.url, "token": token["token"], **more}
            return await page.evaluate(f"given => window.{function}(given)", arguments)

        token = await new_token(client, count=2, operations=sepia, formats=["jpeg"], max_bytes=size)
        wrong = await call("asForm", token, junk="<svg xmlns='http://www.w3.org/2000/svg'/>")
        assert wrong["code"] in ("not_an_image", "format_not_accepted"), wrong
        assert (await call("asForm", token, junk="x" * (size + 1)))["code"] == "upload_too_large"
        form = await call("asForm", token)
        assert (form["status"], form["events"][-1]) == (202, "completed"), form
        assert form["progress"][0] == form["progress"][1] > size

        direct = await call("direct", token)
        assert direct["url"].startswith(store or f"{client.site.url}/u/")
        assert (direct["put"]["status"] in (200, 204), direct["put"]["progress"]) == (True, [size, size]), (
            direct
        )
        assert direct["put"]["etag"]
        assert (direct["made"]["status"], direct["made"]["events"][-1]) == (202, "completed"), direct

        assert (await call("asForm", token))["code"] == "upload_token_used_up"
        assert (await call("direct", token))["opened"]["code"] == "upload_token_used_up"
        cut = await call("direct", await new_token(client), cut=1)
        assert cut["put"]["status"] in (403, 422), cut
        assert cut["made"]["code"] == "upload_incomplete"
        small = await new_token(client, max_bytes=size - 1)
        assert (await call("direct", small))["opened"]["code"] == "upload_too_large"
        png = await call("direct", await new_token(client, formats=["png"]))
        assert png["made"]["code"] == "format_not_accepted"
        short = await new_token(client, expires_in=1)

        async def expired() -> bool:
            return (await call("asForm", short, junk="x"))["code"] == "upload_token_expired"

        await until(expired)
        assert (await call("direct", short))["opened"]["code"] == "upload_token_expired"
        assert (await client.get("/api/images?limit=1")).headers[
            "X-Total-Count"
        ] == "4"  # two and their results
