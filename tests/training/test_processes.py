"""Do two processes that train together end where one does, with nothing done twice?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.models.chat import ChatFormat
from repro.models.local import LocalModel
from repro.models.tiny import tiny_model
from repro.training import processes
from repro.training.assistant import GRPORecipe, train_assistant
from repro.training.heads import through, token_logps
from repro.training.lora import extract_adapter, whole
from repro.training.sft import SFTRecipe, rows, train_sft
from repro.types import Score, Task, Turn

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
]

SOURCE = Path(__file__).resolve().parents[2] / "src"
GRPO = GRPORecipe(
    max_steps=3, n_groups=2, num_generations=4, learning_rate=0.02, lora_r=4, lora_layers=2, max_turns=2, max_tokens=12,
    micro_batch=4, save_steps=2,
)  # fmt: skip
SFT = SFTRecipe(learning_rate=1e-3, batch_size=8, per_device_train_batch_size=4, num_train_epochs=7, save_steps=10)
SAID = [
    [Turn("system", "Be brief."), Turn("user", f"a note {i}"), Turn("assistant", "when? " * (1 + i % 5))]
    for i in range(24)
]


class Users:
    name = "users"

    def __init__(self):
        self.begun = []

    def reply(self, tasks, dialogues, *, seed):
        self.begun += [task.id for task, turns in zip(tasks, dialogues, strict=True) if not turns]
        return [Turn("user", f"{t.intent} {len(d)}") for t, d in zip(tasks, dialogues, strict=True)]


class ShareOfE:
    name = "share of e"

    def __call__(self, trajectories):
        said = ["".join(turn.text for turn in t.assistant_turns) for t in trajectories]
        return [Score(text.count("e") / max(1, len(text))) for text in said]


def train(folder: Path) -> None:
    """Both ways of training; what this process did goes to files that bear its rank."""
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    rank, users, model = os.environ.get("RANK", "0"), Users(), LocalModel(*tiny_model(), name="tiny")
    processes.wait()
    tasks = [Task(f"t{i}", f"u{i}", f"get note {i}") for i in range(12)]
    policy = train_assistant(
        tasks, user=users, initial=model, reward=ShareOfE(), recipe=GRPO, folder=folder / "grpo"
    )  # fmt: skip
    learnt = {n: w.detach().clone() for n, w in policy.named_parameters() if "lora_" in n}
    base, tokenizer = tiny_model()
    tuned = train_sft(SAID, role="assistant", base=base, tokenizer=tokenizer, recipe=SFT, folder=folder / "sft")
    learnt |= {f"sft.{n}": w.detach().clone() for n, w in tuned.named_parameters()}
    save_file(learnt, folder / f"weights-{rank}.safetensors")
    (folder / f"begun-{rank}.json").write_text(json.dumps(users.begun))
    if processes.n_processes() > 1:
        group = torch.distributed.distributed_c10d._get_default_group()
        patience = group._get_backend(torch.device("cpu")).options._timeout
        (folder / f"patience-{rank}.txt").write_text(str(patience.total_seconds()))
    sharded(folder)


def sharded(folder: Path) -> None:
    """One gradient as FSDP takes it, each process with half of the rows and half of the weights."""
    model, tokenizer = tiny_model()
    found = rows(SAID[:8], role="assistant", chat=ChatFormat(tokenizer))
    n, rank = processes.n_processes(), int(os.environ.get("RANK", "0"))
    if n > 1:
        mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (n,))
        for part in (*model.model.layers, model):
            torch.distributed.fsdp.fully_shard(part, mesh=mesh)
    mine = found[rank * 8 // n : (rank + 1) * 8 // n]
    longest = max(len(row["input_ids"]) for row in found)
    ids = torch.tensor([row["input_ids"] + [2] * (longest - len(row["input_ids"])) for row in mine])
    labels = torch.tensor([row["labels"] + [-100] * (longest - len(row["labels"])) for row in mine])
    attention = torch.tensor([[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in mine])
    logps, _ = through(model, model, token_logps, ids, attention, labels != -100)
    loss = -logps.sum() * n / sum(label != -100 for row in found for label in row["labels"])
    loss.backward()
    losses = processes.of_all([loss.item()])
    gradients = {name: whole(weight.grad).clone() for name, weight in model.named_parameters()}
    with torch.no_grad():
        for weight in model.parameters():
            weight.sub_(weight.grad)
    adapter = extract_adapter(model, tiny_model()[0], r=2)
    learnt = {name: weight.detach().clone() for name, weight in adapter.named_parameters() if "lora_" in name}
    if rank == 0:
        torch.save({"loss": sum(losses) / n, "gradients": gradients, "adapter": learnt}, folder / "sharded.pt")


def run(folder: Path, *, how: list[str]) -> Path:
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *how, __file__, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return run(tmp_path_factory.mktemp("processes") / "one", how=[])


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]  # for accelerate, CPUs need MPI
    return run(tmp_path_factory.mktemp("processes") / "two", how=launch)


def weights(folder, rank=0):
    from safetensors.torch import load_file

    return load_file(folder / f"weights-{rank}.safetensors")


def test_two_processes_learn_what_one_learns(one, two):
    alone, together = weights(one), weights(two)
    assert alone.keys() == together.keys()
    start = dict(tiny_model()[0].named_parameters())
    for name, weight in alone.items():
        torch.testing.assert_close(together[name], weight, atol=2e-3, rtol=1e-2, msg=name)
    assert not any(torch.equal(alone[f"sft.{name}"], weight) for name, weight in start.items())
    assert all(weight.any() for name, weight in alone.items() if "lora_B" in name)


def test_both_processes_hold_the_same_weights_at_the_end(two):
    mine, theirs = weights(two, 0), weights(two, 1)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_processes_wait_for_one_that_works_alone(two):
    """The group is joined with our patience, which what TRL sets up later does not change."""
    waits = [float((two / f"patience-{rank}.txt").read_text()) for rank in (0, 1)]
    assert waits == 2 * [processes.PATIENCE.total_seconds()]


def test_no_dialogue_is_held_twice(one, two):
    alone = json.loads((one / "begun-0.json").read_text())
    parts = [json.loads((two / f"begun-{rank}.json").read_text()) for rank in (0, 1)]
    assert [len(part) for part in parts] == [3, 3]  # a group each in each of three steps
    assert sorted([*parts[0], *parts[1]]) == sorted(alone)
    assert len(set(alone)) == 6


def test_the_curves_are_those_of_all_dialogues_and_written_once(one, two):
    import pyarrow.parquet as pq

    alone, together = (pq.read_table(f / "grpo" / "curves.parquet").drop(["seconds"]).to_pylist() for f in (one, two))
    assert [row["n"] for row in together] == [8, 8, 8]
    for mine, theirs in zip(together, alone, strict=True):
        assert mine == pytest.approx(theirs, abs=0.02)


def test_the_loss_falls_along_the_same_line(one, two):
    def losses(folder):
        state = json.loads((folder / "sft" / "checkpoint-21" / "trainer_state.json").read_text())
        return [row["loss"] for row in state["log_history"] if "loss" in row]

    alone, together = losses(one), losses(two)
    assert len(alone) == 2  # of 21 steps, each tenth is logged
    assert alone[1] < 0.9 * alone[0]
    assert together == pytest.approx(alone, rel=0.02)


def test_weights_that_are_shared_out_learn_what_whole_ones_learn(one, two):
    alone, together = (torch.load(f / "sharded.pt", weights_only=True) for f in (one, two))
    assert alone["loss"] == pytest.approx(together["loss"], rel=1e-4)
    for name, gradient in alone["gradients"].items():
        torch.testing.assert_close(together["gradients"][name], gradient, atol=1e-4, rtol=1e-3, msg=name)
    for name, weight in alone["adapter"].items():
        torch.testing.assert_close(together["adapter"][name].abs(), weight.abs(), atol=1e-4, rtol=1e-2, msg=name)


def test_checkpoints_are_written_once(one, two):
    for folder in ("grpo", "sft"):
        alone, together = (
            {path.relative_to(f).as_posix() for path in (f / folder).rglob("*") if "rng_state" not in path.name}
            for f in (one, two)
        )
        assert alone == together


def test_groups_that_do_not_divide_among_processes_are_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ReproError, match="2 groups of 4 in micro-batches of 4 do not divide among 3 processes"):
        replace(GRPO)


def test_alone_nothing_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert (processes.n_processes(), processes.is_first(), processes.of_all([1, 2])) == (1, True, [1, 2])
    with processes.lock(tmp_path / "a.lock", wait_for_it=False) as ours:
        assert ours
    command = "import sys; from repro.training import processes as p; p.wait(); print('accelerate' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


if __name__ == "__main__":
    train(Path(sys.argv[1]))
