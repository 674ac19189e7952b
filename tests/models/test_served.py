"""Does an endpoint get the dialogue as it has to see it, and is one that fails reported in one sentence?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.models import Sampling, ScriptedModel, ServedModel, load_model
from repro.models.completions import OPENING, messages
from repro.rollouts import rollout
from repro.simulators import load_simulator
from repro.types import Turn

from ..endpoint import Server, serving

SYSTEM = Turn("system", "be brief")
DIALOGUE = [SYSTEM, Turn("user", "hello"), Turn("assistant", "What is it?")]


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def served(server: Server) -> ServedModel:
    return ServedModel(server.url, "some/model", max_retries=0)


def test_an_assistant_s_turn_is_asked_for_as_the_dialogue_stands(server):
    sampling = Sampling(temperature=0.5, top_p=0.9, min_p=0.1, max_tokens=7)
    (turn,) = served(server).generate([DIALOGUE[:2]], sampling=sampling, seeds=[2**40 + 3])
    (asked,) = server.asked
    assert turn == Turn("assistant", "HELLO")
    assert asked["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}]
    assert {k: asked[k] for k in ("model", "temperature", "top_p", "min_p", "max_tokens", "seed")} == {
        "model": "some/model", "temperature": 0.5, "top_p": 0.9, "min_p": 0.1, "max_tokens": 7, "seed": 3,
    }  # fmt: skip


def test_a_user_s_turn_is_asked_for_with_the_sides_swapped(server):
    (turn,) = served(server).generate([DIALOGUE], sampling=Sampling(), seeds=[0], role="user")
    assert turn == Turn("user", "WHAT IS IT?")
    assert [m["role"] for m in server.asked[0]["messages"]] == ["system", "user", "assistant", "user"]
    assert "min_p" not in server.asked[0]  # not every server knows it


def test_a_user_is_greeted_before_the_first_turn_and_still_after_it(server):
    served(server).generate([[SYSTEM], DIALOGUE], sampling=Sampling(), seeds=[0, 1], role="user")
    first, second = sorted((asked["messages"] for asked in server.asked), key=len)
    assert first == second[:2] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": OPENING}]


def test_nobody_is_greeted_twice():
    turns = [Turn("assistant", "Good day."), Turn("user", "hello")]
    assert [m["content"] for m in messages([SYSTEM, *turns], "user")] == ["be brief", "Good day.", "hello"]
    assert [m["content"] for m in messages(turns[1:], "user")] == [OPENING, "hello"]


@pytest.mark.parametrize(
    ("message", "reason", "why"),
    [
        ({"content": None, "refusal": "I must not."}, "stop", "refusal, I must not."),
        ({"content": ""}, "content_filter", "content_filter"),
        ({"content": None, "reasoning_content": "hm"}, "length", "length"),
        ({"content": " \n"}, "stop", "stop"),
    ],
    ids=["refusal", "filter", "reasoning", "blank"],
)
def test_an_answer_without_text_fails_alone(server, message, reason, why):
    empty = {"message": {"role": "assistant", **message}, "finish_reason": reason}
    server.say = lambda body: empty if body["messages"][-1]["content"] == "bad" else "fine"
    model = served(server)
    with pytest.raises(ValueError, match=rf"an answer without text \(finish reason: {why}\)"):
        model.generate([[SYSTEM, Turn("user", t)] for t in ("good", "bad")], sampling=Sampling(), seeds=[0, 1])
    assert model.meter.total.n_calls == 2  # it is paid for
    assert model.generate([[SYSTEM, Turn("user", "good")]], sampling=Sampling(), seeds=[0])[0].text == "fine"
    assert len(server.asked) == 2


def test_a_user_may_leave_without_a_word(server):
    server.say = lambda body: "<|endconversation|>"
    (turn,) = served(server).generate([DIALOGUE], sampling=Sampling(), seeds=[0], role="user")
    assert (turn.text, turn.ends) == ("", True)


def test_turns_come_back_in_order_however_long_each_takes(server):
    import time

    def slow_first(body):
        n = int(body["messages"][-1]["content"])
        time.sleep(0.02 * (8 - n))
        return str(n)

    server.say = slow_first
    contexts = [[SYSTEM, Turn("user", str(i))] for i in range(8)]
    turns = served(server).generate(contexts, sampling=Sampling(), seeds=range(8))
    assert [turn.text for turn in turns] == [str(i) for i in range(8)]


def test_the_end_mark_ends_the_users_side_and_what_was_cut_is_flagged(server):
    server.say, server.finish = (lambda body: "bye <|endconversation|> and more"), "length"
    (turn,) = served(server).generate([DIALOGUE], sampling=Sampling(), seeds=[0], role="user")
    assert (turn.text, turn.ends, turn.flags) == ("bye", True, ("truncated",))
    (turn,) = served(server).generate([DIALOGUE[:2]], sampling=Sampling(), seeds=[0])
    assert not turn.ends


def test_a_request_that_fails_once_is_made_again(server):
    answers = iter([500, "at last"])
    server.say = lambda body: next(answers)
    model = ServedModel(server.url, "m", max_retries=2)
    assert model.generate([DIALOGUE[:2]], sampling=Sampling(), seeds=[0])[0].text == "at last"


@pytest.mark.parametrize("status", [401, 404, 500])
def test_an_endpoint_that_refuses_gets_one_sentence(server, status):
    server.say = lambda body: status
    with pytest.raises(ReproError, match=rf"no answer from {server.url} for the model 'some/model' \(.*{status}"):
        served(server).generate([DIALOGUE[:2]], sampling=Sampling(), seeds=[0])


def test_an_endpoint_that_is_down_gets_one_sentence_in_a_rollout():
    user = load_simulator("openai:http://127.0.0.1:9/v1#m")
    object.__setattr__(user.model, "max_retries", 0)
    with pytest.raises(ReproError, match=r"no answer from http://127.0.0.1:9/v1 .*Connection error"):
        rollout(make_tasks(2, split="train", seed=0), user=user, assistant=ScriptedModel("Yes?"))


def test_a_dialogue_that_the_endpoint_cannot_take_is_data(server):
    server.say = lambda body: 400 if "bad" in body["messages"][-1]["content"] else "fine"
    tasks = make_tasks(3, split="train", seed=0)

    class User:
        name = "u"

        def reply(self, tasks, dialogues, *, seed):
            return [Turn("user", "bad" if task is tasks_[1] else "good") for task in tasks]

    tasks_ = tasks
    done = rollout(tasks, user=User(), assistant=served(server), max_turns=1)
    assert [t.stop for t in done] == ["max_turns", "error", "max_turns"]


def test_it_puts_no_words_into_an_endpoint_s_mouth_and_gives_no_logps(server):
    model = load_model(f"openai:{server.url}#m")
    with pytest.raises(ReproError, match="cannot continue words of ours; use roleplay_raw"):
        model.generate([DIALOGUE], sampling=Sampling(), seeds=[0], role="user", prefixes=["I need"])
    with pytest.raises(ReproError, match="no log-probabilities of given text"):
        model.logps([DIALOGUE], [Turn("user", "x")])


def test_the_key_is_sent_and_never_shown(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    model = served(server)
    keys = []
    server.say = lambda body: lambda handler: (keys.append(handler.headers["Authorization"]), handler.send(401, {}))
    with pytest.raises(ReproError) as told:
        model.generate([DIALOGUE[:2]], sampling=Sampling(), seeds=[0])
    assert keys == ["Bearer sk-secret"]
    assert "secret" not in repr(model) + str(told.value)


def test_what_is_written_can_be_held_to_a_schema_where_the_endpoint_knows_them(server):
    model = served(server).held_to({"type": "object"})
    model.generate([DIALOGUE[:2]], sampling=Sampling(), seeds=[0])
    assert server.asked[-1]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    for status in (400, 413, 422):
        server.say = lambda body, status=status: status if "response_format" in body else "free"
        assert model.generate([DIALOGUE[:2]], sampling=Sampling(), seeds=[0])[0].text == "free"
