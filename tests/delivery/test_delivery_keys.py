"""Keys that sign addresses of an account's images."""

from pathlib import Path

from libs.contracts.enums import Scope
from tests.support.addresses import fetched, fetched_as, new_key, signed_by
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused

KEYS = "/accounts/me/delivery-keys"

pytestmark = ON_ONE_SITE


async def test_a_key_is_shown_once_and_opens_the_images_of_its_account(
    client: Client, other_client: Client, photo: Path
) -> None:
    key = await new_key(client)
    listed = await client.get(KEYS)
    assert listed.headers["X-Total-Count"] == "1"
    assert listed.json == [{name: value for name, value in key.items() if name != "secret"}]
    own = (await client.upload(photo)).json["id"]
    other = (await other_client.upload(photo)).json["id"]
    assert (await fetched(client, signed_by(key, "w_60", own))).status == 200
    refused_other = await fetched(client, signed_by(key, "w_60", other))
    assert (refused_other.status, refused_other.code) == (404, "image_not_found")
    forged = {**key, "secret": "x" * 43}
    assert (await fetched(client, signed_by(forged, "w_61", own))).code == "address_signature_invalid"


async def test_two_keys_are_valid_until_one_is_revoked(
    client: Client, other_client: Client, photo: Path
) -> None:
    old, new = await new_key(client, "old"), await new_key(client, "new")
    assert [key["name"] for key in (await client.get(KEYS)).json] == ["new", "old"]
    image = (await client.upload(photo)).json["id"]
    for key in (old, new):
        assert (await fetched(client, signed_by(key, "w_60", image))).status == 200
    revoked = f"{KEYS}/{old['id']}"
    refused(await other_client.call("DELETE", revoked), 404, "delivery_key_not_found")
    assert (await client.call("DELETE", revoked)).status == 204
    answer = await fetched_as(client, signed_by(old, "w_60", image), 403)
    assert answer.code == "address_signature_invalid"
    assert (await fetched(client, signed_by(new, "w_60", image))).status == 200
    refused(await client.call("DELETE", revoked), 404, "delivery_key_not_found")


async def test_an_api_key_lists_and_revokes_delivery_keys_and_creates_none(client: Client) -> None:
    scopes = [Scope.ACCOUNT, Scope.IMAGES_WRITE]
    api_key = (await client.post("/accounts/me/keys", json={"name": "ci", "scopes": scopes})).json["key"]
    key = await new_key(client)
    refused(await client.post(KEYS, json={"name": "x"}, token=api_key), 403, "login_required")
    assert len((await client.get(KEYS, token=api_key)).json) == 1
    assert (await client.call("DELETE", f"{KEYS}/{key['id']}", token=api_key)).status == 204


async def test_an_account_has_at_most_twenty_keys(client: Client) -> None:
    for number in range(20):
        await new_key(client, f"key {number}")
    refused(await client.post(KEYS, json={"name": "one more"}), 409, "too_many_delivery_keys")
