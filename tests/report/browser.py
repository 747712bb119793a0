"""Real headless Chromium for the tests, with what a page does on record: its console, its requests, its findings by axe-core."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
MISSING = "no browser here, so that the page was not opened: install Debian's packages chromium and chromium-driver (.ci/run does, as root)"

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, width: int, height: int) -> None:
        """Show a file in a window of this size, phones included (a desktop window cannot be that narrow)."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        )
        self.forget()
        self.driver.get(page.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        """The value of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def forget(self) -> None:
        """Drop what is on record."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def console(self) -> list[str]:
        """What the page wrote to the console since it was opened; a request that was refused stands here too."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Every address that the page asked for since it was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def findings(self) -> list[str]:
        """What axe-core finds wrong with the page, one line for each element."""
        self.run((files("axe_selenium_python") / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run(document).then(done, e => done({error: String(e)}));")
        assert "error" not in found, found
        assert len(found["passes"]) > 10, "axe-core looked at nothing"
        return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]

    def print(self, to: Path) -> None:
        """The page as a PDF on A4."""
        to.write_bytes(
            base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})["data"])
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    """A new browser with an empty profile, closed at the end."""
    options = Options()
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory() as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            driver.set_page_load_timeout(60)
            driver.set_script_timeout(120)
            yield Browser(driver)
        finally:
            driver.quit()
