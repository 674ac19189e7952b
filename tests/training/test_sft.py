"""Does supervised training teach what one role said, and nothing else?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from repro.errors import ReproError
from repro.models.chat import ChatFormat
from repro.models.local import LocalModel
from repro.models.tiny import tiny_model
from repro.training import sft
from repro.training.heads import token_logps
from repro.training.sft import SFTRecipe, rows, share, train_sft
from repro.types import Turn

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*bf16.*:UserWarning")

SYSTEM = Turn("system", "Be brief.")
DIALOGUES = [
    [
        SYSTEM,
        Turn("user", f"a note {i}"),
        Turn("assistant", "when?"),
        Turn("user", "now"),
        Turn("assistant", "a note now"),
    ]
    for i in range(12)
]
FULL = SFTRecipe(learning_rate=3e-3, batch_size=4, per_device_train_batch_size=4, num_train_epochs=2, save_steps=2)


def nll(model, tokenizer, dialogues=DIALOGUES[:3]):
    """Mean over the assistant's tokens."""
    contexts = [d[:2] for d in dialogues] + [d[:4] for d in dialogues]
    turns = [d[2] for d in dialogues] + [d[4] for d in dialogues]
    logps = LocalModel(model, tokenizer, name="tiny").logps(contexts, turns)
    return -sum(map(sum, logps)) / sum(map(len, logps))


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def train(folder):
    base, tokenizer = tiny_model()
    return train_sft(DIALOGUES, role="assistant", base=base, tokenizer=tokenizer, recipe=FULL, folder=folder)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """(base, tuned model, folder)."""
    folder = tmp_path_factory.mktemp("full")
    return tiny_model()[0], train(folder), folder


def test_labels_are_what_the_role_said_and_nothing_else():
    chat = ChatFormat(tiny_model()[1])
    for role, said in (
        ("assistant", "when?<|im_end|>a note now<|im_end|>"),
        ("user", "a note 0<|im_end|>now<|im_end|>"),
    ):
        row = rows(DIALOGUES[:1], role=role, chat=chat)[0]
        assert chat.tokenizer.decode([label for label in row["labels"] if label != -100]) == said
        assert all(label in (-100, token) for label, token in zip(row["labels"], row["input_ids"], strict=True))


def test_the_end_of_a_conversation_is_learnt_from_the_user_who_leaves():
    chat = ChatFormat(tiny_model()[1])
    said = [*DIALOGUES[0], Turn("user", "", ends=True)]
    (row,) = rows([said], role="user", chat=chat)
    assert row["labels"][-1] == row["input_ids"][-1] == chat.end_of_conversation


def test_dialogues_in_which_the_role_is_silent_are_left_out():
    chat = ChatFormat(tiny_model()[1])
    assert len(rows([DIALOGUES[0], DIALOGUES[0][:2]], role="assistant", chat=chat)) == 1


@pytest.mark.parametrize(
    ("n", "batch_size", "found"),
    [(1, 16, (8, 2)), (2, 16, (8, 1)), (8, 16, (2, 1)), (8, 8, (1, 1)), (8, 64, (8, 1)), (1, 4, (4, 1))],
)
def test_a_step_has_as_many_rows_however_many_processes_share_it(monkeypatch, n, batch_size, found):
    monkeypatch.setenv("WORLD_SIZE", str(n))
    assert share(SFTRecipe(learning_rate=1e-3, batch_size=batch_size)) == found


@pytest.mark.parametrize(("n", "batch_size"), [(3, 16), (8, 4), (1, 12)])
def test_a_batch_that_does_not_divide_among_processes_is_refused(monkeypatch, n, batch_size):
    monkeypatch.setenv("WORLD_SIZE", str(n))
    with pytest.raises(ReproError, match=f"a batch of {batch_size} rows does not divide among {n} processes"):
        share(SFTRecipe(learning_rate=1e-3, batch_size=batch_size))


def test_nothing_to_train_on_is_refused(tmp_path):
    model, tokenizer = tiny_model()
    with pytest.raises(ReproError, match="no assistant turn in 1 dialogues"):
        train_sft([[SYSTEM]], role="assistant", base=model, tokenizer=tokenizer, recipe=FULL, folder=tmp_path)


@pytest.mark.parametrize(
    ("limit", "said"), [("longest", ""), ("end", "13 rows (12 cut), 0"), ("short", "1 rows (0 cut), 12")]
)
def test_rows_that_are_cut_or_lost_are_counted(tmp_path, capsys, limit, said):
    base, tokenizer = tiny_model()
    short = [SYSTEM, Turn("user", ""), Turn("assistant", "")]  # ends before the others answer
    data = rows([*DIALOGUES, short], role="assistant", chat=ChatFormat(tokenizer))
    *lengths, least = (len(row["input_ids"]) for row in data)
    most = {"longest": max(lengths), "end": min(lengths) - 1, "short": least}[limit]
    recipe = replace(FULL, max_length=most, num_train_epochs=1)
    sft.train_rows(data, model=base, tokenizer=tokenizer, recipe=recipe, folder=tmp_path)
    line = f"fine-tuning: at most {most} tokens a row: {said} left out with nothing to learn\n"
    assert [out for out in capsys.readouterr().out.splitlines(True) if "fine-tuning" in out] == ([line] if said else [])


def test_rows_that_all_lose_what_is_learned_are_refused(tmp_path):
    base, tokenizer = tiny_model()
    said = rows(DIALOGUES, role="assistant", chat=ChatFormat(tokenizer))
    recipe = replace(FULL, max_length=8)
    with pytest.raises(ReproError, match="none of 12 rows has anything to learn in its first 8 tokens"):
        sft.train_rows(said, model=base, tokenizer=tokenizer, recipe=recipe, folder=tmp_path)


def test_a_few_steps_lower_the_loss(tuned):
    base, model, _ = tuned
    tokenizer = tiny_model()[1]
    assert nll(model, tokenizer) < 0.8 * nll(base, tokenizer)


def test_activations_that_are_computed_twice_change_nothing(tmp_path, monkeypatch):
    from torch.utils import checkpoint

    n_twice, again, models = [], checkpoint.checkpoint, []

    def counted(*args, **kwargs):
        n_twice.append(1)
        return again(*args, **kwargs)

    monkeypatch.setattr("transformers.modeling_utils.checkpoint", counted)
    for twice in (False, True):
        base, tokenizer = tiny_model()
        recipe = replace(FULL, gradient_checkpointing=twice, linear_only=True, num_train_epochs=1)
        how = {"role": "assistant", "tokenizer": tokenizer, "recipe": recipe, "folder": tmp_path / str(twice)}
        models.append(train_sft(DIALOGUES, base=base, **how).state_dict())
        assert bool(n_twice) == twice
    assert all(torch.allclose(models[0][name], weight, atol=1e-5) for name, weight in models[1].items())


def spying(monkeypatch, watch):
    """Train with a trainer that calls `watch(loss)` at each step."""

    class Spy(sft._trainer()):
        def compute_loss(self, *args, **rest):
            loss = super().compute_loss(*args, **rest)
            watch(loss.item())
            return loss

    monkeypatch.setattr(sft, "_trainer", lambda: Spy)


def test_an_interrupted_run_ends_with_the_same_weights(tuned, tmp_path, monkeypatch):
    _, model, _ = tuned
    steps = []

    def interrupt(loss):
        steps.append(loss)
        if len(steps) == 4:  # checkpoints are at 2, 4 and 6
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        spying(patch, interrupt)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path)
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-2"]
    spying(monkeypatch, steps.append)
    assert same(model, train(tmp_path))
    assert len(steps) == 4 + 4


def test_a_finished_run_is_not_trained_again(tuned, monkeypatch):
    _, model, folder = tuned
    spying(monkeypatch, lambda loss: pytest.fail("a step was taken"))
    assert same(model, train(folder))


def test_the_loss_is_the_mean_over_all_tokens_of_the_role(tmp_path, monkeypatch):
    base, tokenizer = tiny_model()
    losses = []
    spying(monkeypatch, losses.append)
    recipe = SFTRecipe(learning_rate=1e-9, batch_size=12, per_device_train_batch_size=12)
    train_sft(DIALOGUES, role="assistant", base=base, tokenizer=tokenizer, recipe=recipe, folder=tmp_path)
    assert losses == pytest.approx([nll(base, tokenizer, DIALOGUES)], rel=0.01)  # bfloat16 autocast


def test_the_loss_looks_at_the_chosen_tokens_alone():
    model, _ = tiny_model()
    ids = torch.tensor([[1, 50, 60, 70, 2], [1, 51, 61, 2, 2]])
    attention = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
    chosen = torch.tensor([[0, 0, 1, 0, 1], [0, 1, 0, 1, 0]], dtype=torch.bool)
    logps, entropies = token_logps(model, ids, attention, chosen)
    with torch.no_grad():
        full = model(input_ids=ids, attention_mask=attention).logits.log_softmax(-1)
    where = [(0, 2), (0, 4), (1, 1), (1, 3)]
    assert logps.tolist() == pytest.approx([full[b, t - 1, ids[b, t]].item() for b, t in where], abs=1e-5)
    assert entropies.tolist() == pytest.approx(
        [-(full[b, t - 1].exp() * full[b, t - 1]).sum().item() for b, t in where], abs=1e-4
    )
