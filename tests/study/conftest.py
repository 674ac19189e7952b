"""What do the tests of the study share? A study that takes a moment, and a participant who clicks through it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from repro.models.base import ChatModel
from repro.models.scripted import ScriptedModel

pytest.importorskip("fastapi")

TOKEN = "a token for the tests"
PID = "5f3a" * 6
STUDY: dict[str, Any] = {
    "name": "small",
    "title": "A small study",
    "consent": "We ask which assistant helps.\n\nYou may leave at any time.",
    "instructions": "Talk to both.",
    "assistants": {"plain": {}, "tuned": {}, "other": {}},
    "tasks": [
        {"id": f"t{i}", "title": f"Write note {i}", "text": f"the day: {i} May\nthe place: room {i}"} for i in range(5)
    ],
    "checks": [{"after": 1, "question": "Choose Blue.", "options": ["Red", "Blue"], "answer": "Blue"}],
    "completion_code": "CODE-7",
    "posts_per_minute": 100_000,
    "joins_per_minute": 100_000,
}  # fmt: skip


class Clock:
    """A time that tests move on."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class Participant:
    """A browser without scripts: follows links and sends the forms of the page it is on."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.page: Any = None

    def get(self, path: str) -> Any:
        self.page = self.client.get(path)
        return self.page

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page.text)
        assert found, f"no field {name} in {self.page.text}"
        return found[1]

    def send(self, path: str, **fields: object) -> Any:
        self.page = self.client.post(path, data={"csrf": self.hidden("csrf"), **fields})
        return self.page

    def join(self, query: str = "") -> Any:
        self.get(f"/{query}")
        self.send("/join", agree="yes", prolific=self.hidden("prolific"), invite=self.hidden("invite"))
        return self.send("/ready")

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.page.text, re.DOTALL)
        return found[1].strip() if found else ""

    def say(self, label: str, text: str = "hello") -> str:
        """Send a message; the reply's events."""
        number = self.hidden("comparison")
        sent = self.client.post(
            f"/say/{label}", data={"csrf": self.hidden("csrf"), "comparison": number, "text": text},
            headers={"accept": "application/json"},
        )  # fmt: skip
        assert sent.status_code == 202, sent.text
        return str(self.client.get(sent.json()["reply"]).text)

    def compare(self, choice: str = "A", strength: str = "2", reason: str = "") -> Any:
        """A whole comparison, and the check where one comes first."""
        if self.heading == "A short question":
            self.send("/check", number=0, answer="Blue")
        self.say("A")
        self.say("B")
        self.send("/next", comparison=self.hidden("comparison"))
        vote = {"comparison": self.hidden("comparison"), "choice": choice, "strength": strength, "reason": reason}
        return self.send("/vote", **vote)

    def finish(self) -> Any:
        for _ in range(3):
            self.compare()
        return self.page


class Site:
    """A served study: its store, its clock, and browsers that are not each other's."""

    def __init__(self, store: Any, app: Any, clock: Clock) -> None:
        self.store, self.app, self.clock = store, app, clock

    @contextmanager
    def browser(self) -> Iterator[Participant]:
        from fastapi.testclient import TestClient

        client = TestClient(self.app, raise_server_exceptions=True)
        yield Participant(client)


@pytest.fixture
def admin_token() -> str:
    return TOKEN


Serve = Callable[..., AbstractContextManager[Site]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """`with serve(minutes=5) as site:` the small study with some settings changed; `models` by assistant."""
    from repro.study.app import build_app
    from repro.study.database import Database
    from repro.study.design import design_of
    from repro.study.store import Store

    @contextmanager
    def start(models: Mapping[str, ChatModel] | None = None, db: str = "study.db", **changes: Any) -> Iterator[Site]:
        design = design_of({**STUDY, **changes}, "the test")
        clock = Clock()
        database = Database.open(str(tmp_path / db))
        store = Store(database, design, now=clock)
        scripts = {name: ScriptedModel([f"one from {i}", "two"]) for i, name in enumerate(design.assistants)}
        app = build_app(store, models or scripts, admin_token=TOKEN)
        yield Site(store, app, clock)
        database.close()

    return start
