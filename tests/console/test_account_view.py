"""The account view: keys, webhooks, presets, sessions, export, the end."""

import zipfile
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.console.accessibility import serious_faults
from tests.console.support import ON_BOTH, Console
from tests.support.client import PASSWORD
from tests.support.site_contents import refused
from tests.support.waiting import until
from tests.support.webhook_receiver import PlannedResponse, Receiver, receiving, webhook_settings

pytestmark = pytest.mark.services  # `make services` brings the browser

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def console_settings(receiver: Receiver) -> dict[str, str]:
    return webhook_settings(receiver)


async def secret_of(page: Page) -> str:
    """Read the secret that is shown once, and close its dialog."""
    dialog = page.get_by_role("dialog")
    secret = await dialog.locator(".secret code").inner_text()
    await expect(dialog.get_by_role("button", name="Close")).to_be_disabled()
    await dialog.get_by_label("I have kept it").check()
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_have_count(0)
    return secret


async def confirm(page: Page, action: str) -> None:
    await page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()


def entry(page: Page, text: str) -> Locator:
    return page.get_by_role("main").get_by_role("listitem").filter(has_text=text)


async def test_keys_are_shown_once_work_and_are_revoked(console: Console) -> None:
    page, client = await console.open("/account/keys"), console.client
    await page.get_by_role("button", name="New key").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill(EVIL)
    await form.get_by_role("button", name="Create").click()
    await expect(form.get_by_role("alert")).to_contain_text("at least one")
    await form.get_by_label("See, cancel and retry jobs").check()
    await form.get_by_role("button", name="Create").click()
    await expect(page.get_by_text("This is shown only now.")).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("key")
    key = await secret_of(page)
    assert (await client.get("/api/jobs", token=key)).status == 200
    assert key not in await page.content()
    await page.get_by_role("button", name="New delivery key").click()
    await form.get_by_label("Name").fill("shop")
    await form.get_by_role("button", name="Create").click()
    await secret_of(page)
    await console.photographed("keys")
    await page.get_by_role("button", name=f"Revoke {EVIL}").click()
    await confirm(page, "Revoke")
    await expect(page.get_by_text("There are no keys.")).to_be_visible()
    assert (await client.get("/api/jobs", token=key)).code == "api_key_invalid"

    await page.get_by_role("link", name="Upload tokens").click()
    await page.get_by_role("button", name="New token").click()
    await form.get_by_label("Uploads").fill("3")
    await form.get_by_role("button", name="Create").click()
    token = await secret_of(page)
    await expect(page.get_by_text("0 of 3 uploads used")).to_be_visible()
    assert token.startswith("dut_")


@ON_BOTH
async def test_a_webhook_is_tested_and_what_its_receiver_answered_is_shown_as_text(
    console: Console, receiver: Receiver
) -> None:
    page, path = await console.open("/account/webhooks"), f"/{console.client.username}"
    receiver.always[path] = PlannedResponse(500, {"X-Evil": EVIL})
    await page.get_by_role("button", name="New webhook").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Address").fill(f"{receiver.url(path)}?{EVIL}")
    await form.get_by_label("An image has expired").uncheck()
    await form.get_by_role("button", name="Save").click()
    secret = await secret_of(page)
    await expect(page.get_by_text("batch.completed, job.completed, job.failed;")).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("webhooks")
    await page.get_by_role("button", name="Test").click()
    [test, *_] = await receiver.received(path, 4)  # all attempts
    assert test.verified(secret)["type"] == "webhook.test"
    receiver.always[path] = PlannedResponse(204)
    await page.get_by_role("link", name="Deliveries").last.click()
    delivery = entry(page, "webhook.test")
    await expect(delivery).to_contain_text("onerror")
    await expect(delivery).to_contain_text("answered 500")
    await delivery.get_by_role("button", name="Details").click()
    await expect(page.get_by_role("dialog").get_by_text("500: answered 500")).to_have_count(4)
    await console.photographed("delivery")
    await page.keyboard.press("Escape")
    await delivery.get_by_role("button", name="Send again").click()
    await receiver.received(path, 5)

    async def delivered() -> bool:
        await page.get_by_role("button", name="Load again").click()
        return await delivery.get_by_text("Delivered").is_visible()

    await until(delivered)


async def test_presets_sessions_and_usage_are_those_of_the_api(console: Console) -> None:
    page, client = await console.open("/account/presets"), console.client
    await page.get_by_role("button", name="New preset").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill("card")
    await form.get_by_label("Operations").fill('[{"op": "resize", "widht": 1}]')
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_role("alert")).to_contain_text("did you mean")
    await form.get_by_label("Operations").fill('[{"op": "grayscale"}]')
    await form.get_by_role("button", name="Save").click()
    await expect(entry(page, "card")).to_contain_text("grayscale")
    assert (await client.get("/api/presets/card")).json["public"] is False

    await page.get_by_role("link", name="Security").click()
    await expect(entry(page, "Chrome on Linux")).to_contain_text("This one")
    other = client.token
    await expect(page.get_by_role("button", name="End A Python program")).to_be_visible()
    assert await serious_faults(page) == []
    await console.photographed("sessions")
    await page.get_by_role("button", name="End A Python program").click()
    await confirm(page, "End")
    await expect(page.get_by_role("button", name="End A Python program")).to_have_count(0)
    assert (await client.get("/accounts/me", token=other)).code == "not_authenticated"
    await page.get_by_label("Password so far").fill(PASSWORD)
    await page.get_by_label("New password", exact=True).fill("another horse battery")
    await page.get_by_label("New password again").fill("another horse")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_text("The new passwords differ")).to_be_visible()
    await page.get_by_label("New password again").fill("another horse battery")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_text("The password is changed.")).to_be_visible()

    await page.get_by_role("link", name="Usage").click()
    await expect(page.get_by_role("meter", name="Stored files")).to_be_visible()
    await console.photographed("usage")


async def test_an_account_is_exported_and_deleted(console: Console, small_picture: bytes) -> None:
    image = (await console.client.upload(small_picture)).json
    page = await console.open("/account/data")
    await expect(page.get_by_role("button", name="Download")).to_be_visible()
    await console.photographed("data")
    await page.get_by_label("With all uploaded files").check()
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(await (await started.value).path()) as exported:
        assert exported.read(f"originals/{image['id']}.png") == small_picture
    await page.get_by_role("button", name="Delete the account…").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Password").fill("wrong password")
    await form.get_by_role("button", name="Delete everything").click()
    await expect(form.get_by_role("alert")).to_be_visible()
    await form.get_by_label("Password").fill(PASSWORD)
    await form.get_by_role("button", name="Delete everything").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    refused(await console.client.get("/accounts/me"), 401, "not_authenticated")
