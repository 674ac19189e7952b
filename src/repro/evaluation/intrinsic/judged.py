"""Does a language model find that a simulator kept its role, or its intent?

In the place of the rules of `adherence`: the judge reads what the user wants, what was said and the reply, and answers
in JSON. Answers are kept and asked for again as `Asker` does; one that never fits is unscored and counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ...scoring.asking import Answer, Asker, Question, read_json
from ...types import Turn
from .adherence import Kind
from .moments import Moment, over_moments
from .parts import Parts
from .sides import is_silent

SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "kept": {"type": "boolean"}},
    "required": ["reason", "kept"],
    "additionalProperties": False,
}


def kept_by_judge(kind: Kind, said: Sequence[Turn], moments: Sequence[Moment], *, asker: Asker) -> Parts:
    """1 where the judge says that the reply keeps what `kind` names, 0 where not, NaN where it said nothing usable.

    Who leaves the dialogue keeps both, as with the rules, and is not asked about.
    """
    asked = [i for i, turn in enumerate(said) if not is_silent(turn)]
    rows = asker.ask([_question(kind, said[i], moments[i]) for i in asked], label=f"{asker.model.name}, {kind}")
    found = {
        i: {"kept": 1.0, "lost": 0.0}.get(str(row["text"]), float("nan")) for i, row in zip(asked, rows, strict=True)
    }
    return over_moments([found.get(i, 1.0) for i in range(len(said))], moments)


@cache
def _prompt(kind: Kind) -> str:
    return (Path(__file__).parent / f"judge_{kind}.txt").read_text("utf-8").strip()


def _question(kind: Kind, reply: Turn, moment: Moment) -> Question:
    wants = [moment.task.intent, *(f"{r.label}: {r.value}" for r in moment.task.requirements)]
    shown = {
        "wants": wants,
        "dialogue": [{"role": turn.role, "text": turn.text} for turn in moment.dialogue],
        "reply": reply.text,
    }
    return Question(_prompt(kind), json.dumps(shown, ensure_ascii=False, indent=1), SCHEMA, _read, {"kind": kind})


def _read(said: str) -> Answer:
    return read_json(said, _kept)


def _kept(text: str) -> str:
    answer = json.loads(text)
    if not isinstance(answer, dict) or not isinstance(answer.get("kept"), bool):
        raise ValueError("an answer has the field kept, true or false")
    return "kept" if answer["kept"] else "lost"
