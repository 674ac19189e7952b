from __future__ import annotations

import asyncio
import threading

from repro.models.base import Sampling
from repro.models.scripted import ScriptedModel
from repro.models.served import ServedModel
from repro.study.chat import Desk
from repro.types import Turn

from ..endpoint import serving


class Held(ScriptedModel):
    """Speaks when it is let; notes how many it was asked for at once."""

    def __init__(self, replies):
        super().__init__(replies)
        self.go, self.sizes = threading.Event(), []

    def stream(self, contexts, *, sampling, seeds, on_text):
        self.sizes.append(len(contexts))
        turns = self.generate(contexts, sampling=sampling, seeds=seeds)
        on_text(0, turns[0].text[:3])
        assert self.go.wait(10)
        return turns


def say(text):
    return [Turn("system", "s"), Turn("user", text)]


def heard(job):
    async def listen():
        return [piece async for piece in job.follow()]

    return asyncio.run(asyncio.wait_for(listen(), 10))


def test_who_waits_is_answered_together():
    model, kept = Held(lambda context: f"to {context[-1].text}"), []
    desk = Desk(model, sampling=Sampling(), keep=lambda jobs: kept.extend((job.key, job.text) for job in jobs))
    first = desk.ask((0, "A", 1), say("0"), 0)
    while not model.sizes:
        pass
    rest = [desk.ask((i, "A", 1), say(str(i)), i) for i in range(1, 9)]
    assert desk.ask((1, "A", 1), say("1"), 1) is rest[0]  # asked again, answered once
    model.go.set()
    assert "".join(heard(first)) == "to 0"
    assert ["".join(heard(job)) for job in rest] == [f"to {i}" for i in range(1, 9)]
    assert model.sizes == [1, 8]
    assert sorted(kept) == [((i, "A", 1), f"to {i}") for i in range(9)]
    desk.stop()


def test_two_who_listen_hear_the_same_whenever_they_come():
    model = Held(["hello there"])
    desk = Desk(model, sampling=Sampling(), keep=lambda jobs: None)
    job = desk.ask((0, "A", 1), say("hi"), 0)
    while not job.text:
        pass

    async def both():
        early = asyncio.create_task(collect())
        await asyncio.sleep(0.05)
        model.go.set()
        return await early, await collect()

    async def collect():
        return [piece async for piece in job.follow()]

    early, late = asyncio.run(both())
    assert early == ["hel", "lo there"]
    assert late == ["hello there"]
    assert job.first_after is not None
    desk.stop()


def test_one_bad_dialogue_stays_one():
    def reply(context):
        if context[-1].text == "3":
            raise ValueError("too long")
        return "fine"

    desk = Desk(ScriptedModel(reply), sampling=Sampling(), keep=lambda jobs: None)
    jobs = [desk.ask((i, "A", 1), say(str(i)), i) for i in range(5)]
    said = ["".join(heard(job)) for job in jobs]
    assert said == ["fine", "fine", "fine", "", "fine"]
    assert [job.error for job in jobs] == [None, None, None, "ValueError: too long", None]
    desk.stop()


def test_a_reply_that_cannot_be_kept_is_not_announced():
    def keep(job):
        raise OSError("disk full")

    desk = Desk(ScriptedModel(["hello"]), sampling=Sampling(), keep=keep)
    job = desk.ask((0, "A", 1), say("hi"), 0)
    heard(job)
    assert job.error == "OSError: disk full"
    desk.stop()


def test_an_endpoint_is_heard_word_by_word_and_one_dialogue_that_it_refuses_stays_one():
    with serving() as server:
        server.say = lambda body: 400 if body["messages"][-1]["content"] == "1" else "an answer in pieces"
        kept = []
        desk = Desk(
            ServedModel(server.url, "m"), sampling=Sampling(), keep=lambda jobs: kept.extend(job.text for job in jobs)
        )
        jobs = [desk.ask((i, "A", 1), say(str(i)), i) for i in range(3)]
        assert [len(heard(job)) > 0 for job in jobs] == [True, False, True]
        assert kept == ["an answer in pieces"] * 2
        assert "400" in jobs[1].error
        assert len(server.asked) == 3
        assert all(body["stream"] for body in server.asked)
        desk.stop()
