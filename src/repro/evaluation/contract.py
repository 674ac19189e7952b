"""Does a simulator keep the promises that the rest of the package relies on?

Every check talks to the simulator as the conversation loop does, with real tasks and a scripted assistant that asks,
then drafts, then drafts well. A promise that is broken fails; what is merely unusual (slow, never leaving) is noted.
The same check runs on ours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..data.requirements import met
from ..data.tasks import make_tasks
from ..errors import ReproError, one_line
from ..simulators.base import UserSimulator
from ..simulators.roleplay import out_of_role
from ..types import Task, Turn

Result = Literal["passed", "noted", "failed"]
SAME_ENOUGH = 0.75  # ours: in bfloat16 another batch may tip a token here and there; a wrong order tips most turns
STRAYS_OFTEN = 0.5  # ours: share of turns out of role above which a reader should know
SLOW = 2.0  # seconds a turn: training needs tens of thousands. ours
_MARK = re.compile(r"<\|[^|>]*\|>|\[/?INST\]|</?s>")
_ASKS = "Happy to help. What is the date, and what else should I include?"


@dataclass(frozen=True)
class Check:
    """One promise and what came of it."""

    name: str
    result: Result
    found: str


@dataclass(frozen=True)
class _Said:
    """What a simulator said at one point of each dialogue."""

    tasks: Sequence[Task]
    dialogues: Sequence[Sequence[Turn]]
    turns: Sequence[Turn]


def check_contract(user: UserSimulator, *, n: int = 12, seed: int = 0) -> list[Check]:
    """All checks of `user` on `n` tasks. If it fails to speak at any of them there is one, which says why."""
    try:
        return _checks(user, make_tasks(n, split="train", seed=seed), seed)
    except ReproError as error:
        return [Check("speaks", "failed", str(error))]
    except Exception as error:  # whatever somebody else's code may raise
        return [Check("speaks", "failed", f"it raised {one_line(error)}")]


def _checks(user: UserSimulator, tasks: Sequence[Task], seed: int) -> list[Check]:
    begun = time.perf_counter()
    moments = _conversation(user, tasks, seed)
    seconds = (time.perf_counter() - begun) / sum(len(moment.turns) for moment in moments)
    return [
        _speaks(moments),
        _opens(moments[0]),
        _keeps_role(moments),
        _hides_format(moments),
        _repeats(user, moments[1], seed),
        _is_varied(user, moments[0], seed),
        _minds_no_order(user, moments[1], seed),
        _leaves(moments),
        Check("speed", "noted" if seconds > SLOW else "passed", f"{seconds:.2g} seconds a turn"),
    ]


def _conversation(user: UserSimulator, tasks: Sequence[Task], seed: int) -> list[_Said]:
    """Turn 1, the answer to a question, and the words after a poor and after a good draft."""
    if user.reply([], [], seed=seed) != []:
        raise ReproError("reply([], [], seed=0) has to return an empty list")
    dialogues: list[list[Turn]] = [[] for _ in tasks]
    moments = []
    for heard in (None, _asks, _poor_draft, _good_draft):
        if heard:
            dialogues = [[*d, heard(t)] for t, d in zip(tasks, dialogues, strict=True)]
        given = [list(d) for d in dialogues]
        turns = user.reply(tasks, given, seed=seed)
        if given != dialogues:
            raise ReproError("reply changed the dialogues it was given; build new lists instead")
        _well_formed(turns, len(tasks))
        moments.append(_Said(tasks, dialogues, turns))
        dialogues = [[*d, Turn("user", t.text or "...")] for d, t in zip(dialogues, turns, strict=True)]
    return moments


def _asks(task: Task) -> Turn:
    return Turn("assistant", _ASKS)


def _poor_draft(task: Task) -> Turn:
    return Turn(
        "assistant", "Hello everyone, I am writing to let you know about this. I hope that you can all make it."
    )


def _good_draft(task: Task) -> Turn:
    facts = ". ".join(f"{r.label} is {r.value}" for r in task.requirements)
    return Turn("assistant", f"Hello everyone, here is what you need to know about it. {facts}. See you soon.")


def _well_formed(turns: object, n: int) -> None:
    if not isinstance(turns, list) or len(turns) != n:
        got = f"{len(turns)} turns" if isinstance(turns, list) else type(turns).__name__
        raise ReproError(f"asked for {n} turns, got {got}; reply returns a list with one Turn for each dialogue")
    if wrong := next((t for t in turns if not isinstance(t, Turn) or t.role != "user"), None):
        raise ReproError(f'reply returned {str(wrong)[:80]!r}; each has to be a Turn("user", text)')


def _speaks(moments: Sequence[_Said]) -> Check:
    n = sum(len(moment.turns) for moment in moments)
    return Check("speaks", "passed", f"{n} turns, one for each dialogue, all of the user")


def _opens(first: _Said) -> Check:
    """Somebody has to begin, and nobody leaves before they have been answered."""
    silent, gone = sum(not t.text.strip() for t in first.turns), sum(t.ends for t in first.turns)
    found = f"of {len(first.turns)} first turns {silent} are empty and {gone} end the dialogue"
    return Check("opens", "failed" if silent or gone else "passed", found)


def _keeps_role(moments: Sequence[_Said]) -> Check:
    """Marks of a chat template in a text are a defect; talking like an assistant is a matter of degree."""
    spoken = [(t, d) for m in moments for t, d in zip(m.turns, m.dialogues, strict=True) if t.text]
    if marked := next((t.text for t, _ in spoken if _MARK.search(t.text)), ""):
        return Check("role", "failed", f"marks of a chat template are left in the text: {marked[:60]!r}")
    strayed = sum(out_of_role(t.text, d) for t, d in spoken) / max(1, len(spoken))
    found = f"{strayed:.0%} of turns are empty, an essay, an assistant's, or said before"
    return Check("role", "noted" if strayed > STRAYS_OFTEN else "passed", found)


def _hides_format(moments: Sequence[_Said]) -> Check:
    """Users do not recite how their wishes are stored: "the date: 4 May" for two wishes in a turn, or a rule's key."""
    for moment in moments:
        for task, turn in zip(moment.tasks, moment.turns, strict=True):
            listed = [r for r in task.requirements if f"{r.label}: {r.value}".lower() in turn.text.lower()]
            keys = [r.key for r in task.requirements if "_" in r.key and r.key in turn.text]
            if len(listed) > 1 or keys or "Requirement(" in turn.text:
                return Check("format", "failed", f"a turn recites the task's record: {turn.text[:80]!r}")
    return Check("format", "passed", "no turn recites the task's record")


def _repeats(user: UserSimulator, moment: _Said, seed: int) -> Check:
    again = user.reply(moment.tasks, moment.dialogues, seed=seed)
    share = _share_same(moment.turns, again)
    return Check("same seed", "passed" if share == 1 else "failed", f"{share:.0%} of turns come again word for word")


def _is_varied(user: UserSimulator, first: _Said, seed: int) -> Check:
    """A simulator without randomness keeps the contract; a reader should know."""
    share = _share_same(first.turns, user.reply(first.tasks, first.dialogues, seed=seed + 1))
    found = f"{1 - share:.0%} of first turns differ under another seed"
    return Check("other seed", "noted" if share == 1 else "passed", found)


def _minds_no_order(user: UserSimulator, moment: _Said, seed: int) -> Check:
    """The reply to a dialogue is its own, whatever stands beside it: asked in two halves, the second reversed."""
    half = len(moment.tasks) // 2
    backwards = range(len(moment.tasks) - 1, half - 1, -1)
    front = user.reply(moment.tasks[:half], moment.dialogues[:half], seed=seed)
    back = user.reply([moment.tasks[i] for i in backwards], [moment.dialogues[i] for i in backwards], seed=seed)
    share = _share_same(moment.turns, [*front, *reversed(back)])
    found = f"{share:.0%} of turns are the same in other batches and another order"
    return Check("batching", "failed" if share < SAME_ENOUGH else "passed", found)


def _leaves(moments: Sequence[_Said]) -> Check:
    """Whether anybody leaves, and whether a good text helps."""
    shares = [sum(t.ends for t in moment.turns) / len(moment.turns) for moment in moments[2:]]
    n_met = sum(all(met(t, d[-1].text)) for t, d in zip(moments[3].tasks, moments[3].dialogues, strict=True))
    found = (
        f"leave after a poor draft {shares[0]:.0%}, after a good one {shares[1]:.0%} ({n_met} of which met every wish)"
    )
    return Check("leaving", "passed" if any(shares) else "noted", found)


def _share_same(one: Sequence[Turn], two: Sequence[Turn]) -> float:
    pairs = list(zip(one, two, strict=True))
    return sum((a.text, a.ends) == (b.text, b.ends) for a, b in pairs) / len(pairs)
