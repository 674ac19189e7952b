"""Does what is trained on some people foresee others better than its base does?

51 people who had documents written (SimulatorArena, MIT), in a folder `shared` beside the checkout. They are not part
of this repository; without them the test is skipped. Few people and short rows, so that it takes seconds.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from repro.data import flip, load_corpus, split_by_user
from repro.data.intents import stated
from repro.errors import ReproError
from repro.evaluation.heldout import heldout_perplexity
from repro.models import LocalModel, user_tokenizer
from repro.models.weights import SMOLLM2, installed_path
from repro.training import load_recipe, train_user_lm
from repro.training.user_lm import untrained

NAME = "shared/data/simulatorarena_document_creation.jsonl"


def beside(root: Path) -> Path | None:
    """The file, in a folder above the checkout."""
    return next((path / NAME for path in root.parents if (path / NAME).is_file()), None)


def has_weights() -> bool:
    try:
        return installed_path(SMOLLM2).is_file()
    except ReproError:
        return False


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*bf16.*:UserWarning")
def test_people_who_were_held_out_are_foreseen_better(root, tmp_path):
    pytest.importorskip("trl")
    path = beside(root)
    if path is None or not has_weights():
        pytest.skip("needs shared/data beside the checkout and the packaged weights")
    people = split_by_user(stated(load_corpus(path)), shares=(0.32, 0.5, 0.18))
    assert not set(people["train"].users) & set(people["test"].users)
    recipe = replace(
        load_recipe("smollm2-135m-cpu"), max_length=160, num_train_epochs=1, batch_size=4, learning_rate=1e-3
    )
    rows = flip(people["train"], tokenizer=user_tokenizer(recipe.base), max_length=recipe.max_length)
    folder = train_user_lm(rows, base=recipe.base, config=recipe, out_dir=tmp_path / "user")
    before, after = (
        heldout_perplexity(model, people["test"], max_length=recipe.max_length)
        for model in (untrained(recipe.base), LocalModel.from_pretrained(str(folder)))
    )
    print(f"perplexity of held-out people: {before} before, {after} after {len(rows)} conversations")
    assert after.value < before.value
