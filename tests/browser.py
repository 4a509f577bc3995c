"""A site that is served, and a real browser to look at it."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import COMMAND, Site, article
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium (apt-get install chromium; bootstrap.sh test tries)"
)
SOURCES = {
    "beijingshangbao": "北京商报",
    "shanghaichenbao": "上海晨报",
    "huaxiashibao": "华夏时报",
    "attack": "<script>alert(1)</script>",
    "quotes": "\"'&amp; </a>",
}


class Served:
    """A site, and a server for its feeds at the address that they name."""

    def __init__(self, site: Site, change: Callable[[str], str] = lambda text: text) -> None:
        self.site = site
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{address}/"
        site.configure(
            lambda text: change(
                text.replace("https://finews.example.org/feeds/", self.url)
                + "  formats: [atom, rss, json, html]\n"
                + "  extra: {ports: {title: 港口, words: [港]}}\n"
            )
        )
        for number, (slug, name) in enumerate(SOURCES.items()):
            for day in range(1, 6 + number):
                quoted = name.replace("'", "''")
                text = article(
                    f"{'港口' if day == 2 else '新闻'} {number}.{day} <b>&amp;",
                    date=f"2022-01-{day:02d} 1{number}:00:00 +0800",
                    source=slug,
                ).replace("tags: 华夏时报新闻", f"tags: ['{quoted}新闻']")
                site.post(f"{slug}-{day}.md", text)
        site.build()
        self._process = subprocess.Popen(
            [str(COMMAND), "serve", "-q", "--listen", address], cwd=site.root
        )
        while self._process.poll() is None:
            try:
                socket.create_connection(tuple(address.split(":")), timeout=5).close()
                break
            except OSError:
                continue

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(10) == 0


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(Site(tmp_path_factory.mktemp("served") / "site"))
    yield found
    found.close()


# Not for the whole run: its event loop would be that of all tests after it.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a window of its own; at the end nothing may have been complained of."""
    contexts = []
    said: list[str] = []

    def opened(url: str, **options: Any) -> Page:
        options = {"viewport": {"width": 1200, "height": 900}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
        page.on(
            "response",
            lambda answer: (
                said.append(f"{answer.status}: {answer.url}")
                if answer.status >= 400 and not answer.url.endswith("favicon.ico")
                else None
            ),
        )
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in said if "favicon" not in text and "404" not in text] == []


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds wrong with a page, which must be open with `bypass_csp`."""
    found = Axe().run(page).response["violations"]
    return [(item["id"], [node["html"] for node in item["nodes"]]) for item in found]
