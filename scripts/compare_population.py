"""How do reference users differ from people?

Prints a markdown table of marginals: reference users in saved dialogues (`--dialogues`, a `TrajectoryStore` file),
reference users with the scripted assistant (no model is needed), and people in a file of conversations, one JSON object
a line with `messages` and, where known, `user_id`, `intent` and `private_context` (a list of `{"question", "answer"}`:
what the person had in mind). Intervals are 95%, from a bootstrap by user. Only aggregates are printed.

    python scripts/compare_population.py CONVERSATIONS.jsonl --dialogues DIALOGUES.jsonl

What people wanted is known as free text only, so a proxy reads how much of it they have said: an item counts as soon as
one of its content words is said (three letters or more or a number, no stop word, not in the intent). One word of many
is soon said, so the proxy is high where items are long; a strict one asks for half of them. Both are applied to
reference users as well, to the values of their requirements.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import string
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from repro.data import acts
from repro.data.requirements import CHECKERS
from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.evaluation.stats import LEVEL, estimate
from repro.rollouts.store import TrajectoryStore
from repro.seeds import rng
from repro.simulators.reference import ReferenceUsers
from repro.training.warmup import scripted_reply
from repro.types import Estimate, Requirement, Task, Trajectory, Turn

SCRIPT = "scripted"  # the name of the scripted assistant
NO_LIMIT = 12  # assistant turns: more than the patience of any reference user
QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
GREETING = re.compile(r"\W*(?:hi+|hey+|hello\w*|good (?:morning|afternoon|evening))(?: there)?\W*", re.I)
_PRAISE = r"perfect|great|nice|good|lovely|awesome|excellent|love it|exactly|that works"
PLEASED = re.compile(rf"\b(?:thank(?:s| you)|thx|ty|cheers|appreciate|{_PRAISE})\b", re.I)
ORDER = re.compile(r"(?i)\?|\b(?:can|could|would|please|but|add|make|change|remove|include|rewrite|write|need|want)\b")
_STOP_WORDS = """
about after again all also and any are because been before being both but can could did does doing each few for from get
had has have having her him his how into its just let like make more most much not now off only other our out over own
really same she should some such than that the their them then there these they thing this those through too until use
very want was way well were what when where which while who why will with would you your feel help know might need one
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
Values = list[float]  # of one dialogue: one per turn, per item, or one alone; NaN is unscored
Measure = Callable[[Trajectory], Values]


def reference_dialogues(n: int, *, seed: int) -> list[Trajectory]:
    """`n` held-out reference users, each with an own task, with the scripted assistant until they leave."""
    return [_talk(task, ReferenceUsers(), seed) for task in make_tasks(n, split="eval", seed=seed)]


def _talk(task: Task, users: ReferenceUsers, seed: int) -> Trajectory:
    turns: list[Turn] = []
    for _ in range(NO_LIMIT):
        turns += users.reply([task], [turns], seed=seed)
        if turns[-1].ends:
            return Trajectory(task, tuple(turns), users.name, SCRIPT, seed, "user_ended")
        turns.append(Turn("assistant", scripted_reply(task, turns, seed=seed)))
    return Trajectory(task, tuple(turns), users.name, SCRIPT, seed, "max_turns")


def first_part(t: Trajectory, max_turns: int) -> Trajectory:
    """The dialogue as it would have been with at most so many assistant turns."""
    return t if len(t.turns) <= 2 * max_turns else replace(t, turns=t.turns[: 2 * max_turns], stop="max_turns")


def saved_dialogues(path: Path) -> list[Trajectory]:
    """The dialogues of a `TrajectoryStore` file, without those that failed."""
    found = [dialogue for dialogue in TrajectoryStore(path).read().values() if not dialogue.error]
    if not found:
        raise ReproError(f"no dialogues in {path}; give a file that repro.rollout wrote through a TrajectoryStore")
    return found


def people(path: Path) -> list[Trajectory]:
    """The conversations of a `messages` file. What a person had in mind stands where a task has requirements."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = [_person(line, f"line {i} of {path}") for i, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise ReproError(f"no conversations in {path}; give a JSONL file with one a line, its turns under `messages`")
    return found


def _person(line: str, where: str) -> Trajectory:
    try:
        row: dict[str, Any] = json.loads(line)
        turns = tuple(Turn(m["role"], m["content"]) for m in row["messages"] if m["role"] in ("user", "assistant"))
    except (ValueError, KeyError, TypeError):
        raise ReproError(f"{where} has no `messages` with `role` and `content`; give one JSON object a line") from None
    wishes = [item["answer"] for item in row.get("private_context") or [] if item["answer"].strip()]
    wanted = tuple(Requirement(f"wish_{i}", "words", wish, "a wish") for i, wish in enumerate(wishes))  # no checker
    task = Task(row.get("id", where), row.get("user_id", where), row.get("intent", ""), wanted)
    return Trajectory(task, turns, "people", row.get("assistant_model", ""), 0, "user_ended")


def asks(text: str) -> bool:
    return bool(acts.question_of(text))


def said(t: Trajectory) -> list[str]:  # a silent leave is no message
    return [turn.text for turn in t.user_turns if turn.text.strip()]


def n_words(t: Trajectory) -> Values:
    return [float(len(text.split())) for text in said(t)]


def content_words(text: str) -> set[str]:
    """Words that say something: no stop word, three letters or more or a number, without a plural s."""
    return {word.removesuffix("s") for word in re.findall(r"[a-z]{3,}|\d+", text.lower()) if word not in STOP_WORDS}


def stated(texts: Sequence[str], task: Task, *, share: float = 0.0) -> Values:
    """Per item wanted: a content word was said (`share=0`), or at least that share of them. No such word: unscored."""
    heard = content_words("\n".join(texts))
    wishes = [content_words(r.value) - content_words(task.intent) for r in task.requirements]
    return [float(bool(w & heard) and len(w & heard) >= share * len(w)) if w else math.nan for w in wishes]


def stated_exactly(texts: Sequence[str], task: Task) -> Values:
    """Per requirement that a checker can read: it was stated."""
    return [float(acts.mentions(r, "\n".join(texts))) for r in task.requirements if r.kind in CHECKERS]


def mean_of(values: Values) -> Values:
    """The mean of what is scored, as the one value of a dialogue."""
    scored = [value for value in values if not math.isnan(value)]
    return [float(np.mean(scored))] if scored else [math.nan]


def replies(t: Trajectory) -> Iterator[tuple[str, str, list[str]]]:
    """Each assistant message that got a reply, the reply, and what the user had said before it."""
    for i, (heard, reply) in enumerate(pairwise(t.turns)):
        if heard.role == "assistant" and reply.role == "user" and reply.text.strip():
            yield heard.text, reply.text, [turn.text for turn in t.turns[:i] if turn.role == "user"]


def brings_news(t: Trajectory, *, asked: bool) -> Values:
    """Per reply to a question, or to a message without one: it is the first to touch a wanted item (by the proxy)."""
    return [
        float(any(new > old for old, new in zip(stated(before, t.task), stated([reply], t.task), strict=True)))
        for heard, reply, before in replies(t)
        if asks(heard) == asked
    ]


def answered(t: Trajectory) -> Values:
    """Per requirement asked for by name, not stated before, and replied to: the reply states it."""
    open_ones = [(heard, reply, before, r) for heard, reply, before in replies(t) for r in t.task.requirements]
    return [
        float(acts.mentions(r, reply))
        for heard, reply, before, r in open_ones
        if r.kind in CHECKERS and r.key in acts.asked_keys(heard, t.task) and not acts.mentions(r, "\n".join(before))
    ]


def ending(t: Trajectory) -> str:
    """thanks (or praise, asking for nothing), silent (no reply to the last message), words (other ones) or cut off."""
    last = said(t)[-1].lower() if len(said(t)) > 1 else ""  # thanks in advance are no goodbye
    for wish in t.task.requirements:
        last = last.replace(wish.value.lower(), "")  # nor is "sign it with many thanks"
    if PLEASED.search(last) and not ORDER.search(last) and len(last.split()) <= 20:
        return "thanks"
    if t.stop == "max_turns":
        return "cut off"
    return "words" if t.turns[-1].role == "user" and t.turns[-1].text.strip() else "silent"


def vocabulary(dialogues: Sequence[Trajectory]) -> frozenset[str]:
    """The words of assistants that can spell: those of people, and the script."""
    can_spell = [t for t in dialogues if t.user == "people" or t.assistant == SCRIPT]
    return frozenset(re.findall("[a-z]+", " ".join(turn.text for t in can_spell for turn in t.assistant_turns).lower()))


def slips(t: Trajectory, known: frozenset[str]) -> Values:
    """Per lower-case word of five letters or more: 100 if it is not a known word and one slip away from one, or 0."""
    words = re.findall(r"(?<![\w'])[a-z]{5,}(?![\w'])", "\n".join(said(t)))
    return [100.0 * (word not in known and not known.isdisjoint(_mended(word))) for word in words]


def _mended(word: str) -> Iterator[str]:
    """What may have been meant: a doubled letter single, two neighbours swapped, a letter put back inside."""
    for i in range(1, len(word) - 1):
        if word[i] in (word[i - 1], word[i + 1]):
            yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        yield from (word[: i + 1] + letter + word[i + 1 :] for letter in string.ascii_lowercase)


def mean(dialogues: Sequence[Trajectory], measure: Measure) -> Estimate:
    """The mean over all values, with an interval that resamples users."""
    rows = [(value, t.task.user_id) for t in dialogues for value in measure(t)]
    return estimate([value for value, _ in rows], [user for _, user in rows])


def quantile(dialogues: Sequence[Trajectory], measure: Measure, q: float) -> Estimate:
    """A quantile over all values (the lowest with at least `q` at or below it), with users resampled."""
    rows = sorted((value, t.task.user_id) for t in dialogues for value in measure(t))
    if not rows:
        return estimate([])
    values = np.array([value for value, _ in rows])
    users, owner = np.unique([user for _, user in rows], return_inverse=True)
    draws = rng(0, "quantile").integers(0, len(users), (2000, len(users)))
    counts = np.stack([np.ones(len(users), int), *(np.bincount(draw, minlength=len(users)) for draw in draws)])
    weights = counts[:, owner].cumsum(axis=1)  # (1 + B, values)
    found = values[(weights < q * weights[:, -1:]).sum(axis=1)]
    low, high = np.quantile(found[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(found[0]), float(low), float(high), len(rows), 0, len(users))


def difference(dialogues: Sequence[Trajectory]) -> Estimate:
    """Mean pairwise unigram difference of first turns: 1 - Jaccard of word sets (arXiv 2510.06552).

    For the interval: this mean over pairs is a U-statistic; with h_i the mean over the pairs of dialogue i, the values
    2 h_i - U have the mean U and, to first order, the variance of U.
    """
    words = [(set(said(t)[0].lower().split()), t.task.user_id) for t in dialogues if said(t)]
    if len(words) < 2:
        return estimate([])
    apart = np.array([[1 - len(a & b) / max(1, len(a | b)) for b, _ in words] for a, _ in words])
    h = apart.sum(axis=1) / (len(words) - 1)  # the distance to itself is 0
    return estimate(list(2 * h - h.mean()), [user for _, user in words])


def measures(known: frozenset[str]) -> dict[str, Measure]:  # known: words that are no slips
    return {
        "user turns per conversation": lambda t: [float(len(said(t)))],
        "words per user turn": n_words,
        "words in the first turn": lambda t: n_words(t)[:1],
        "first turn only greets": lambda t: [float(bool(GREETING.fullmatch(text))) for text in said(t)[:1]],
        "wanted, said in turn 1: exact": lambda t: mean_of(stated_exactly(said(t)[:1], t.task)),
        "wanted, said in turn 1: proxy, any word": lambda t: mean_of(stated(said(t)[:1], t.task)),
        "wanted, said in turn 1: proxy, half": lambda t: mean_of(stated(said(t)[:1], t.task, share=0.5)),
        "wanted, said by the end: exact": lambda t: mean_of(stated_exactly(said(t), t.task)),
        "wanted, said by the end: proxy, any word": lambda t: mean_of(stated(said(t), t.task)),
        "wanted, said by the end: proxy, half": lambda t: mean_of(stated(said(t), t.task, share=0.5)),
        "assistant turns that end in a question": lambda t: [asks(turn.text) for turn in t.assistant_turns],
        "asked for by name, said in reply: exact": answered,
        "reply says something new, after a question: proxy": lambda t: brings_news(t, asked=True),
        "reply says something new, after no question: proxy": lambda t: brings_news(t, asked=False),
        "user turns all in lower case": lambda t: [float(text == text.lower()) for text in said(t)],
        "slips of the keyboard per 100 words: proxy": lambda t: slips(t, known),
        "ends with thanks or praise": lambda t: [float(ending(t) == "thanks")],
        "ends in silence": lambda t: [float(ending(t) == "silent")],
        "ends with other words": lambda t: [float(ending(t) == "words")],
        "cut off by the limit of turns": lambda t: [float(ending(t) == "cut off")],
    }


def table(columns: Mapping[str, Sequence[Trajectory]], known: frozenset[str]) -> str:
    """The markdown table: a row a measure, a column a population; a dash where nothing could be scored."""
    rows: dict[str, Callable[[Sequence[Trajectory]], Estimate]] = {}
    for name, measure in measures(known).items():
        rows[name] = partial(mean, measure=measure)
        quartiles = QUARTILES if name.startswith("words") else {}
        rows |= {f"{name}, {part}": partial(quantile, measure=measure, q=q) for part, q in quartiles.items()}
    rows["first turns, mean pairwise unigram difference"] = difference
    lines = [["measure", *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *(str(e) if e.n else "-" for e in map(row, columns.values()))] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("conversations", type=Path, help="JSONL, one conversation a line under `messages`")
    parser.add_argument("--dialogues", type=Path, help="saved dialogues of reference users with a model")
    parser.add_argument("--n", type=int, default=500, help="reference users with the scripted assistant")
    parser.add_argument("--max-turns", type=int, default=3, help="assistant turns in training and study")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    name = f"reference users, script, at most {args.max_turns} turns"
    try:
        first = {"reference users, model": saved_dialogues(args.dialogues)} if args.dialogues else {}
        whole = reference_dialogues(args.n, seed=args.seed)
        capped = [first_part(t, args.max_turns) for t in whole]
        columns = {**first, name: capped, "the same, no limit": whole, "people": people(args.conversations)}
        print(table(columns, vocabulary([t for dialogues in columns.values() for t in dialogues])))
    except ReproError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
