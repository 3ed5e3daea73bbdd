"""Attack running sites, and print the times of another account: `make test-load`, with `ATTACK=name` for one.

Each attack has a site of its own. Another account's uploads and downloads may take ten times as long as on
the quiet site, at the median, and `live` less than a tenth of a second; a row beyond that makes the exit
status 1.
"""

import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.load.attack import WARM_UP_S, Attack, Attacked, Bystander, Effect, Times
from benchmarks.load.connections import ATTACKS as CONNECTIONS
from benchmarks.load.growth import ATTACKS as GROWTH
from benchmarks.load.pools import ATTACKS as POOLS
from benchmarks.main_job import account
from tests.support.site import Kind, running_site

ATTACKS: tuple[Attack, ...] = (*POOLS, *CONNECTIONS, *GROWTH)
MAX_FACTOR = 10.0
FLOOR_MS = 20.0  # a quicker answer counts as this: a tenth of a millisecond more is no harm
MAX_LIVE_MS = 100.0


async def measure(attack: Attack, kind: Kind, directory: Path) -> tuple[Times, Times, Effect]:
    """Return the times of another account on a quiet site and under the attack."""
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(running_site(kind, directory, **attack.settings))
        attacker = await stack.enter_async_context(account(site))
        bystander = Bystander(await stack.enter_async_context(account(site)))
        await bystander.prepare()
        await bystander.times()  # warm up
        quiet = await bystander.times()
        async with attack.run(Attacked(site, attacker)) as effect:
            await asyncio.sleep(WARM_UP_S)
            attacked = await bystander.times()
        return quiet, attacked, effect


def held(quiet: Times, attacked: Times) -> bool:
    """Return whether the attack did no more harm than is allowed."""
    return (
        attacked.upload <= MAX_FACTOR * max(FLOOR_MS, quiet.upload)
        and attacked.download <= MAX_FACTOR * max(FLOOR_MS, quiet.download)
        and attacked.live < MAX_LIVE_MS
    )


async def main() -> bool:
    """Run all attacks, or the one that `ATTACK` names; print one table, and return whether all were held."""
    chosen = os.environ.get("ATTACK", "")
    table = Table("attack", "site", "upload p50, ms", "download p50, ms", "live worst, ms", "seen", "held")
    everything_held = True
    with tempfile.TemporaryDirectory() as directory:
        for attack in ATTACKS:
            if chosen not in attack.name:
                continue
            for kind in attack.kinds:
                quiet, under, effect = await measure(attack, kind, Path(directory) / f"{attack.name}-{kind}")
                everything_held &= held(quiet, under)
                table.add_row(
                    attack.name,
                    kind,
                    f"{quiet.upload:.0f} -> {under.upload:.0f}",
                    f"{quiet.download:.0f} -> {under.download:.0f}",
                    f"{quiet.live:.0f} -> {under.live:.0f}",
                    ", ".join(f"{name}: {value}" for name, value in effect.items()),
                    "yes" if held(quiet, under) else "NO",
                )
    Console(width=150).print(table)
    return everything_held


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main()) else 1)
