"""Faults of accessibility, as axe-core finds them."""

from importlib.resources import files
from typing import Any

from playwright.async_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
SERIOUS = ("serious", "critical")


async def serious_faults(page: Page) -> list[str]:
    """Return the serious faults of a page as it stands, with the elements that have them."""
    await page.evaluate(f"window.axe ? null : (() => {{ {AXE} }})()")
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {[node['html'][:120] for node in fault['nodes']][:3]}"
        for fault in found["violations"]
        if fault["impact"] in SERIOUS
    ]
