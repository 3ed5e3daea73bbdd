"""Who may call the routes of operators."""

import re
from uuid import uuid4

from libs.contracts.enums import Scope
from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused

pytestmark = ON_ONE_SITE


async def test_no_route_of_operators_opens_for_others(client: Client, operator: Client) -> None:
    described = (await client.get("/schema/openapi.json")).json
    key = (await operator.post("/accounts/me/keys", json={"name": "all", "scopes": list(Scope)})).json["key"]
    found = {
        (method.upper(), path): operation["tags"] == ["Operators"]
        for path, item in described["paths"].items()
        for method, operation in item.items()
    }
    assert all(path.startswith("/api/operator/") == ours for (_, path), ours in found.items())
    routes = [
        (method, re.sub(r"{\w+}", str(uuid4()), path)) for (method, path), ours in found.items() if ours
    ]
    assert len(routes) >= 25
    for method, path in routes:
        refused(await client.call(method, path, token="nonsense"), 401, "token_invalid")
        refused(await client.call(method, path, json={}), 403, "operator_required")
        refused(await client.call(method, path, json={}, token=key), 403, "login_required")


async def test_an_account_says_whether_it_is_an_operator(client: Client, operator: Client) -> None:
    assert [(await one.get("/accounts/me")).json["admin"] for one in (client, operator)] == [False, True]
