"""Files that are dragged over a page, dropped on it, or pasted into it."""

from pathlib import Path

from playwright.async_api import JSHandle, Page


async def dragged(page: Page, file: Path, name: str) -> JSHandle:
    """Return what a browser gives to handlers when a file is dragged or copied."""
    return await page.evaluate_handle(
        """({bytes, name}) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], name, {type: "image/jpeg"}));
          return transfer;
        }""",
        {"bytes": list(file.read_bytes()), "name": name},
    )


async def paste(page: Page, transfer: JSHandle, *, into: str) -> None:
    await page.eval_on_selector(
        into,
        """(element, transfer) => element.dispatchEvent(new ClipboardEvent("paste",
          {clipboardData: transfer, bubbles: true, cancelable: true}))""",
        transfer,
    )
