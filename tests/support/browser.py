"""A real browser for pages: the system's Chromium, driven by Playwright. Without one, tests that want it are skipped.

Each page notes every address that it asked for and every message of the browser's console, so that a test can say that
nothing left the host, and that nothing was refused.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

WIDTHS = (390, 720, 1200)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
NEEDS_BROWSER = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine")


@dataclass(slots=True)
class Tab:
    """A page in the browser, with what it asked for and what the browser complained about."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        """The hosts that it asked for anything; pictures in the page itself are from none."""
        return {urlsplit(address).netloc for address in self.asked if not address.startswith("data:")}

    async def go(self, address: str) -> int:
        """Open an address; the status of the answer."""
        answer = await self.page.goto(address, wait_until="load")
        return answer.status if answer else 0

    async def violations(self) -> list[str]:
        """What axe-core finds wrong, each as a rule and the first place."""
        found = await Axe().run(self.page)
        return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found.response["violations"]]

    async def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        wide: int = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    async def walk(self, most: int = 60) -> list[str]:
        """What has the focus, one Tab after the other, as tag and text or name, until it leaves the page."""
        found: list[str] = []
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            name = await self.page.evaluate(
                "(e => e === document.body ? '' : `${e.tagName.toLowerCase()} ${(e.name || e.innerText).trim()}`)"
                "(document.activeElement)"
            )
            if not name:
                break
            found.append(str(name))
        return found


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """The browser."""
    # As root, Chromium refuses to start within its sandbox.
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        await browser.close()


@asynccontextmanager
async def opening(browser: Browser, *, width: int = 1200, scheme: Any = "light", **more: Any) -> AsyncIterator[Tab]:
    """A tab of this width, in `light` or `dark`, without scripts of the page unless `java_script_enabled`."""
    size: Any = {"width": width, "height": 900}
    context: BrowserContext = await browser.new_context(viewport=size, color_scheme=scheme, **more)
    tab = Tab(await context.new_page())
    tab.page.on("request", lambda request: tab.asked.append(request.url))
    tab.page.on("console", lambda message: tab.complaints.append(message.text))
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    yield tab
    await context.close()
