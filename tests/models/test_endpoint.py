"""What is asked again, what is counted, and what is said, when an endpoint misbehaves?"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.models import Sampling, ScriptedModel, ServedModel
from repro.models.base import MeteredModel, StreamingModel
from repro.models.endpoint import MOST_FAILED
from repro.models.usage import Usage
from repro.rollouts import rollout
from repro.scoring.asking import Answer, Asker, Question
from repro.types import Turn

from ..endpoint import Server, busy, cut, garbage, half, hang, reset, serving

SAMPLING = Sampling(max_tokens=8)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def said(*texts):
    return [[Turn("system", "s"), Turn("user", text)] for text in texts]


def ask(model, *texts):
    return [turn.text for turn in model.generate(said(*texts), sampling=SAMPLING, seeds=range(len(texts)))]


def listen(model, *texts):
    heard = [""] * len(texts)

    def hear(i, piece):
        heard[i] += piece

    turns = model.stream(said(*texts), sampling=SAMPLING, seeds=range(len(texts)), on_text=hear)
    assert heard == [turn.text for turn in turns]
    return heard


def in_turn(*answers):
    """Each answer once, the last one from then on."""
    left = list(answers)
    return lambda body: left.pop(0) if len(left) > 1 else left[0]


# what passes is asked again


@pytest.mark.parametrize(
    "fault",
    [500, 503, busy(0.01), reset, cut, hang(0.6), garbage(b"{"), garbage({"no": "choices"}), garbage(b"\xff\xfe")],
    ids=["500", "503", "429", "reset", "cut", "hang", "half json", "other json", "bytes"],
)
def test_what_passes_is_asked_again_and_counted_once(server, fault):
    server.say = in_turn(fault, "at last")
    model = ServedModel(server.url, "m", max_retries=2, timeout=0.4)
    assert ask(model, "hi") == ["at last"]
    assert len(server.asked) == 2
    assert server.asked[0] == server.asked[1]  # the seed too
    assert model.meter.total == Usage(1, 7, 2)


def test_a_server_that_says_when_to_come_back_is_given_that_time(server):
    server.say = in_turn(busy(1.2), "at last")
    begun = time.monotonic()
    assert ask(ServedModel(server.url, "m", max_retries=1), "hi") == ["at last"]
    assert 1.2 <= time.monotonic() - begun < 4


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (500, "500"), (busy(0.01), "429"), (reset, "Connection error"), (hang(0.6), "timed out"),
        (garbage({}), "cannot be read"), (cut, "Connection error"),
    ],
    ids=["500", "429", "reset", "hang", "json", "cut"],
)  # fmt: skip
def test_what_does_not_pass_is_said_in_one_sentence(server, fault, words):
    server.say = lambda body: fault
    model = ServedModel(server.url, "m", max_retries=1, timeout=0.4)
    with pytest.raises(
        ReproError, match=rf"^no answer from {server.url} for the model 'm' \(.*{words}.*mend the spec$"
    ):
        ask(model, "hi")
    assert len(server.asked) == 2
    assert model.meter.total == Usage()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_not_asked_again(server, status):
    server.say = lambda body: status
    with pytest.raises(ReproError, match=str(status)):
        ask(ServedModel(server.url, "m"), "hi")
    assert len(server.asked) == 1


def test_who_asks_for_a_model_that_is_not_there_is_told_which_are(server):
    server.say = lambda body: 404
    with pytest.raises(ReproError, match=r"for the model 'm' \(.*\); it serves one, other; start it, or mend the spec"):
        ask(ServedModel(server.url, "m"), "hi")


# one dialogue's fault is that dialogue's


def test_a_request_that_is_bad_fails_alone_and_the_others_are_paid_for_once(server):
    server.say = lambda body: 400 if body["messages"][-1]["content"] == "bad" else "fine"
    model = ServedModel(server.url, "m")
    texts = ["good", "bad", "better", "best"]
    with pytest.raises(Exception, match="400") as error:
        ask(model, *texts)
    assert not isinstance(error.value, ReproError)
    alone = [model.generate(said(texts[i]), sampling=SAMPLING, seeds=[i])[0].text for i in (0, 2, 3)]
    assert alone == ["fine"] * 3
    with pytest.raises(Exception, match="400"):
        model.generate(said("bad"), sampling=SAMPLING, seeds=[1])
    assert len(server.asked) == 4
    assert model.meter.total.n_calls == 3


def test_in_a_rollout_every_dialogue_but_the_bad_one_goes_on_and_nothing_is_asked_twice(server):
    tasks = make_tasks(5, split="train", seed=0)

    class User:
        name = "u"

        def reply(self, tasks_, dialogues, *, seed):
            return [Turn("user", "bad" if task is tasks[1] else task.id) for task in tasks_]

    server.say = lambda body: 400 if body["messages"][-1]["content"] == "bad" else "fine"
    model = ServedModel(server.url, "m")
    done = rollout(tasks, user=User(), assistant=model, max_turns=1)
    assert [t.stop for t in done] == ["max_turns", "error", "max_turns", "max_turns", "max_turns"]
    assert len(server.asked) == 5
    assert model.meter.total.n_calls == 4


def test_one_prompt_on_which_a_living_server_stumbles_is_that_dialogues_fault(server):
    server.say = lambda body: 500 if body["messages"][-1]["content"] == "2" else "fine"
    tasks = make_tasks(3, split="train", seed=0)

    class User:
        name = "u"

        def reply(self, tasks_, dialogues, *, seed):
            return [Turn("user", str(tasks.index(task))) for task in tasks_]

    model = ServedModel(server.url, "m", max_retries=1)
    done = rollout(tasks, user=User(), assistant=model, max_turns=1)
    assert [t.stop for t in done] == ["max_turns", "max_turns", "error"]
    assert done[2].error is not None
    assert "500" in done[2].error


def test_a_question_that_is_too_long_costs_the_others_nothing(server, tmp_path):
    server.say = lambda body: 400 if body["messages"][-1]["content"] == "bad" else '"yes"'
    questions = [Question("s", text, {"type": "string"}, Answer) for text in ("a", "bad", "b")]
    model = ServedModel(server.url, "m")
    rows = Asker(model, tmp_path / "rows.jsonl", SAMPLING, n_tries=1).ask(questions)
    assert [row["text"] for row in rows] == ['"yes"', "", '"yes"']
    assert "400" in rows[1]["reason"]
    assert model.meter.total.n_calls == 2


def test_an_endpoint_that_is_down_is_given_up_at_once_not_once_a_dialogue(server):
    server.say = lambda body: 503
    model = ServedModel(server.url, "m", n_parallel=2, max_retries=0)
    with pytest.raises(ReproError, match="503"):
        ask(model, *map(str, range(50)))
    assert len(server.asked) <= 4


@pytest.mark.parametrize("fault", [500, hang(0.6)], ids=["500", "hang"])
def test_a_question_on_which_a_living_server_stumbles_every_time_stops_nobody(server, tmp_path, fault):
    server.say = lambda body: fault if body["messages"][-1]["content"] == "bad" else '"yes"'
    questions = [Question("s", text, {"type": "string"}, Answer) for text in ("a", "bad", "b")]
    model = ServedModel(server.url, "m", max_retries=1, timeout=0.4)
    rows = Asker(model, tmp_path / "rows.jsonl", SAMPLING).ask(questions)  # from the second try on it is asked alone
    assert [row["text"] for row in rows] == ['"yes"', "", '"yes"']
    assert rows[1]["tries"] == 3
    assert model.held_to({}).pulse is model.pulse


def test_an_endpoint_that_went_down_is_given_up_after_some_requests_in_a_row(server):
    model = ServedModel(server.url, "m", n_parallel=2, max_retries=0)
    assert ask(model, "hi") == ["HI"]
    server.say = lambda body: 503
    with pytest.raises(ReproError, match="503"):
        ask(model, *map(str, range(50)))
    assert MOST_FAILED < len(server.asked) - 1 <= MOST_FAILED + 4
    server.say = lambda body: "back"
    assert ask(model, "hi") == ["back"]
    assert model.pulse.n_failed == 0


# streams


def test_a_stream_is_heard_word_by_word_and_counted(server):
    server.say = lambda body: "one two three <|endconversation|> four"
    model = ServedModel(server.url, "m")
    pieces = []
    (turn,) = model.stream(said("hi"), sampling=SAMPLING, seeds=[0], on_text=lambda i, piece: pieces.append(piece))
    assert turn == Turn("assistant", "one two three")
    assert "".join(pieces) == turn.text
    assert len(pieces) > 2
    assert model.meter.total == Usage(1, 7, 2)
    assert isinstance(model, StreamingModel)
    assert isinstance(model, MeteredModel)
    assert listen(model, "a", "b") == ["one two three"] * 2


def test_half_a_stream_is_asked_for_again_and_told_once(server):
    server.say = in_turn(half("one tw"), "one two three")
    model = ServedModel(server.url, "m", max_retries=1)
    assert listen(model, "hi") == ["one two three"]
    assert len(server.asked) == 2
    assert model.meter.total == Usage(1, 7, 2)


def test_a_stream_that_is_other_words_the_second_time_fails(server):
    server.say = in_turn(half("one tw"), "three four")
    with pytest.raises(ReproError, match="was other words when it was asked for again"):
        listen(ServedModel(server.url, "m", max_retries=1), "hi")


def test_a_stream_that_is_busy_at_first_or_down_is_as_any_request(server):
    server.say = in_turn(busy(0.01), "fine")
    assert listen(ServedModel(server.url, "m", max_retries=1), "hi") == ["fine"]
    server.say = lambda body: half("fi")
    with pytest.raises(ReproError, match="broke off after 2 characters"):
        listen(ServedModel(server.url, "m", max_retries=1), "hi")


# many at once, from anywhere


def test_no_more_are_under_way_than_was_said(server):
    server.say = lambda body: (time.sleep(0.05), "x")[1]
    ask(ServedModel(server.url, "m", n_parallel=3), *map(str, range(9)))
    assert server.most == 3


def test_a_running_event_loop_is_no_hindrance(server):
    async def cell():
        return ask(ServedModel(server.url, "m"), "in a notebook")

    assert asyncio.run(cell()) == ["IN A NOTEBOOK"]


def test_a_notebook_may_ask(server):
    """The kernel runs cells inside its event loop."""
    import nbformat.v4 as nb
    from nbclient import NotebookClient

    source = (
        "import asyncio; asyncio.get_running_loop()\n"
        "from repro.models import Sampling, ServedModel\nfrom repro.types import Turn\n"
        f"model = ServedModel({server.url!r}, 'm')\n"
        "print(model.generate([[Turn('system', 's'), Turn('user', 'hi')]], sampling=Sampling(), seeds=[0])[0].text)"
    )
    notebook = nb.new_notebook(cells=[nb.new_code_cell(source)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert notebook.cells[0].outputs[0]["text"] == "HI\n"


def test_many_threads_may_ask_one_model(server):
    model, found = ServedModel(server.url, "m"), {}
    threads = [threading.Thread(target=lambda i=i: found.update({i: ask(model, f"a{i}")})) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: [f"A{i}"] for i in range(8)}


def test_an_interrupt_ends_what_is_under_way_at_once(server, interruptible):
    server.say = lambda body: hang(30)
    source = (
        "from repro.models import Sampling, ServedModel\nfrom repro.types import Turn\n"
        f"model = ServedModel({server.url!r}, 'm')\n"
        "model.generate([[Turn('system', 's'), Turn('user', 'hi')]], sampling=Sampling(), seeds=[0])"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", source], stderr=subprocess.PIPE, env=dict(os.environ), **interruptible
    )
    while not server.asked:
        assert child.poll() is None
        time.sleep(0.05)
    begun = time.monotonic()
    child.send_signal(2)
    child.wait(20)
    assert time.monotonic() - begun < 5
    assert child.stderr is not None
    assert b"KeyboardInterrupt" in child.stderr.read()


def test_nothing_asked_is_nothing_answered():
    assert ask(ServedModel("http://127.0.0.1:9/v1", "m")) == []


def test_only_endpoints_say_what_they_used():
    assert not isinstance(ScriptedModel("x"), MeteredModel)
