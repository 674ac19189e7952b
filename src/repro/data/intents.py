"""What did this person come for?

arXiv 2605.09808 conditions a user language model on one sentence per conversation, written by a strong language model
from three examples, at temperature 0.7 and top_p 0.9, with the assistant's turns cut at 2,048 characters. `summarised`
does that through any `ChatModel`, with a prompt of ours (`intents.txt`); answers are kept as they come, so that it may
be stopped at any time. `stated` needs no model: it puts the corpus's own words for the intent into the papers' form.
Where a corpus has none it falls back on a sentence that says nothing, never on the person's own words, because a user
model that is told what it is about to say is not a user model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from repro.data.corpora import Corpus, Step
from repro.data.lines import append_rows, read_rows
from repro.errors import ReproError
from repro.models.base import ChatModel, Sampling, identity_of
from repro.models.hashes import digest
from repro.seeds import derive
from repro.types import Task, Turn

BEGINS = "You are a user chatting with an assistant language model to"  # arXiv 2605.09808
SAMPLING = Sampling(temperature=0.7, top_p=0.9, max_tokens=80)  # arXiv 2605.09808; the length is ours
UNKNOWN = f"{BEGINS} get help."
MOST_CHARACTERS = 2048  # of an assistant's turn: arXiv 2605.09808
MOST_OF_A_USER = 8192  # characters. ours: the paper cuts no user turn, but a pasted book fits no model
N_TRIES = 2  # ours
BATCH_SIZE = 64
NO_ANSWER = "whose intent no try gave a sentence for"


def stated(corpus: Corpus) -> Corpus:
    """The corpus with its own intents in the papers' form; those without one get `UNKNOWN`, and are counted."""
    intents = [_in_form(text) for text in corpus.column("intent")]
    n_unknown = intents.count(UNKNOWN)
    name = f"intents as stated ({n_unknown:,} not stated)" if n_unknown else "intents as stated"
    return _with(corpus, intents, name)


def _in_form(text: str) -> str:
    """`Letter: Write a letter to a friend` -> `You are a user ... to write a letter to a friend.`"""
    text = " ".join(text.split())
    if not text or text.startswith(BEGINS):
        return text or UNKNOWN
    aim = re.sub(r"^[A-Z][\w /&'-]{0,40}: +(?=[A-Z])", "", text)  # a title before the request
    aim = aim[0].lower() + aim[1:] if aim[1:2].islower() else aim
    return f"{BEGINS} {aim.rstrip(' .')}."


@dataclass(frozen=True)
class _Asker:
    """Asks for sentences and keeps them."""

    model: ChatModel
    path: Path
    seed: int

    @cached_property
    def identity(self) -> str:
        return identity_of(self.model)

    def key(self, task: Task) -> str:
        """The answer depends on the model, how it is sampled, and what it reads."""
        return digest([self.identity, asdict(SAMPLING), self.seed, prompt(), question(task)])

    def ask(self, tasks: Mapping[str, Task]) -> dict[str, str]:
        """Sentences by key, of those that answered in form within `N_TRIES`; written down before they are returned."""
        found: dict[str, str] = {}
        for attempt in range(N_TRIES):
            left = {key: task for key, task in tasks.items() if key not in found}
            seeds = [derive(self.seed, key, attempt) for key in left]
            texts = self._draw(list(left.values()), seeds)
            found |= {key: text for key, text in zip(left, texts, strict=True) if text}
        append_rows(self.path, [{"key": key, "intent": text} for key, text in found.items()])
        return found

    def _draw(self, tasks: Sequence[Task], seeds: Sequence[int]) -> list[str]:
        """A sentence each, "" where there is none; a conversation that the model cannot take costs no other."""
        if not tasks:
            return []
        contexts = [[Turn("system", prompt()), Turn("user", question(task))] for task in tasks]
        try:
            turns = self.model.generate(contexts, sampling=SAMPLING, seeds=seeds)
        except ReproError:
            raise
        except Exception:  # an endpoint's refusal, or a dialogue too long to be read
            if len(tasks) == 1:
                return [""]
            return [self._draw([task], [seed])[0] for task, seed in zip(tasks, seeds, strict=True)]
        return [sentence(turn.text) for turn in turns]


def summarised(corpus: Corpus, model: ChatModel, *, path: str | Path, seed: int = 0) -> Corpus:
    """The corpus with intents that `model` writes; conversations that got none are left out, and counted.

    `path` is an append-only JSONL file: what it holds is not asked for again, whatever order the rows are in.
    """
    from tqdm import tqdm

    asker = _Asker(model, Path(path), seed)
    known = {str(row["key"]): str(row["intent"]) for row in read_rows(Path(path)) if row.get("intent")}
    intents: list[str] = []
    n_asked = 0
    for start in tqdm(range(0, len(corpus), BATCH_SIZE), desc=f"intents by {model.name}", unit="batch"):
        part = corpus.rows.select(range(start, min(start + BATCH_SIZE, len(corpus))))
        tasks = {asker.key(task): task for task in Corpus(part)}
        todo = {key: task for key, task in tasks.items() if key not in known}
        n_asked += len(todo)
        known |= asker.ask(todo) if todo else {}
        intents += [known.get(asker.key(task), "") for task in Corpus(part)]
    return _with(corpus, intents, f"intents by {model.name} ({n_asked:,} asked now)")


def sentence(text: str) -> str:
    """The sentence in a model's answer, "" where there is none in form."""
    found = re.search(re.escape(BEGINS) + r" \S[^\n]*", text)
    if not found:
        return ""
    whole = re.split(r"(?<=[.!?])\s", found[0], maxsplit=1)[0].strip().rstrip('"')
    return whole if whole.endswith(".") else f"{whole}."


def prompt() -> str:
    return (Path(__file__).parent / "intents.txt").read_text("utf-8").strip()


def question(task: Task) -> str:
    """The conversation as the model reads it."""
    names = {"user": ("Person", MOST_OF_A_USER), "assistant": ("Assistant", MOST_CHARACTERS)}
    said = [(*names[turn.role], turn.text) for turn in task.human or ()]
    return "\n".join([*(f"{name}: {text[:most]}" for name, most, text in said), "Sentence:"])


def _with(corpus: Corpus, intents: Sequence[str], name: str) -> Corpus:
    """The rows that have an intent, with it."""
    kept = [i for i, intent in enumerate(intents) if intent]
    rows = corpus.rows.select(kept).remove_columns("intent").add_column("intent", [intents[i] for i in kept])
    dropped = Counter({NO_ANSWER: len(intents) - len(kept)} if len(kept) < len(intents) else {})
    return Corpus(rows, (*corpus.steps, Step(name, len(intents), len(kept), dropped)))
