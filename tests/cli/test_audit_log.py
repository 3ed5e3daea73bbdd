"""Commands that change something are in the audit log."""

from pathlib import Path

from tests.support.client import PASSWORD, Client
from tests.support.commands import run_command
from tests.support.operators import SHELL_USER, operator_of
from tests.support.site import Site


async def noted(operator: Client, **wanted: str) -> list[tuple[str, str]]:
    """What the user of the shell did, oldest first."""
    query = {"username": SHELL_USER, "limit": "100", **wanted}
    entries = (await operator.get("/api/operator/audit", params=query)).json
    assert {entry["request_id"] for entry in entries} <= {None}
    return [(entry["action"], entry["detail"]) for entry in reversed(entries)]


async def test_accounts_passwords_and_keys_of_the_command_line_are_in_the_audit_log(
    site: Site, client: Client
) -> None:
    name = client.username
    for arguments in (
        ("reset-password", name),
        ("reset-password", name, "--stdin"),
        ("create-key", "--username", name, "--name", "nightly"),
        ("create-key", "--username", f"{name}-robot", "--new-account"),
        ("create-user", "--username", f"{name}-friend", "--password", PASSWORD),
    ):
        ended = await run_command(site, *arguments, typed="another password\n")
        assert ended.status == 0, ended
    refused = await run_command(site, "reset-password", f"{name}-nobody")
    assert refused.status == 2
    async with operator_of(site) as operator:
        accounts = (await operator.get(f"/api/operator/accounts?search={name}")).json
        ids = {one["username"]: str(one["id"]) for one in accounts}
        [key] = (await operator.get(f"/api/operator/keys?owner={name}")).json
        assert await noted(operator, about=ids[name]) == [("account.reset_password", name)] * 2
        assert await noted(operator, about=key["id"]) == [("key.create", f"nightly of {name}")]
        for other in ("robot", "friend"):
            created = ("account.create", f"{name}-{other}")
            assert await noted(operator, about=ids[f"{name}-{other}"]) == [created]
        operator_id = str((await operator.get("/accounts/me")).json["id"])
        created = ("account.create", f"{operator.username}, an operator")
        assert await noted(operator, about=operator_id) == [created]


async def test_a_backup_and_repairs_of_the_command_line_are_in_the_audit_log(
    site: Site, tmp_path: Path
) -> None:
    backup = str(tmp_path / "backup")
    for arguments in (("backup", backup, "--no-objects"), ("rehash",), ("doctor",), ("doctor", "--mend")):
        ended = await run_command(site, *arguments)
        assert ended.status in (0, 1), ended
    async with operator_of(site) as operator:
        assert ("site.backup", backup) in await noted(operator, action="site.backup")
        for action in ("site.rehash", "consistency.check", "consistency.mend"):
            assert (action, "") in await noted(operator, action=action)
