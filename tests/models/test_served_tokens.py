"""Is a vLLM server sent the tokens that a model was trained on, and is its answer read token by token?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Lock

import pytest

from repro.errors import ReproError
from repro.models import LocalModel, Sampling, load_model
from repro.models.base import MeteredModel
from repro.models.usage import Usage
from repro.simulators import load_simulator
from repro.simulators.userlm import UserLM
from repro.types import Turn

from ..endpoint import Server, serving

CONTEXT = [Turn("system", "s"), Turn("user", "hi"), Turn("assistant", "what is it")]


@pytest.fixture(scope="module")
def local() -> LocalModel:
    return LocalModel.from_pretrained("tiny", dtype="float32", device="cpu")


@pytest.fixture
def server(local) -> Iterator[Server]:
    """Speaks as the tiny model does: what it is sent as token ids, it goes on with."""
    one_at_a_time = Lock()

    def say(body):
        with one_at_a_time:
            return spoken(local, body)

    with serving() as server:
        server.say = say
        yield server


def spoken(local, body):
    args = body["vllm_xargs"]
    (drawn,) = local.decoder.generate(
        [body["prompt"]], sampling=Sampling(body["temperature"], body["top_p"], body["min_p"], body["max_tokens"]),
        seeds=[body["seed"]], stop=frozenset(body["stop_token_ids"]), banned=args["banned"],
        banned_first=args["banned_first"],
    )  # fmt: skip
    return {"text": "", "token_ids": drawn.ids, "logprobs": {"token_logprobs": drawn.logps}}


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_turn_is_the_one_that_the_weights_would_have_said(server, local, role):
    model = load_model(f"vllm:{server.url}#m", base="tiny")
    contexts = [CONTEXT if role == "user" else CONTEXT[:2]] * 3
    sampling = Sampling(max_tokens=12, suppress_first=("a", "e"), may_end=False)
    turns = model.generate(contexts, sampling=sampling, seeds=[1, 2**62, 3], role=role)
    theirs = local.generate(contexts, sampling=sampling, seeds=[1, 2**62, 3], role=role)
    assert [replace(turn, logps=None) for turn in turns] == [replace(turn, logps=None) for turn in theirs]
    assert [turn.logps for turn in turns] == [pytest.approx(turn.logps, abs=1e-4) for turn in theirs]
    assert model.meter.total == Usage(3, 21, 6)
    assert isinstance(model, MeteredModel)


def test_words_may_be_put_into_its_mouth(server, local):
    model = load_model(f"vllm:{server.url}#m", base="tiny")
    asked = {"sampling": Sampling(max_tokens=6), "seeds": [0], "role": "user", "prefixes": ["I need"]}
    assert model.generate([CONTEXT], **asked) == local.generate([CONTEXT], **asked)


def test_log_probabilities_of_given_turns_are_not_asked_for(server):
    with pytest.raises(ReproError, match="load the weights"):
        load_model(f"vllm:{server.url}#m", base="tiny").logps([CONTEXT], [Turn("user", "x")])


def test_a_server_that_draws_what_it_may_not_is_said_to_be_wrongly_started(server, local):
    first, later = [local.format.end_of_turn], [50, local.format.end_of_conversation]
    for role, drawn in (("user", first), ("assistant", later)):
        logps = {"token_logprobs": [-1.0] * len(drawn)}
        server.say = lambda body, ids=drawn, logps=logps: {"text": "", "token_ids": ids, "logprobs": logps}
        model, asked = load_model(f"vllm:{server.url}#m", base="tiny"), CONTEXT if role == "user" else CONTEXT[:2]
        with pytest.raises(
            ReproError, match=r"draws tokens that it may not; start it with --logits-processors repro\.models"
        ):
            model.generate([asked], sampling=Sampling(), seeds=[0], role=role)


def test_an_endpoint_that_knows_no_tokens_gets_one_sentence(server):
    server.say = lambda body: {"text": "words"}
    model = load_model(f"vllm:{server.url}#m", base="tiny")
    object.__setattr__(model, "max_retries", 0)
    with pytest.raises(ReproError, match=r"^no answer from .*cannot be read"):
        model.generate([CONTEXT], sampling=Sampling(), seeds=[0], role="user")


def test_as_a_simulator_it_is_a_user_language_model_and_role_play_keeps_its_help(server):
    user = load_simulator(f"vllm:{server.url}#m", base="tiny")
    assert isinstance(user, UserLM)
    assert user.name == "m"
    assert load_simulator(f"roleplay:vllm:{server.url}#m", base="tiny").helped
