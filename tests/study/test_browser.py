"""Does a person with a browser get through, with a wide screen, a phone, or only a keyboard?"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repro.models.scripted import ScriptedModel
from repro.types import Turn

webdriver = pytest.importorskip("selenium.webdriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="chromedriver is not installed"),
]
WAIT = 30  # seconds for something to appear
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LINES = [
    "I can help with that. When is it, and where should people go?",
    "Hi all,\nplease come to the choir concert on 3 May at 7 pm in the town hall.\nBest wishes\nthe choir",
]


class Slowly(ScriptedModel):
    """Speaks word by word, as a model does."""

    def stream(self, contexts: Any, *, sampling: Any, seeds: Any, on_text: Any) -> list[Turn]:
        turns = self.generate(contexts, sampling=sampling, seeds=seeds)
        for row, turn in enumerate(turns):
            for piece in re.findall(r"\s*\S+", turn.text):
                on_text(row, piece)
                time.sleep(0.01)
        return turns


@pytest.fixture
def site(serve: Any) -> Iterator[tuple[str, Any]]:
    """The small study at a real address."""
    import uvicorn

    with serve({name: Slowly(LINES, name=name) for name in ("plain", "tuned", "other")}) as found:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(found.app, log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", found
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.binary_location = str(shutil.which("chromium"))
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.implicitly_wait(0)
    yield driver
    driver.quit()


class Person:
    """Somebody at a browser, who waits for what they look for."""

    def __init__(self, driver: Any, size: str) -> None:
        self.driver, self.size, self.n_shots = driver, size, 0
        width, height = SIZES[size]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def find(self, css: str, text: str = "") -> Any:
        until = time.monotonic() + WAIT
        while time.monotonic() < until:
            try:
                for element in self.driver.find_elements("css selector", css):
                    if element.is_displayed() and element.is_enabled() and text in element.text:
                        return element
            except Exception as error:
                if "stale" not in str(error).lower():
                    raise
            time.sleep(0.05)
        raise AssertionError(f"no {css} '{text}' on {self.driver.page_source}")

    def click(self, css: str, text: str = "") -> None:
        element = self.find(css, text)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def shot(self, name: str) -> None:
        """A picture for somebody to look at, where REPRO_STUDY_SHOTS names a folder; checks that nothing sticks out."""
        width = self.driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= SIZES[self.size][0], f"{name} is {width} pixels wide"
        if folder := os.environ.get("REPRO_STUDY_SHOTS"):
            self.n_shots += 1
            self.driver.save_screenshot(str(Path(folder) / f"{self.size}-{self.n_shots:02d}-{name}.png"))

    def faults(self) -> list[str]:
        """What axe-core finds serious or critical here, by day and by night; nothing where it is not installed."""
        path = axe_path()
        if path is None:
            return []
        self.driver.execute_script(path.read_text())
        run = "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
        bad = []
        for scheme in ("dark", "light"):
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            found = self.driver.execute_async_script(run)["violations"]
            bad += [(scheme, fault) for fault in found if fault["impact"] in ("serious", "critical")]
        return [f"{scheme}: {fault['id']}: {fault['nodes'][0]['html']}" for scheme, fault in bad]


def axe_path() -> Path | None:
    """axe-core from `npm install axe-core` in this checkout, or where AXE_CORE says."""
    for place in (os.environ.get("AXE_CORE", ""), "node_modules/axe-core/axe.min.js"):
        if place and Path(place).is_file():
            return Path(place)
    return None


def talk(person: Person, label: str, text: str, line: str) -> None:
    from selenium.webdriver.common.keys import Keys

    person.find(f"#text-{label}").send_keys(text, Keys.ENTER)
    person.find(f'[data-label="{label}"] .said.assistant:not(.coming)', line)


@pytest.mark.parametrize("size", SIZES)
def test_a_person_gets_from_the_link_to_the_code_and_nothing_is_hard_to_use(site, browser, size):
    base, found = site
    person = Person(browser, size)
    faults: list[str] = []

    def look(name: str) -> None:
        person.shot(name)
        faults.extend(f"{name}: {fault}" for fault in person.faults())

    browser.get(f"{base}/?PROLIFIC_PID={'5f3a' * 6}")
    look("consent")
    person.click("input[name=agree]")
    person.click("button", "Begin")
    person.find("h1", "How it works")
    look("instructions")
    person.click("button", "I understand")
    for number in range(3):
        if number == 1:
            person.find("legend", "Choose Blue")
            look("check")
            person.click("label", "Blue")
            person.click("button", "Go on")
        person.find("#text-A")
        if number == 0:
            look("chat-empty")
        talk(person, "A", "Please help me with a note about our choir concert.", "I can help")
        if number == 0:
            browser.refresh()  # and nothing is lost
            person.find('[data-label="A"] .said.assistant', "I can help")
        talk(person, "B", "A note about our choir concert, please.", "I can help")
        if number == 0:
            talk(person, "A", "3 May, 7 pm, in the town hall", "Hi all")
            look("chat")
        person.click("[data-next]")
        person.find("h1", "Which assistant")
        person.click("label", "A is better" if number != 1 else "No difference")
        if number != 1:
            person.click("label", "Clearly")
        person.find("#reason").send_keys("It asked what it had to know.")
        if number == 0:
            look("vote")
        person.click("button", "Save my choice")
    person.find(".code", "CODE-7")
    look("finished")
    person.click("a", "Withdraw")
    look("withdraw")
    assert faults == []
    from repro.study.export import vote_rows

    assert [(row["choice"], row["strength"]) for row in vote_rows(found.store)] == [("A", 2), ("tie", None), ("A", 2)]


def test_a_keyboard_is_enough(site, browser):
    """Only keys are sent, to whatever has the focus."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    base, _ = site
    person = Person(browser, "desktop")

    def press(*keys: str) -> None:
        for key in keys:
            ActionChains(browser).send_keys(key).perform()

    def reach(css: str) -> None:
        for _ in range(40):
            press(Keys.TAB)
            if browser.execute_script("return document.activeElement.matches(arguments[0])", css):
                return
        raise AssertionError(f"{css} is not reached with the tab key")

    browser.get(base)
    reach("input[name=agree]")
    press(Keys.SPACE)
    reach("button[type=submit]")
    press(Keys.ENTER)
    person.find("h1", "How it works")
    reach("button[type=submit]")
    press(Keys.ENTER)
    for label in "AB":
        person.find(f"#text-{label}")
        reach(f"#text-{label}")
        press("hello", Keys.ENTER)
        person.find(f'[data-label="{label}"] .said.assistant:not(.coming)', "I can help")
    person.find("[data-next]")
    reach("[data-next]")
    press(Keys.ENTER)
    person.find("h1", "Which assistant")
    reach("input[name=choice]")
    press(Keys.SPACE)
    reach("input[name=strength]")
    press(Keys.SPACE)
    reach("#reason")
    press("it asked")
    reach("button[type=submit]")
    press(Keys.ENTER)
    person.find("legend", "Choose Blue")
    assert browser.switch_to.active_element is not None
    assert [row.choice for row in _ballots(site[1])] == ["A"]


def _ballots(found: Any) -> list[Any]:
    from sqlmodel import select

    from repro.study.tables import Ballot

    with found.store.database.reading() as session:
        return list(session.exec(select(Ballot)).all())


def test_the_admin_page_is_readable_and_accessible(site, browser, admin_token):
    base, _ = site
    person = Person(browser, "desktop")
    browser.get(f"{base}/admin")
    person.shot("login")
    person.find("#token").send_keys(admin_token)
    person.click("button", "Sign in")
    person.find("h1", "How the study stands")
    person.shot("admin")
    assert person.faults() == []
    person.click("button", "Show them")
    person.find("p", "Looked at once")
