"""What should an assistant be able to do before it learns from users?

A small model cannot hold the task as it comes, so it is first shown scripted dialogues with reference users of the
train split: ask in the first turn or not, then write a short document that copies what the user said. The script is no
ideal: it often guesses where it should ask, forgets one value in eight and sometimes invents one, so that learning
from users has something to mend.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from random import Random
from typing import Any

from repro.data import acts
from repro.data.population import decoy_of, talkative
from repro.data.tasks import RULES, doc_types, make_tasks
from repro.data.values import draw as draw_value
from repro.data.values import slots
from repro.seeds import derive, rng
from repro.simulators.reference import ReferenceUsers
from repro.simulators.wording import bare, is_clause, request_of, with_article
from repro.types import Requirement, Task, Trajectory, Turn

P_ASKS = 0.6  # ours: in turn 1; at temperature 0.7 the model asks less than half as often as its script
P_ASKS_LATER = 0.06  # ours
P_GENERIC = 0.3  # ours: "What details should I include?" instead of naming things
P_FORGETS = 0.12  # ours: each value in each document
P_INVENTS = 0.10  # ours: each dialogue
TALKATIVE = 0.25  # ours: share of dialogues with much to copy
MAX_TURNS = 3  # assistant turns, as in training
LONG = 52  # words; ours: documents stay near 70 tokens


def scripted_reply(task: Task, dialogue: Sequence[Turn], *, seed: int) -> str:
    """The script's next turn: a question, or a document with what the user has stated so far."""
    n_before = sum(turn.role == "assistant" for turn in dialogue)
    dice = Random(derive(seed, task.id, "assistant", n_before))
    stated = stated_by_user(task, dialogue)
    if dice.random() < (P_ASKS_LATER if n_before else P_ASKS):
        return _question(task, stated, dice)
    kept = [r for r in stated if r.kind in RULES or dice.random() >= P_FORGETS]
    version = n_before if n_before and len(stated) == len(stated_by_user(task, dialogue[:-1])) else 0
    return document(task, [*kept, *_invented(task, stated, seed)], seed=derive(seed, version))


def warmup_dialogues(n: int, *, seed: int, p_talkative: float = TALKATIVE) -> list[Trajectory]:
    """`n` dialogues on train tasks, one a task; a quarter of the users are talkative unless said otherwise."""
    plain, open_hearted = ReferenceUsers(), ReferenceUsers(talkative)
    tasks = make_tasks(n, split="train", seed=seed)
    return [
        _roll(t, open_hearted if Random(derive(seed, t.id, "talk")).random() < p_talkative else plain, seed)
        for t in tasks
    ]


def stated_by_user(task: Task, dialogue: Sequence[Turn]) -> list[Requirement]:
    """What the user has said, with the value they said last: a first thought counts until it is corrected."""
    said = "\n".join(turn.text for turn in dialogue if turn.role == "user")
    decoy = decoy_of(task)
    stated = []
    for r in task.requirements:
        if acts.mentions(r, said):
            stated.append(r)
        elif decoy is not None and decoy.key == r.key and acts.mentions(decoy, said):
            stated.append(decoy)
    return stated


def document(task: Task, facts: Sequence[Requirement], *, seed: int) -> str:
    """A short document that holds every fact and keeps every rule in `facts`. The same seed gives the same wording."""
    return _Writer(task, facts, seed).text()


class _Writer:
    """One document in the making. Each part is drawn by its own name: a redraft changes only what was asked for."""

    def __init__(self, task: Task, facts: Sequence[Requirement], seed: int) -> None:
        self.task, self.seed = task, seed
        self.facts = {r.key: r for r in facts}
        self.letter = doc_types()[task.doc_type].letter
        self.domain = task.domain if task.domain in _write()["openings"] else "other"

    def text(self) -> str:
        in_head, head = self._head()
        in_tail, tail = self._tail()
        body = [
            self._sentence(r) for r in self.facts.values() if r.kind not in RULES and r.key not in (in_head, in_tail)
        ]
        self._dice("order").shuffle(body)
        body = self._padded(body, room=self._limit() - len(f"{head} {tail}".split()))
        gap = "\n" if self._chance("lines", 0.6) else " "
        text = gap.join(part for part in (head, " ".join(body), tail) if part)
        return text.replace("!", ".") if "no_exclamation" in self.facts else text

    def _head(self) -> tuple[str, str]:
        """The key told in the first line, if any, and the line."""
        greeting, recipient = self.facts.get("greeting"), self.facts.get("recipient")
        if greeting:
            return "", f"{greeting.value},"
        if recipient and self.letter and self._chance("dear", 0.75):
            return "recipient", self._pick("greeting", _write()["greetings"]["one"], v=recipient.value)
        if self.letter and self._chance("greets", 0.6):
            return "", self._pick("greeting", _write()["greetings"]["all"])
        name = bare(request_of(self.task))
        return "", self._allowed([name[:1].upper() + name[1:]])[0] if self._chance("title", 0.5) else ""

    def _tail(self) -> tuple[str, str]:
        """The key told in the last line, if any, and the line."""
        rule, sender = self.facts.get("sign_off"), self.facts.get("sender")
        if not rule and not (self.letter and self._chance("signs", 0.9 if sender else 0.4)):
            return "", ""
        words = rule.value if rule else self._pick("sign_off", _write()["sign_offs"])
        return (
            ("sender", f"{words},\n{sender.value}")
            if sender
            else ("", words if rule and self._chance("bare", 0.3) else f"{words}.")
        )

    def _padded(self, body: list[str], *, room: int) -> list[str]:
        """The facts with an opening, a closing and general sentences around them, as far as the length allows."""
        n_fillers = max(0, 2 - len(body)) + self._chance("filler", 0.3)
        fillers = self._dice("fillers").sample(_write()["fillers"][self.domain], k=min(2, n_fillers))
        purposes = _write()["openings"][self.domain] if self._chance("open", 0.8) else _write()["purposes"]
        extra = [("first", self._pick("opening", purposes))]
        extra += [("last", s) for s in self._allowed(fillers)] + [("last", self._pick("closing", _write()["closings"]))]
        for where, sentence in extra:
            if sentence and len(" ".join([*body, sentence]).split()) <= room:
                body = [sentence, *body] if where == "first" else [*body, sentence]
        return body

    def _sentence(self, fact: Requirement) -> str:
        ways = list(_write()["sentences"][fact.key])
        if fact.label != slots()[fact.key].label:
            ways += 2 * list(_write()["labelled"]["clause" if is_clause(fact.label) else "noun"])
        label = fact.label
        sentence = self._pick(
            fact.key, ways, v=fact.value, a=with_article(fact.value), label=label, Label=label[:1].upper() + label[1:]
        )
        return sentence[:1].upper() + sentence[1:] if sentence else f"{fact.value}."

    def _limit(self) -> int:
        return min(LONG, int(self.facts["max_words"].value) if "max_words" in self.facts else LONG)

    def _pick(self, name: str, ways: Sequence[str], **values: str) -> str:
        request = request_of(self.task)
        filled = [str(way).format(request=request, bare=bare(request), **values) for way in ways]
        return self._dice(name).choice(self._allowed(filled))

    def _allowed(self, sentences: Sequence[str]) -> list[str]:
        """Those without the word to avoid; [""] if none is left."""
        avoid = self.facts.get("avoid_word")
        if avoid is None:
            return list(sentences)
        return [s for s in sentences if avoid.value.lower() not in s.lower()] or [""]

    def _chance(self, name: str, p: float) -> bool:
        return self._dice(name).random() < p

    def _dice(self, name: str) -> Random:
        return Random(derive(self.seed, self.task.id, "document", name))


def _question(task: Task, stated: Sequence[Requirement], dice: Random) -> str:
    """A short question about one to three things that fit the type of document, or an open one."""
    ask = _write()["ask"]
    lead = dice.choice(ask["lead"])
    said = {r.key for r in stated}
    kind = doc_types()[task.doc_type]
    open_keys = [key for key in kind.slots if key not in said]
    if not open_keys or dice.random() < P_GENERIC:
        return f"{lead}{dice.choice(ask['generic'])}"
    keys = dice.sample(open_keys, k=min(len(open_keys), dice.choice((1, 2, 2, 3, 3))))
    if dice.random() < 0.4 and all(kind.slot(key).label == slots()[key].label for key in keys):
        return str(lead + " ".join(dice.choice(ask["direct"][key]) for key in keys))
    labels = [acts.second_person(kind.slot(key).label) for key in keys]
    return str(lead + dice.choice(ask["listed"]).format(list=_listed(labels)))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _invented(task: Task, stated: Sequence[Requirement], seed: int) -> list[Requirement]:
    """Now and then, a value for something the user has not said."""
    dice = Random(derive(seed, task.id, "invent"))
    kind, said = doc_types()[task.doc_type], {r.key for r in stated}
    slot = kind.slot(dice.choice(kind.slots))
    if dice.random() >= P_INVENTS or slot.key in said:
        return []
    return [Requirement(slot.key, slot.kind, draw_value(slot, "train", rng(seed, task.id, "invent")), slot.label)]


def _roll(task: Task, user: ReferenceUsers, seed: int) -> Trajectory:
    turns: list[Turn] = []
    for _ in range(MAX_TURNS):
        turns += user.reply([task], [turns], seed=seed)
        if turns[-1].ends:
            return Trajectory(task, tuple(turns), user.name, "scripted", seed, "user_ended")
        turns.append(Turn("assistant", scripted_reply(task, turns, seed=seed)))
    return Trajectory(task, tuple(turns), user.name, "scripted", seed, "max_turns")


@lru_cache(maxsize=1)
def _write() -> dict[str, Any]:
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(resources.files("repro.training").joinpath("write.yaml").read_text("utf-8"))
    return loaded
