"""From a corpus of chats to a user language model: what happens at each stage?

`repro train-user CORPUS --recipe NAME --out DIR`: load, deduplicate, split by user, find intents, flip, train, and see
whether users who were held out are foreseen better. Each stage says how many conversations it left, and why.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.data import Corpus, deduplicate, flip, load_corpus, split_by_user
from repro.data.intents import stated, summarised
from repro.data.splits import Split, leaks, read_ids
from repro.errors import ReproError
from repro.models import load_model, user_tokenizer
from repro.models.local import LocalModel
from repro.training import processes
from repro.training.lengths import kept
from repro.training.user_lm import train_user_lm, untrained
from repro.training.user_recipes import UserLMRecipe, launch_command, load_recipe, plan, recipe_names

HELD_OUT: tuple[Split, ...] = ("val", "test")
LOOKED_AT: tuple[Split, ...] = ("train", "val")  # test is left for evaluation
DEFAULT = "smollm2-135m-cpu"
N_HELD_OUT = 200  # conversations that are looked at to see whether training helped. ours: minutes on two cores


@dataclass(frozen=True)
class Asked:
    """What somebody typed. No recipe: the one that needs no GPU. `intents` is "stated" or a model to write them."""

    corpus: str | None
    recipe: str = ""
    out: str | None = None
    intents: str = "stated"
    schema: str | None = None
    revision: str | None = None
    limit: int | None = None
    benchmark_ids: str | None = None
    num_proc: int = 1
    plan: bool = False


def train_user(asked: Asked) -> None:
    """Everything, with counts on stdout; with `plan` no training."""
    if asked.corpus is None:
        return _plan_all(asked)
    name = asked.recipe or DEFAULT
    recipe = load_recipe(name)
    if not asked.plan:
        _check(asked, recipe)
    with _one_at_a_time(recipe):
        parts = prepared(asked, recipe)
        rows = flip(parts["train"], tokenizer=user_tokenizer(recipe.base), max_length=recipe.max_length,
                    num_proc=asked.num_proc)  # fmt: skip
    n_tokens, n_learned = _n_tokens(rows)
    said = kept(len(rows), n_cut=sum(rows["cut"]), n_lost=len(parts["train"]) - len(rows))
    print(f"flip: {said}; {n_tokens:,} tokens, {n_learned:,} of them learned")
    print(plan(name, recipe, n_tokens=n_tokens))
    if asked.plan or not asked.out:
        return None
    record = {"corpus": _named(asked.corpus), "steps": [str(step) for step in parts["train"].steps]}
    folder = train_user_lm(rows, base=recipe.base, config=recipe, out_dir=asked.out, record=record)
    print(f"trained: {folder}")
    if recipe.n_devices == 1 and len(parts["val"]):
        _compare(parts["val"], recipe, folder)
    return None


def prepared(asked: Asked, recipe: UserLMRecipe) -> dict[Split, Corpus]:
    """The splits, train and val with intents; prints what each step left."""
    how: dict[str, Any] = {"schema": asked.schema, "revision": asked.revision, "limit": asked.limit}
    corpus = load_corpus(str(asked.corpus), language=recipe.language, num_proc=asked.num_proc, **how)
    print(corpus.steps[-1])
    corpus = deduplicate(corpus)
    print(corpus.steps[-1])
    bench = read_ids(asked.benchmark_ids) if asked.benchmark_ids else set()
    parts = split_by_user(corpus, benchmark_ids=bench)
    print("split by user: " + ", ".join(f"{k} {len(v):,} of {len(set(v.users)):,}" for k, v in parts.items()))
    n_near = sum(len(leaks(parts["train"], parts[other])) for other in HELD_OUT)
    print(f"near-duplicate first turns across the split: {n_near:,} pairs")
    for name in LOOKED_AT:
        if len(parts[name]):
            parts[name] = _with_intents(parts[name], asked)
            print(f"{name}: {parts[name].steps[-1]}")
    return parts


def _n_tokens(rows: Any) -> tuple[int, int]:
    """All tokens, and those that are learned; counted in Arrow, so that none of them is read into Python."""
    import pyarrow.compute as pc

    labels = rows.data.column("labels")
    return pc.sum(pc.list_value_length(labels)).as_py(), pc.sum(pc.greater_equal(pc.list_flatten(labels), 0)).as_py()


def _with_intents(corpus: Corpus, asked: Asked) -> Corpus:
    if asked.intents == "stated":
        return stated(corpus)
    kept = Path(f"{asked.out}-intents.jsonl") if asked.out else Path("intents.jsonl")
    return summarised(corpus, load_model(asked.intents), path=kept)


def _plan_all(asked: Asked) -> None:
    """What each recipe, or the one that was named, takes on its own number of conversations."""
    if not asked.plan:
        raise ReproError("give a corpus to train on (wildchat, a file, a hub id), or --plan to see what recipes take")
    for name in [asked.recipe] if asked.recipe else recipe_names():
        print(plan(name, load_recipe(name)))


def _check(asked: Asked, recipe: UserLMRecipe) -> None:
    """Say what is missing before an hour is spent on the corpus."""
    import torch

    if not asked.out:
        raise ReproError("give a folder for the model with --out, or --plan to see what training would take")
    if recipe.device == "gpu" and not torch.cuda.is_available():
        command = launch_command(recipe, asked.recipe, f"{asked.corpus} --out {asked.out}")
        raise ReproError(
            f"recipe {asked.recipe} is for {recipe.n_devices} GPUs, and there is none here; where they are: {command}"
        )


def _one_at_a_time(recipe: UserLMRecipe) -> AbstractContextManager[Any]:
    """Of several processes the first prepares the rows, the others find them in the cache."""
    if recipe.n_devices == 1:
        return nullcontext()
    context: AbstractContextManager[Any] = processes.state().main_process_first()
    return context


def _compare(val: Corpus, recipe: UserLMRecipe, folder: Path) -> None:
    from repro.evaluation.heldout import heldout_perplexity

    held = val.chosen(range(min(N_HELD_OUT, len(val))), "looked at", {})
    models = {"before": untrained(recipe.base), "after": LocalModel.from_pretrained(str(folder))}
    for when, model in models.items():
        print(f"perplexity of held-out users, {when}: {heldout_perplexity(model, held, max_length=recipe.max_length)}")


def _named(corpus: str) -> str:
    """What a corpus is called in a record: a file by its name, without the folders of this machine."""
    return Path(corpus).name if Path(corpus).exists() else corpus
