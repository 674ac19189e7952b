"""What would the user say next, if they were a prompted language model?

An instruct model reads the intent, the hidden requirements and instructions (`roleplay_system.txt`, our words), and
speaks under the user's header. `roleplay_raw` is that and no more. A 135M model falls out of this role at once, so
`roleplay` adds help that shows it no human turn: an agenda puts the first words of each turn into its mouth (the
request, then one wish after another by name; what follows is the model's), a turn is its first line, and one that
falls out of role is drawn again a few times. How often a turn was redrawn, and how often it was out of role all the
same, is on the turn's flags. Agendas for simulated users: Schatzmann et al. 2007, "Agenda-based user simulation".
Ways to make it more like people, alone or together: a persona (`personas.yaml`), a style to write in
(`roleplay_style.txt`), a few messages of users to write like (`roleplay_examples.yaml`), a higher temperature.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

from ..models.base import ChatModel, Sampling
from ..seeds import derive
from ..types import Task, Turn
from .wording import request_of

END = "Thanks, that is all."
_ENDS = re.compile(r"\b(?:that(?: i|')s all|goodbye|bye)\b|^thank(?:s| you)\b[^?]{0,40}$", re.I)
_ASSISTANT = re.compile(
    r"\b(?:how (?:can|may) i (?:help|assist)|i(?: can|'?ll|'?d)?(?: be)? (?:happy|glad) to (?:help|assist)|i can help"
    r"|as an ai|i'?m an? (?:ai|assistant)|here(?:'s| is| are) (?:a|an|the|some|your)\b|let me know if|feel free"
    r"|i hope this (?:helps|email|message)|you(?:'re| are) (?:a|an) (?:person|user))"
    r"|^(?:certainly|of course|sure|dear|subject|hello everyone|assistant)\b|\[[^\]]*\]",
    re.I,
)
SAMPLING = Sampling(temperature=0.8, min_p=0.05, max_tokens=40)  # ours: cooler, or a small model wanders
MAX_WORDS = 40  # ours: longer turns of a small model are essays, not requests
PROMPT = "roleplay_system.txt"


@dataclass(frozen=True)
class RolePlay:
    """A prompted user. `n_tries` is how often a turn may be drawn before it is taken as it is."""

    model: ChatModel
    name: str = "roleplay"
    helped: bool = True
    persona: bool = False  # whether each dialogue is held by somebody of `personas.yaml`, or by `Task.persona`
    style: bool = False  # whether it is told to write as people type
    n_examples: int = 0  # messages of users it is shown, as many first as later ones, others for each dialogue
    n_tries: int = 3
    sampling: Sampling = SAMPLING

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next user turn of each dialogue; flags say "resampled" and "out_of_role"."""
        turns: list[Turn | None] = [None] * len(tasks)
        for attempt in range(self.n_tries if self.helped else 1):
            open_ones = [i for i, t in enumerate(turns) if t is None or "out_of_role" in t.flags]
            if not open_ones:
                break
            drawn = self._draw([tasks[i] for i in open_ones], [dialogues[i] for i in open_ones], seed, attempt)
            for i, turn in zip(open_ones, drawn, strict=True):
                turns[i] = turn
        return [turn for turn in turns if turn is not None]

    def told(self, task: Task, seed: int) -> Turn:
        """The system turn, the same throughout a dialogue."""
        who = persona_of(task, seed) if self.persona else ""
        shown = examples(derive(seed, task.id, "examples"), self.n_examples)
        return system_turn(task, who, style=self.style, shown=shown)

    def begin(self, task: Task, dialogue: Sequence[Turn]) -> str:
        """The first words of the next turn; other kinds of tasks have their own."""
        return agenda(task, dialogue)

    def _draw(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], seed: int, attempt: int) -> list[Turn]:
        contexts = [[self.told(task, seed), *d] for task, d in zip(tasks, dialogues, strict=True)]
        seeds = [derive(seed, t.id, "user", len(d), attempt) for t, d in zip(tasks, dialogues, strict=True)]
        begun = [self.begin(t, d) if self.helped else "" for t, d in zip(tasks, dialogues, strict=True)]
        sampling = replace(self.sampling, may_end=False)
        drawn = self.model.generate(contexts, sampling=sampling, seeds=seeds, role="user", prefixes=begun)
        return [self._noticed(t, d, attempt) for t, d in zip(drawn, dialogues, strict=True)]

    def _noticed(self, turn: Turn, dialogue: Sequence[Turn], attempt: int) -> Turn:
        """The turn as the assistant will see it: its first line if helped, with what was noticed."""
        text = turn.text.split("\n")[0].strip() if self.helped else turn.text
        flags = [*turn.flags, *(["resampled"] if attempt else [])]
        if out_of_role(text, dialogue):
            flags.append("out_of_role")
        return Turn("user", text, ends=bool(dialogue) and ends(text), flags=tuple(flags))


@cache
def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8").strip()  # once: a run keeps its prompts


@cache
def personas() -> list[str]:
    """All of `personas.yaml`."""
    import yaml

    return [str(one) for one in yaml.safe_load(_read("personas.yaml"))]


@cache
def _messages() -> tuple[list[str], list[str]]:
    """First and later messages of `roleplay_examples.yaml`."""
    import yaml

    kept = yaml.safe_load(_read("roleplay_examples.yaml"))
    return kept["first"], kept["later"]


def examples(seed: int, n: int) -> list[str]:
    """`n` messages of users, the first half opening a dialogue."""
    first, later = _messages()
    draw = Random(seed)
    return [*draw.sample(first, (n + 1) // 2), *draw.sample(later, n // 2)]


def persona_of(task: Task, seed: int) -> str:
    """Who holds this dialogue: the task's own persona, or one of ours, drawn once per task and seed."""
    return task.persona or personas()[derive(seed, task.id, "persona") % len(personas())]


def system_turn(
    task: Task, persona: str = "", *, style: bool = False, shown: Sequence[str] = (), prompt: str = PROMPT
) -> Turn:
    """What the role-player is told. It sees what the paper's does: the intent, the requirements and a prompt."""
    wishes = "; ".join(f"{r.label}: {r.value}" for r in task.requirements)
    who = f" You are {persona}." if persona else ""
    manner = f"{_read('roleplay_style.txt')} " if style else ""
    others = f"Others write like this: {' / '.join(shown)} / " if shown else ""
    said = {"intent": task.intent, "who": who, "wishes": wishes, "style": manner, "examples": others, "end": END}
    return Turn("system", _read(prompt).format(**said))


def agenda(task: Task, dialogue: Sequence[Turn]) -> str:
    """How the next turn begins: with the request, then with the wishes by name in order, last with thanks."""
    n_said = sum(turn.role == "user" for turn in dialogue)
    if n_said == 0:
        return f"I need {request_of(task)}"
    if n_said <= len(task.requirements):
        label = task.requirements[n_said - 1].label
        return f"{label[:1].upper()}{label[1:]}:"
    return "Thanks,"


def ends(text: str) -> bool:
    """Whether a role-played turn takes leave."""
    return bool(_ENDS.search(text))


def out_of_role(text: str, dialogue: Sequence[Turn]) -> bool:
    """Whether a user's turn is empty, an essay, an assistant's, or a copy of something already said."""
    said = {turn.text for turn in dialogue}
    return not text or len(text.split()) > MAX_WORDS or bool(_ASSISTANT.search(text)) or text in said
