"""Does a plan count what a run does, from the settings, and say what is missing without failing?"""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from repro import assumptions, doctor
from repro.assumptions import PEAK, USED
from repro.budget import plan_lines, stages
from repro.budget.hub import hub_lines
from repro.budget.memory import memory, memory_lines
from repro.cli import main
from repro.config import load_profile
from repro.models.usage import Price
from repro.training.user_recipes import load_recipe

PAPER = load_profile("paper")
RECIPE = load_recipe("qwen2.5-14b")


def by_name(config, n_parameters=1e9, recipe=None):
    return {stage.name: stage for stage in stages(config, n_parameters, recipe)}


def test_tokens_come_from_dialogues_turns_and_lengths():
    found = by_name(PAPER)
    arm = found["assistant-userlm-s2"]
    assert arm.n_conversations == 200 * 64 * 8  # steps x groups x their size
    assert arm.learned == arm.n_conversations * 8 * (512 + 2048)  # turns x both sides
    assert arm.written == arm.learned  # a model speaks for the user too
    assert arm.operations == (4 + 2 + 2) * 1e9 * arm.learned  # activations twice, log-probabilities of vLLM's tokens
    assert found["logs"].written == 4800 * 8 * 2048  # reference users are a script
    assert found["userlm"].learned == 4800 * 8 * (512 + 2048) * 2  # no dialogue is cut, two epochs
    assert found["userlm"].operations == (6 + 2) * 1e9 * found["userlm"].learned


def test_an_adapter_on_frozen_weights_takes_four_operations_where_nothing_is_computed_twice():
    found = by_name(load_profile("cpu"))
    assert found["assistant-oracle-s0"].operations == 4 * 1e9 * found["assistant-oracle-s0"].learned
    assert found["userlm"].operations == 6 * 1e9 * found["userlm"].learned


def test_models_with_fewer_layers_learn_from_role_plays_that_are_held_once():
    found = [stage for stage in stages(load_profile("cpu"), 1.35e8) if stage.name == "role-plays"]
    assert [(stage.n_conversations, stage.written) for stage in found] == [(1200, 1200 * 3 * (40 + 80))]  # both sides
    names = [stage.name for stage in stages(load_profile("cpu"), 1.35e8)]
    assert names.index("initial") < names.index("role-plays") < names.index("depth10")
    assert "role-plays" not in by_name(PAPER)


def test_what_training_holds_in_memory_is_said_for_each_gpu():
    lines = memory_lines(PAPER, 14.7e9)
    n = 14.7e9 / 2**30
    assert lines[2] == f"  fine-tuning  {16 * n / 8:.0f} GiB: {16 * n / 8:.0f} weights, gradients and moments"
    parts = [2 * n, 16 * 0.02 * n, 2 * n, 0.4 * 80]  # the last is vLLM's share
    said = "{:.0f} weights, {:.0f} adapter, {:.0f} user, {:.0f} vLLM".format(*parts)
    assert lines[3] == f"  assistants   {sum(parts):.0f} GiB: {said}; more than there is"
    assert lines[4].startswith(f"  host         {8 * n * 8:.0f} GiB")
    server = replace(PAPER, train=replace(PAPER.train, engine="vllm_server"))
    assert "vLLM" not in memory_lines(server, 14.7e9)[3]
    assert memory_lines(PAPER, math.nan) == memory_lines(load_profile("quick"), 1e8) == []


def test_the_smallest_gpu_has_room_for_vllm_s_share_of_itself():
    held, n = memory(PAPER, 14.7e9), 14.7e9 / 2**30
    rest = 2 * n + 16 * 0.02 * n + 2 * n  # weights, adapter and user
    assert held.smallest_gpu == pytest.approx(rest / 0.6)
    assert sum(held.of_assistants(held.smallest_gpu).values()) == pytest.approx(held.smallest_gpu)
    less = replace(PAPER, train=replace(PAPER.train, vllm_gpu_memory_utilization=0.2))
    assert memory(less, 14.7e9).smallest_gpu == pytest.approx(2 * n / 0.2)  # vLLM's own weights
    without = replace(PAPER, train=replace(PAPER.train, engine="transformers"))
    assert memory(without, 14.7e9).smallest_gpu == pytest.approx(rest + 2 * 2 * n)  # start and speaker
    one = replace(PAPER, cluster=replace(PAPER.cluster, launch_sft=""))
    assert memory(one, 14.7e9).smallest_gpu == pytest.approx(16 * n)  # all weights are tuned on one GPU


def test_another_setting_is_another_plan():
    half = by_name(replace(PAPER, max_turns=4, arms={"userlm": 1}))
    assert half["assistant-userlm-s0"].learned * 2 == by_name(PAPER)["assistant-userlm-s0"].learned
    assert "assistant-userlm-s1" not in half


def test_what_is_released_is_not_trained():
    assert not any(stage.learned for stage in stages(load_profile("quick"), 1.35e8))


def test_verdicts_are_a_call_for_each_answer():
    found = by_name(PAPER, recipe=RECIPE)
    usage = found["verdicts (checklist)"].usage
    assert usage.n_calls == found["answers to WildBench"].n_conversations == 7 * 1024  # initial, two arms x three seeds
    assert usage.prompt_tokens == 7 * 1024 * (assumptions.BENCH_TOKENS + 2048)
    assert found["intents of a corpus"].usage.n_calls == 343_951


def test_the_printed_plan_of_the_paper_adds_up(monkeypatch):
    monkeypatch.setattr("repro.budget.report.hub_lines", lambda *_: ["hub: asked"])
    lines = plan_lines("paper", lacking=doctor.missing, rate=1000, price=Price(1, 2))
    arm = next(line.split() for line in lines if line.startswith("  assistant-roleplay-s1"))
    one = by_name(PAPER, 14.7e9)["assistant-roleplay-s1"]
    hours = (one.written / 1000 + one.operations / (PEAK * USED)) / 3600
    assert arm[2:6] == ["102,400", "2,097.2", "2,097.2", f"{hours:,.1f}"]
    verdicts = next(line.split() for line in lines if line.startswith("  verdicts"))
    assert verdicts[-3:-1] == ["7,168", f"{7168 * (3048 * 1 + 2048 * 2) / 1e6:,.0f}"]
    assert any("1,000 tokens a second written by a GPU" in line for line in lines)
    assert any(line.startswith("  assistants ") and line.endswith("more than there is") for line in lines)
    assert any(line.startswith("  qwen2.5-14b") and "H100-hours" in line for line in lines)
    assert lines[-1] == "  hub: asked"


def test_what_this_machine_lacks_is_listed(monkeypatch):
    monkeypatch.setattr("repro.budget.report.hub_lines", lambda *_: [])
    monkeypatch.setattr(doctor, "gpu", lambda: "")
    monkeypatch.setattr(doctor, "disk_gb", lambda: 10.0)
    lines = plan_lines("paper", lacking=doctor.missing)
    assert "  no NVIDIA GPU: 8 are needed, each with 99 GiB and room for activations" in lines
    assert any(line.startswith("  disk: ") and line.endswith("GiB at most are needed, 9 are free") for line in lines)


def test_a_model_of_unknown_size_has_no_hours(project, monkeypatch):
    monkeypatch.setattr("repro.budget.report.hub_lines", lambda *_: [])
    path = project / "configs" / "paper.yaml"
    path.write_text(path.read_text().replace("model: Qwen/Qwen2.5-14B-Instruct", "model: org/new"))
    lines = plan_lines("paper", lacking=doctor.missing)
    assert "GPUs in all: not known, as no recipe says how large org/new is; add one to configs/recipes" in lines
    assert not any("nan" in line for line in lines)


def test_a_profile_on_cores_asks_no_hub_and_names_no_hours(monkeypatch):
    monkeypatch.setattr("repro.budget.report.hub_lines", lambda *_: pytest.fail("the hub was asked"))
    lines = plan_lines("cpu", lacking=lambda _: pytest.fail("the machine was looked at"))
    assert any(line.startswith("  assistant-roleplay-s0") for line in lines)
    assert not any("missing" in line or "H100-hours, about" in line for line in lines)


def test_a_rate_that_is_none_is_refused(capsys):
    assert main(["plan", "--tokens-per-second", "0"]) == 2
    assert "--tokens-per-second is 0.0; it has to be positive" in capsys.readouterr().err


class Hub(BaseHTTPRequestHandler):
    """What a hub says of an open model, one that is gated, and one that is not there."""

    def do_GET(self):
        name = self.path.partition("?")[0].removeprefix("/api/models/").removeprefix("/api/datasets/")
        if name.endswith("/auth-check"):
            return self.say(403, {}, {"X-Error-Code": "GatedRepo"})
        if name == "org/none":
            return self.say(404, {}, {"X-Error-Code": "RepoNotFound"})
        gated = "manual" if name == "org/gated" else False
        return self.say(200, {"id": name, "gated": gated, "tags": ["license:llama3"], "siblings": []})

    def say(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        for key, value in dict(headers, **{"Content-Type": "application/json"}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_hub_says_licences_and_who_may_read(hub):
    lines = hub_lines(["org/open", "org/gated", "org/none"], ["org/corpus"], endpoint=hub)
    assert lines[0] == "hub: org/open: llama3, open to all"
    assert lines[1].startswith("hub: org/gated: llama3, gated (manual), and not open to you: ask for access")
    assert lines[2] == "hub: org/none: not found, or not for you (404); see its page, and set HF_TOKEN"
    assert lines[3] == "hub: org/corpus: llama3, open to all"


def test_no_hub_is_one_plain_line(hub):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    closed = f"http://127.0.0.1:{server.server_port}"
    server.server_close()
    (line,) = hub_lines(["org/open", "org/gated"], endpoint=closed, timeout=2)
    assert line.startswith("hub: not reachable; licences and access not checked")


def test_a_hub_that_must_not_be_asked_is_not(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (line,) = hub_lines(["org/open"], endpoint="http://127.0.0.1:9")
    assert line == "hub: not asked (HF_HUB_OFFLINE is set); licences and access not checked"


@pytest.mark.slow
def test_the_plan_counts_the_dialogues_that_a_notebook_holds(at_smoke):
    path = at_smoke("04")
    held = sum(len(file.read_text().splitlines()) for file in (path / "work/smoke/talks").glob("*.jsonl"))
    assert by_name(load_profile("smoke"))["04_cross_simulator"].n_conversations == held
