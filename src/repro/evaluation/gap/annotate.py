"""What does a user do in a conversation, in the words of a language model?

The six facets of arXiv 2605.07847, asked for one by one through any `ChatModel` with prompts of our own (`prompts/`),
each as a JSON object that is held to a schema: by the endpoint where it can, and by us in any case. What is not JSON is
repaired if that is possible, and the row says so; an answer that does not fit is asked for again, a few times. What
then still does not fit is unscored: it is counted, and asked for anew in the next run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from ...errors import ReproError, one_line
from ...models.base import ChatModel, Sampling
from ...models.hashes import cache_path, digest
from ...models.load import load_model
from ...rollouts.store import append_rows, read_rows
from ...seeds import derive
from ...types import Turn
from .answers import LABELS, Answer, read_answer, schema_of
from .conversations import Conversation
from .facets import FACETS, Annotator, LexicalFacets

# temperature and top_p: arXiv 2605.07847. Its top_k and presence penalty are not known to every endpoint.
SAMPLING = Sampling(temperature=0.7, top_p=0.8, max_tokens=500)
BATCH_SIZE = 64
MOST_CHARACTERS = 2048  # of an assistant's turn; as arXiv 2605.09808 cuts them for its intents
_SEES_BOTH = ("responses", "damsl", "sgd")  # arXiv 2605.07847: the other facets see the user's turns only
Row = dict[str, Any]


@dataclass(frozen=True)
class LLMFacets:
    """An `Annotator` that asks a model. Answers are kept in `path`, a JSONL file that several models may share."""

    model: ChatModel
    path: str | Path
    sampling: Sampling = SAMPLING
    n_tries: int = 3
    seed: int = 0

    @property
    def name(self) -> str:
        return self.model.name

    def annotate(
        self, conversations: Sequence[Conversation], facets: Sequence[str] = FACETS
    ) -> list[dict[str, str] | None]:
        """A text for each of `facets`, one dict a conversation in order; None where any of them failed."""
        if unknown := sorted({*facets} - {*FACETS}):
            raise ReproError(f"no facet '{unknown[0]}'; have {', '.join(FACETS)}")
        told = {facet: self._told(conversations, facet) for facet in facets}
        rows = [{facet: told[facet][i] for facet in facets} for i in range(len(conversations))]
        return [row if all(row.values()) else None for row in rows]

    def _told(self, conversations: Sequence[Conversation], facet: str) -> list[str]:
        """What is said of each conversation; "" where that failed."""
        from tqdm import tqdm

        keys, texts = [self._key(one, facet) for one in conversations], self._kept
        todo = [(key, one) for key, one in dict(zip(keys, conversations, strict=True)).items() if key not in texts]
        parts = [dict(todo[i : i + BATCH_SIZE]) for i in range(0, len(todo), BATCH_SIZE)]
        for part in tqdm(parts, desc=f"{self.name}, {facet}", unit="batch", disable=not parts):
            rows = self._answered(part, facet)
            append_rows(Path(self.path), rows)
            texts |= {row["key"]: row["text"] for row in rows if row["text"]}
        return [texts.get(key, "") for key in keys]

    @cached_property
    def _kept(self) -> dict[str, str]:
        """What was said so far, by key: the file is read once."""
        return {row["key"]: row["text"] for row in read_rows(Path(self.path)) if row.get("text")}

    def _answered(self, part: Mapping[str, Conversation], facet: str) -> list[Row]:
        """A row for each conversation: asked for again, with another seed, until an answer fits."""
        rows: dict[str, Row] = {}
        for trial in range(1, self.n_tries + 1):
            left = {key: one for key, one in part.items() if key not in rows or not rows[key]["text"]}
            answers = self._ask([*left.values()], facet, [derive(self.seed, key, trial) for key in left])
            for (key, one), answer in zip(left.items(), answers, strict=True):
                rows[key] = {"key": key, "id": one.id, "facet": facet, "tries": trial, **asdict(answer)}
        return [*rows.values()]

    def _ask(self, conversations: Sequence[Conversation], facet: str, seeds: Sequence[int]) -> list[Answer]:
        """What the model says of each; a conversation that it cannot take costs nobody else theirs."""
        if not conversations:
            return []
        held = getattr(self.model, "held_to", None)
        model: ChatModel = held(schema_of(facet)) if held else self.model
        contexts = [[Turn("system", prompt("annotator")), Turn("user", question(one, facet))] for one in conversations]
        try:
            turns = model.generate(contexts, sampling=self.sampling, seeds=seeds)
        except ReproError:
            raise
        except Exception as error:
            if len(conversations) == 1:
                return [Answer(reason=one_line(error))]
            return [self._ask([one], facet, [seed])[0] for one, seed in zip(conversations, seeds, strict=True)]
        counts = [len(one.user_turns) for one in conversations]
        return [read_answer(turn.text, facet, n_turns=n) for turn, n in zip(turns, counts, strict=True)]

    def _key(self, one: Conversation, facet: str) -> str:
        asked = [prompt("annotator"), question(one, facet), schema_of(facet)]
        return digest([self.name, asdict(self.sampling), self.seed, self.n_tries, *asked])


def load_annotator(spec: str = "lexical", *, notes: str | Path | None = None) -> Annotator:
    """The rules, by the name "lexical", or the model that `load_model` finds; `notes` is where its answers are kept."""
    if spec == "lexical":
        return LexicalFacets()
    return LLMFacets(load_model(spec), notes or cache_path() / "facets.jsonl")


@cache
def prompt(name: str) -> str:
    """The text of `prompts/<name>.txt`."""
    return (resources.files(__package__) / "prompts" / f"{name}.txt").read_text("utf-8").strip()


def question(one: Conversation, facet: str) -> str:
    """What the model is asked about a conversation."""
    both = facet in _SEES_BOTH
    said = [_line(turn, both) for turn in one.turns if turn.role == "user" or (both and turn.role == "assistant")]
    text = prompt(facet).replace("{labels}", ", ".join(LABELS.get(facet, ()))).replace("{n}", str(len(one.user_turns)))
    return text.replace("{turns}", "\n".join(said))


def _line(turn: Turn, both: bool) -> str:
    text = turn.text if turn.role == "user" else turn.text[:MOST_CHARACTERS]
    return f"{'Person' if turn.role == 'user' else 'Assistant'}: {text}" if both else f"- {text}"
