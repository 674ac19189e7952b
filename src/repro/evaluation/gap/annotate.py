"""What does a user do in a conversation, in the words of a language model?

The six facets of arXiv 2605.07847, asked for one by one through any `ChatModel` with prompts of our own (`prompts/`),
each as a JSON object that is held to a schema: by the endpoint where it can, and by us in any case. What is not JSON is
repaired if that is possible, and the row says so; an answer that does not fit is asked for again, a few times. What
then still does not fit is unscored: it is counted, and asked for anew in the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from importlib import resources
from pathlib import Path

from ...errors import ReproError
from ...models.base import ChatModel, Sampling
from ...models.hashes import cache_path
from ...models.load import load_model
from ...scoring.asking import Asker, Question
from ...types import Turn
from .answers import LABELS, read_answer, schema_of
from .conversations import Conversation
from .facets import FACETS, Annotator, LexicalFacets

# temperature and top_p: arXiv 2605.07847. Its top_k and presence penalty are not known to every endpoint.
SAMPLING = Sampling(temperature=0.7, top_p=0.8, max_tokens=500)
MOST_CHARACTERS = 2048  # of an assistant's turn; as arXiv 2605.09808 cuts them for its intents
_SEES_BOTH = ("responses", "damsl", "sgd")  # arXiv 2605.07847: the other facets see the user's turns only


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
        rows = self.asker.ask(questions(conversations, [facet]), label=f"{self.name}, {facet}")
        return [str(row["text"]) for row in rows]

    @cached_property
    def asker(self) -> Asker:
        return Asker(self.model, Path(self.path), self.sampling, n_tries=self.n_tries, seed=self.seed)


def questions(conversations: Sequence[Conversation], facets: Sequence[str] = FACETS) -> list[Question]:
    """All that is asked about some conversations, facet by facet."""
    return [_question(one, facet) for facet in facets for one in conversations]


def _question(one: Conversation, facet: str) -> Question:
    read = partial(read_answer, facet=facet, n_turns=len(one.user_turns))
    about = {"id": one.id, "facet": facet}
    return Question(prompt("annotator"), question(one, facet), schema_of(facet), read, about)


def load_annotator(
    spec: str = "lexical", *, notes: str | Path | None = None, load: Callable[[str], ChatModel] = load_model
) -> Annotator:
    """The rules, by the name "lexical", or the model that `load` finds; `notes` is where its answers are kept."""
    if spec == "lexical":
        return LexicalFacets()
    return LLMFacets(load(spec), notes or cache_path() / "facets.jsonl")


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
