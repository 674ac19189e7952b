"""What does a person read before they spend anything: the stages, the assumptions, what is missing?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .. import assumptions
from ..config import Config, load_profile
from ..data.corpora import HUB
from ..models.usage import Price, Usage
from ..training import user_recipes
from ..training.user_recipes import UserLMRecipe
from .hub import hub_lines
from .memory import memory_lines
from .needs import on_corpus, recipes, size_of
from .stages import Stage, stages

CORPORA = [HUB["wildchat"].repository, "allenai/WildBench"]
_HEAD = ("stage", "model", "conversations", "M written", "M learned", "H100-hours", "calls", "dollars", "GiB")


def plan_lines(
    profile: str, *, lacking: Callable[[str], list[str]], rate: float | None = None, price: Price | None = None
) -> list[str]:
    """The plan of a profile. `rate` is tokens a second of a GPU that writes, `price` that of the judge.

    `lacking` says what this machine lacks for a profile; it is asked where GPUs are needed.
    """
    config, known = load_profile(profile), recipes()
    n_parameters = size_of(config.model, known.values())
    on_gpu = _is_on_hub(config.model)
    found = stages(config, n_parameters, on_corpus(config.model, known.values()))
    rate = rate or assumptions.tokens_per_second(n_parameters)
    price = price or assumptions.JUDGE_PRICE
    lines = ["", "what each stage takes, at most:", *_table(found, rate if on_gpu else math.nan, price)]
    if on_gpu:
        lines += [*_assumed(rate, price), _in_all(found, rate, config.model)]
        lines += [*memory_lines(config, n_parameters), *_others(known)]
        lines += ["", "what is missing:", *_missing(config, known, lacking(profile))]
    return lines


def _is_on_hub(model: str) -> bool:
    return "/" in model and not Path(model).exists()


def _hours(stage: Stage, rate: float) -> float:
    return (stage.written / rate + stage.operations / (assumptions.PEAK * assumptions.USED)) / 3600


def _in_all(found: Sequence[Stage], rate: float, model: str) -> str:
    hours = sum(_hours(stage, rate) for stage in found)
    if math.isnan(hours):
        return f"GPUs in all: not known, as no recipe says how large {model} is; add one to configs/recipes"
    return f"GPUs in all: {hours:,.0f} H100-hours, about ${hours * assumptions.GPU_HOUR:,.0f}"


def _table(found: Sequence[Stage], rate: float, price: Price) -> list[str]:
    rows = [_row(stage, rate, price) for stage in found]
    total = Stage(
        "in all", "", sum(s.n_conversations for s in found), sum(s.written for s in found),
        sum(s.learned for s in found), sum(s.operations for s in found), sum((s.usage for s in found), Usage()),
        sum(s.gib for s in found),
    )  # fmt: skip
    lines = [_HEAD, *rows, _row(total, rate, price)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
    return ["  " + "  ".join(_aligned(cell, widths[i], i) for i, cell in enumerate(line)).rstrip() for line in lines]


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)


def _row(stage: Stage, rate: float, price: Price) -> tuple[str, ...]:
    hours, dollars = _hours(stage, rate), stage.usage.cost(price)
    shown = (f"{stage.n_conversations:,}", f"{stage.written / 1e6:,.1f}", f"{stage.learned / 1e6:,.1f}")
    calls = (f"{stage.usage.n_calls:,}", f"{dollars:,.0f}") if stage.usage.n_calls else ("", "")
    gib = "" if math.isnan(stage.gib) else f"{stage.gib:,.1f}"
    return (stage.name, stage.who, *shown, "" if math.isnan(hours) else f"{hours:,.1f}", *calls, gib)


def _assumed(rate: float, price: Price) -> list[str]:
    a, speed = assumptions, "unknown" if math.isnan(rate) else f"{rate:,.0f}"
    return [
        "", "assumed (src/repro/assumptions.py has the sources):",
        f"  {speed} tokens a second written by a GPU (--tokens-per-second); training at {a.USED:.0%} of its peak",
        f"  judge at ${price.prompt:g} and ${price.completion:g} a million tokens in and out (--price); "
        f"a GPU-hour at ${a.GPU_HOUR:g}",
        f"  {a.N_BENCH:,} tasks of WildBench; every dialogue and answer as long as the profile allows, one try a call",
    ]  # fmt: skip


def _others(known: Mapping[str, UserLMRecipe]) -> list[str]:
    """What it takes to train user language models as the papers did, a line each."""
    plans = [user_recipes.plan(name, recipe) for name, recipe in known.items()]
    return ["", "user language models (repro train-user CORPUS --recipe NAME --out DIR):", *(f"  {p}" for p in plans)]


def _missing(config: Config, known: Mapping[str, UserLMRecipe], lacks: Sequence[str]) -> list[str]:
    """What keeps the profile from running here; the hub's answer is said in any case."""
    bases = [base for base in dict.fromkeys([config.model, *(r.base for r in known.values())]) if _is_on_hub(base)]
    return [f"  {line}" for line in [*(lacks or ["nothing on this machine"]), *hub_lines(bases, CORPORA)]]
