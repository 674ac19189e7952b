"""What makes rollouts faster, and by how much?

The same conversations as they are held now, and with one help after the other taken away: rows of like length read
together, and once what all begin with; what was read kept between turns; weights in oneDNN's order; attention that does
not repeat keys (`--first` so many of these). Compared are tokens a second: how many times as fast is it with each?

    python benchmarks/helps.py --conversations 16
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from unittest import mock

from side_by_side import Work, arguments, middle, ratio, recorded, take_turns
from talking import MAX_TURNS, Talks, attending, models

from repro.data.tasks import make_tasks
from repro.models import decode, packed
from repro.models.local import LocalModel


@contextmanager
def read_all_together() -> Iterator[None]:
    with mock.patch.object(decode, "_N_TOGETHER", sys.maxsize), mock.patch.object(decode, "_N_COMMON", sys.maxsize):
        yield


@contextmanager
def attention_of_torch(*spoken_by: LocalModel) -> Iterator[None]:
    with attending(spoken_by[0].model, "sdpa"), attending(spoken_by[1].model, "sdpa"):
        yield


def without(help_: Callable[[], AbstractContextManager[object]], talk: Talks) -> Work:
    def work(turn: int) -> dict[str, float]:
        with help_():
            return talk(turn)

    return work


def main() -> int:
    asked = arguments(__doc__, conversations=16, first=4)
    tasks = make_tasks(asked.conversations, split="eval", seed=0)
    user, assistant = models()
    helps = {
        "now": nullcontext, "reading_by_length": read_all_together,
        "keeping_what_was_read": partial(mock.patch.object, decode, "_N_PAST", -sys.maxsize),
        "packed_weights": partial(mock.patch.object, packed, "_can", return_value=False),
        "grouped_attention": partial(attention_of_torch, user, assistant),
    }  # fmt: skip
    talk = Talks(user, assistant, tasks, len(tasks))
    contestants = {name: without(help_, talk) for name, help_ in [*helps.items()][: asked.first + 1]}
    with recorded("helps", asked, max_turns=MAX_TURNS) as (run, kept):
        turns = take_turns(contestants, asked.turns, kept, busy=asked.busy)
        rates = {name: turns.rate(name, "tokens") for name in contestants}
        for name, values in rates.items():
            run.number(f"helps.{name}.tokens_per_s", middle(values, "tokens/s"))
            if name != "now":
                run.number(f"helps.{name}", ratio(rates["now"], values))
    return 0


if __name__ == "__main__":
    sys.exit(main())
