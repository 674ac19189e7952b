"""What would a reference user say next?

A hand-written policy over hidden requirements, driven by the traits of `repro.data.population`. It says little
at first, answers what it is asked as its traits have it, and after a draft is content, corrects, or (most often)
leaves. It reads the assistant's text with `repro.data.acts` and its own past from its own words, so it can take
over any dialogue. It stands in for people in the offline world; `oracle` is its name as a training partner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from repro.data import acts
from repro.data.population import GENERIC_FACTOR, Traits, decoy_of, traits_of
from repro.data.requirements import meets, met
from repro.data.tasks import RULES
from repro.data.values import slots
from repro.seeds import derive
from repro.simulators.wording import bare, is_clause, phrases, request_of, typed, with_article
from repro.types import Requirement, Task, Turn, last_text

MAX_WORDS = 28  # ours: real first turns are often longer; small models and small budgets need short ones
P_TAIL = 0.45  # ours: how often a value is said as "at 6 pm" and not as "it starts at 6 pm"
P_LABELLED = 0.5  # ours: of naming a thing by the task's own label where it has one
P_FACTS_FIRST = 0.12  # ours
P_MIND = 0.8  # ours: chance to correct a first thought at each turn after it was said
P_LEAVES_IF_ASKED_AGAIN = 0.4  # ours: being asked what one has said already
P_ANSWERS_UNDER_DRAFT = 0.6  # ours: which of the two gets a reaction when a draft ends in a question


class ReferenceUsers:
    """The population as a user simulator. The same reply whatever the batch and its order."""

    name = "oracle"

    def __init__(self, traits: Callable[[str], Traits] = traits_of) -> None:
        self.traits = traits

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next user turn of each dialogue; a turn that `ends` may be empty."""
        return [self._reply(task, dialogue, seed) for task, dialogue in zip(tasks, dialogues, strict=True)]

    def _reply(self, task: Task, dialogue: Sequence[Turn], seed: int) -> Turn:
        draw = Random(derive(seed, task.id, len(dialogue)))
        return _Moment(task, dialogue, self.traits(task.user_id), draw).turn()


@dataclass
class _Moment:
    """One user about to speak."""

    task: Task
    dialogue: Sequence[Turn]
    traits: Traits
    draw: Random

    def turn(self) -> Turn:
        if not self.said:
            return self._say(self._first())
        if self.draft and all(met(self.task, self.draft)):
            return self._leave(content=True)
        if self.n_said >= self.traits.patience:
            return self._leave(content=False)
        if self._has_second_thoughts():
            return self._say(self._change())
        if self.question and (not self.draft or self._chance(P_ANSWERS_UNDER_DRAFT)):
            return self._answer()
        return self._react() if self.draft else self._say(self._pick("nudge"))

    # what has happened so far

    @cached_property
    def said(self) -> str:
        return "\n".join(turn.text for turn in self.dialogue if turn.role == "user")

    @cached_property
    def heard(self) -> str:
        return last_text(self.dialogue, "assistant")

    @cached_property
    def draft(self) -> str:
        return acts.draft_of(self.heard)

    @cached_property
    def question(self) -> str:
        return acts.question_of(self.heard)

    @cached_property
    def decoy(self) -> Requirement | None:
        return decoy_of(self.task) if self.traits.changes_mind else None

    @cached_property
    def unsaid(self) -> list[Requirement]:
        return [r for r in self.task.requirements if not self._told(r)]

    @property
    def n_said(self) -> int:
        return sum(turn.role == "user" for turn in self.dialogue)

    def _told(self, requirement: Requirement) -> bool:
        return acts.mentions(requirement, self.said) or self._believes(requirement)

    def _believes(self, requirement: Requirement) -> bool:
        """Whether the first thought was said and not yet corrected."""
        decoy = self.decoy
        if decoy is None or decoy.key != requirement.key:
            return False
        return acts.mentions(decoy, self.said) and not acts.mentions(requirement, self.said)

    def _has_second_thoughts(self) -> bool:
        return any(self._believes(r) for r in self.task.requirements) and self._chance(P_MIND)

    # what to do

    def _first(self) -> str:
        facts = [r for r in self.task.requirements if self._chance(self.traits.says_first)]
        self.draw.shuffle(facts)
        opener = self._words("openers") if self._chance(0.75 if self.traits.greets else 0.05) else ""
        closer = self._words("closers") if self._chance(0.2) else ""
        request = self._words("requests")
        room = MAX_WORDS - len(f"{opener} {closer}".split())
        body = self._fitting(lambda kept: self._with_facts(request, kept), facts, room)
        stop = "." if closer[:1].isupper() and body[-1].isalnum() else ""
        return " ".join(part for part in (opener, body + stop, closer) if part)

    def _with_facts(self, request: str, facts: list[Requirement]) -> str:
        if not facts:
            return request
        if self._chance(P_FACTS_FIRST):
            return f"{self._listed(facts)}. {request}"
        if request.endswith("?"):
            return f"{request} {self._listed(facts)}"
        request = request.rstrip(".")
        if self._chance(P_TAIL):
            request, facts = f"{request} {self._fact(facts[0], tail=True)}", facts[1:]
        return request + (self.draw.choice(phrases()["joins"]) + self._listed(facts) if facts else "")

    def _answer(self) -> Turn:
        asked = set(acts.asked_keys(self.heard, self.task))
        generic = acts.is_generic_question(self.heard)
        if self._asked_again(asked, generic):
            return (
                self._leave(content=False) if self._chance(P_LEAVES_IF_ASKED_AGAIN) else self._say(self._again(asked))
            )
        if self._chance(self.traits.brushes_off):
            return self._say(self._pick("brush_off"))
        facts = self._answers(asked, generic)
        if facts:
            return self._say(self._fitting(self._answered, facts, MAX_WORDS))
        return self._say(self._pick("brush_off" if generic and self._chance(0.5) else "not_care"))

    def _asked_again(self, asked: set[str], generic: bool) -> bool:
        before = [turn.text for turn in self.dialogue if turn.role == "assistant"][:-1]
        if any(acts.question_of(text) == self.question for text in before):
            return True
        return bool(asked) and not generic and not any(r.key in asked for r in self.unsaid)

    def _answers(self, asked: set[str], generic: bool) -> list[Requirement]:
        chance = self.traits.answers
        facts = [
            r for r in self.unsaid if self._chance(chance if r.key in asked else chance * GENERIC_FACTOR * generic)
        ]
        others = [r for r in self.unsaid if r.key not in asked]
        if others and not generic and self._chance(self.traits.volunteers):
            facts.append(self.draw.choice(others))
        self.draw.shuffle(facts)
        return facts

    def _react(self) -> Turn:
        """After a draft that lacks something: most leave, some say what, some only that."""
        if self._chance(self.traits.leaves):
            return self._leave(content=False)
        if not self._chance(self.traits.corrects):
            return self._say(self._pick("vague"))
        wrong = [r for r in self.task.requirements if self._told(r) and not meets(r, self.draft)]
        if wrong and (not self.unsaid or self._chance(0.6)):
            return self._say(self._pick("wrong", fact=self._fact(self.draw.choice(wrong))))
        facts = self.draw.sample(self.unsaid, min(len(self.unsaid), 1 + self._chance(0.35)))
        return self._say(self._pick("missing", fact=self._listed(facts)) if facts else self._pick("vague"))

    def _change(self) -> str:
        right = next(r for r in self.task.requirements if self._believes(r))
        old = self.decoy.value if self.decoy else ""
        return self._pick("change", fact=self._fact(right), old=old)

    def _again(self, asked: set[str]) -> str:
        told = [r for r in self.task.requirements if self._told(r) and (not asked or r.key in asked)]
        return self._pick("again", fact=self._fact(self.draw.choice(told))) if told else self._pick("brush_off")

    def _leave(self, *, content: bool) -> Turn:
        if not self._chance(self.traits.thanks if content else 0.3):
            return Turn("user", "", ends=True)
        return Turn(
            "user", typed(self._pick("happy" if content else "gone"), self.task, self.traits, self.draw), ends=True
        )

    # how to say it

    def _say(self, text: str) -> Turn:
        return Turn("user", typed(text, self.task, self.traits, self.draw))

    def _chance(self, p: float) -> bool:
        return self.draw.random() < p

    def _words(self, what: str) -> str:
        return self._filled(self.draw.choice(phrases()[what][self.traits.register]))

    def _pick(self, what: str, **values: str) -> str:
        return self._filled(self.draw.choice(phrases()[what]), **values)

    def _filled(self, text: str, **values: str) -> str:
        request = request_of(self.task)
        return text.format(request=request, bare=bare(request), **values)

    def _fact(self, requirement: Requirement, *, tail: bool = False) -> str:
        """A requirement stated: by its key ("it starts at 6 pm") or by its label ("kick-off is 6 pm")."""
        own = slots()[requirement.key].label != requirement.label
        if not tail and requirement.kind not in RULES and self._chance(P_LABELLED if own else 0.15):
            ways = phrases()["labelled"]["clause" if is_clause(requirement.label) else "noun"]
        else:
            ways = phrases()["facts"][requirement.key]["tail" if tail else "clause"]
        label = (
            requirement.label if self.traits.register in ("polite", "plain") else requirement.label.removeprefix("the ")
        )
        value = self._value(requirement)
        return str(self.draw.choice(ways)).format(v=value, a=with_article(value), label=label)

    def _value(self, requirement: Requirement) -> str:
        decoy = self.decoy
        if decoy is not None and decoy.key == requirement.key and not self._told(requirement):
            return decoy.value
        short = re.sub(r"(\d) ([ap]m)$", r"\1\2", requirement.value)
        return short if self.traits.register in ("casual", "terse") and meets(requirement, short) else requirement.value

    def _listed(self, facts: Sequence[Requirement]) -> str:
        return self._joined([self._fact(r, tail=self._chance(0.2)) for r in facts])

    def _answered(self, facts: Sequence[Requirement]) -> str:
        said = self._joined([self._reply_part(r) for r in facts]) if facts else self._pick("not_care")
        rest = self.draw.choice(phrases()["rest"]) if len(facts) < 3 and self.unsaid else ""
        return (
            str(self.draw.choice(phrases()["answers"]["lead"]))
            + said
            + (f", {rest}" if rest and self._chance(0.5) else "")
        )

    def _reply_part(self, requirement: Requirement) -> str:
        if self._chance(0.25) and requirement.kind not in RULES:
            return self._value(requirement)
        return self._fact(requirement, tail=self._chance(0.35))

    def _joined(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            text += self.draw.choice(phrases()["answers"]["joins"]) + part
        return text

    def _fitting(self, tell: Callable[[list[Requirement]], str], facts: list[Requirement], room: int) -> str:
        """`tell(facts)`, with as many of the facts as `room` words hold."""
        text = tell(facts)
        while facts and len(text.split()) > room:
            facts = facts[:-1]
            text = tell(facts)
        return text
