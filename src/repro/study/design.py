"""What does one study ask, of which assistants, about which tasks?

A study is a YAML file; each setting below has a default that suits a pilot. A key that nobody reads, a value of the
wrong kind and a schedule that cannot be balanced are errors, so that what the file says is what runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from repro.data.tasks import INTENT, make_tasks
from repro.errors import ReproError
from repro.types import Task

from ..models.base import Sampling

_FORBID_UNKNOWN = {"extra": "forbid"}  # read by pydantic
DEMO = Path(__file__).parent / "demo.yaml"


@dataclass(frozen=True)
class AssistantSpec:
    """A base model ("smollm2", a folder, a hub id) with adapters, or a spec, `openai:URL#MODEL`, `vllm:MODEL`."""

    __pydantic_config__ = _FORBID_UNKNOWN

    model: str = "smollm2"
    adapters: tuple[str, ...] = ()
    dtype: Literal["bfloat16", "float32"] = "bfloat16"


@dataclass(frozen=True)
class TaskCard:
    """What a participant is asked to get done; assistants never see it."""

    __pydantic_config__ = _FORBID_UNKNOWN

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Check:
    """A question that shows whether a participant reads, asked once `after` votes are cast."""

    __pydantic_config__ = _FORBID_UNKNOWN

    question: str
    options: tuple[str, ...]
    answer: str
    after: int = 1


@dataclass(frozen=True)
class Draw:
    """How assistants sample: as the arms were when reference users judged them."""

    __pydantic_config__ = _FORBID_UNKNOWN

    temperature: float = 0.7
    top_p: float = 1.0
    min_p: float = 0.05
    max_tokens: int = 80

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.min_p, self.max_tokens)


@dataclass(frozen=True)
class Design:
    """One study, whole."""

    __pydantic_config__ = _FORBID_UNKNOWN

    name: str
    title: str
    consent: str
    instructions: str
    assistants: dict[str, AssistantSpec]
    contact: str = ""
    pairs: tuple[tuple[str, str], ...] = ()  # none: all of them
    comparisons: int = 0  # a participant's; 0: one of each pair
    layout: Literal["side_by_side", "in_turn"] = "side_by_side"
    tasks: tuple[TaskCard, ...] = ()
    generated_tasks: int = 0  # so many more from the held-out tasks of the reference population
    choose_task: bool = False  # participants pick; otherwise the schedule gives
    checks: tuple[Check, ...] = ()
    max_failed_checks: int = 0  # participants with more are left out of the report, and still get their code
    min_turns: int = 1  # messages to each assistant before one may vote
    max_turns: int = 6
    max_chars: int = 2000  # a message's
    minutes: int = 60  # from joining to the last vote
    chat_minutes: int = 20  # from opening a comparison to the last message
    access: Literal["open", "invitation", "prolific"] = "open"
    store_ids: Literal["hashed", "plain"] = "hashed"  # a PROLIFIC_PID or invitation, with the study's own salt
    retention_days: int = 365  # participants and all they wrote are deleted so long after they joined
    completion_code: str = ""
    completion_url: str = ""
    posts_per_minute: int = 40  # of one participant
    joins_per_minute: int = 120  # from one address
    sampling: Draw = field(default_factory=Draw)
    seed: int = 0

    def __post_init__(self) -> None:
        _check_names(self)
        _check_schedule(self)
        _check_checks(self)
        low = [name for name in _POSITIVE if getattr(self, name) < 1]
        if low:
            raise ReproError(f"{low[0]} is {getattr(self, low[0])} in study '{self.name}'; it has to be 1 or more")
        if self.min_turns > self.max_turns:
            raise ReproError(f"min_turns is {self.min_turns} and max_turns {self.max_turns}; nobody could vote")
        _ = self.sampling.sampling  # raises where it makes no sense

    @property
    def all_pairs(self) -> list[tuple[str, str]]:
        return list(self.pairs or combinations(self.assistants, 2))

    @property
    def n_comparisons(self) -> int:
        return self.comparisons or len(self.all_pairs)

    @property
    def cards(self) -> dict[str, TaskCard]:
        """Every task by id, generated ones last."""
        made = [_card(task) for task in make_tasks(self.generated_tasks, split="eval", seed=self.seed)]
        return {card.id: card for card in (*self.tasks, *made)}

    @property
    def bound(self) -> dict[str, Any]:
        """What may not change while votes come in, as JSON holds it: who compares what, and under which conditions."""
        kept = {name: getattr(self, name) for name in _BINDING}
        cards = self.cards.values()
        made = {
            "comparisons": self.n_comparisons, "pairs": self.all_pairs, "tasks": [card.id for card in cards],
            "task texts": [(card.title, card.text) for card in cards],
        }  # fmt: skip
        return dict(json.loads(json.dumps({**kept, **made}, default=asdict)))


_POSITIVE = (
    *("min_turns", "max_turns", "max_chars", "minutes", "chat_minutes", "retention_days"),
    *("posts_per_minute", "joins_per_minute"),
)
_BINDING = (
    *("name", "assistants", "choose_task", "seed", "sampling"),
    *("layout", "min_turns", "max_turns", "store_ids"),
)


def load_design(path: str | Path) -> Design:
    """The study of a YAML file."""
    import yaml

    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ReproError(f"cannot read the study {path} ({error.strerror}); give a YAML file, or --demo") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReproError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ReproError(f"{path} has to hold settings, a name and a value a line; docs/study.md shows one")
    return design_of(values, str(path))


def design_of(values: Mapping[str, Any], where: str) -> Design:
    """A design from plain data; `where` names its source in errors."""
    from pydantic import ValidationError

    try:
        design: Design = _adapter().validate_json(json.dumps(values, default=str), strict=True)
        return design
    except ValidationError as error:
        raise ReproError(_sentence(error.errors()[0], where)) from None


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Design)


def _sentence(error: Mapping[str, Any], where: str) -> str:
    key = ".".join(map(str, error["loc"]))
    match error["type"]:
        case "unexpected_keyword_argument":
            return f"no setting '{key}' in {where}; have {', '.join(item.name for item in fields(Design))}"
        case "missing":
            return f"{where} does not set {key}; docs/study.md shows a whole study"
        case "value_error":
            return f"{where}: {error['ctx']['error']}"
        case _:
            return f"{key} is {error['input']!r} in {where}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _check_names(design: Design) -> None:
    for name in (design.name, *design.assistants):
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", name):
            raise ReproError(f"'{name}' is no name; use letters, digits, '.', '_' and '-'")
    ids = [card.id for card in design.tasks]
    if len(set(ids)) < len(ids):
        raise ReproError("two tasks have one id; give each an id of its own")
    url = design.completion_url
    if url and not url.startswith(("https://", "http://")):
        raise ReproError(f"completion_url is '{url}'; it has to begin with https://")


def _check_schedule(design: Design) -> None:
    if len(design.assistants) < 2:
        raise ReproError(f"study '{design.name}' has {len(design.assistants)} assistants; people compare two or more")
    for a, b in design.pairs:
        if a == b or not {a, b} <= set(design.assistants):
            raise ReproError(f"no pair {a}, {b}; pair two of {', '.join(design.assistants)}")
    if len({frozenset(pair) for pair in design.pairs}) < len(design.pairs):
        raise ReproError("a pair is listed twice; nobody sees a pair twice")
    if not 0 <= design.comparisons <= len(design.all_pairs):
        raise ReproError(f"comparisons is {design.comparisons}; nobody sees one of {len(design.all_pairs)} pairs twice")
    n_tasks = len(design.tasks) + design.generated_tasks
    if design.generated_tasks < 0 or n_tasks < design.n_comparisons:
        raise ReproError(f"{n_tasks} tasks for {design.n_comparisons} comparisons; nobody gets a task twice, add some")


def _check_checks(design: Design) -> None:
    for check in design.checks:
        if check.answer not in check.options:
            raise ReproError(f"the answer '{check.answer}' is not among the options of the check '{check.question}'")
        if not 0 <= check.after <= design.n_comparisons:
            raise ReproError(f"a check comes after {check.after} votes; there are {design.n_comparisons}")


def _card(task: Task) -> TaskCard:
    request = task.intent.removeprefix(INTENT.partition("{")[0]).removesuffix(".")
    wants = "\n".join(f"{want.label}: {want.value}" for want in task.requirements)
    return TaskCard(task.id, f"Get help writing {request}", wants)
