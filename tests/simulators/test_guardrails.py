"""Does each guardrail send back what it should, can it be switched off, and is it counted?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from repro.models import LocalModel, ScriptedModel
from repro.models.tiny import tiny_model
from repro.simulators import Guardrails, UserLM
from repro.simulators.guardrails import FIRST_WORDS, OFF, RULES, counts
from repro.types import Task, Turn

TASK = Task("t", "u", "You are a user who wants a note.")
OPENED = [Turn("user", "a note pls"), Turn("assistant", "When is it?")]
ALL = Guardrails()
BREAKS = {
    "first_words": Turn("user", "Certainly, I need a note"),
    "early_end": Turn("user", "", ends=True),
    "length": Turn("user", "long " * 201),
    "repeat": Turn("user", "you are a USER who  wants a note."),
}
SWITCHES = {
    "first_words": {"first_words": ()}, "early_end": {"min_turns": 0}, "length": {"max_words": 0},
    "repeat": {"repeats": True},
}  # fmt: skip


class Drafts(ScriptedModel):
    """Says one line after another, whatever it is asked; remembers how it was asked."""

    def __init__(self, *lines: Turn) -> None:
        super().__init__("x")
        self.lines, self.asked = list(lines), []

    def generate(self, contexts, *, sampling, seeds, role="assistant", prefixes=None):
        self.asked.append((len(contexts), sampling.may_end, bool(sampling.suppress_first), tuple(seeds)))
        return [self.lines.pop(0) for _ in contexts]


def reply(*drafts: Turn, rails: Guardrails = ALL, dialogue=()) -> tuple[Turn, Drafts]:
    model = Drafts(*drafts)
    (turn,) = UserLM(model, guardrails=rails).reply([TASK], [list(dialogue)], seed=0)
    return turn, model


@pytest.mark.parametrize("rule", RULES)
def test_a_draft_that_breaks_a_rule_is_drawn_again_and_the_turn_says_so(rule):
    turn, model = reply(BREAKS[rule], Turn("user", "hi"))
    assert (turn.text, turn.flags) == ("hi", ("resampled", f"guarded:{rule}"))
    assert len({seeds for *_, seeds in model.asked}) == 2  # another seed


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_can_be_switched_off(rule):
    turn, model = reply(BREAKS[rule], rails=replace(ALL, **SWITCHES[rule]))
    assert turn == BREAKS[rule]
    assert len(model.asked) == 1


def test_a_turn_that_keeps_the_rules_is_as_it_was_drawn():
    assert reply(Turn("user", "hi"))[0] == Turn("user", "hi")
    assert reply(Turn("user", "", ends=True), dialogue=OPENED)[0] == Turn("user", "", ends=True)


def test_a_word_that_only_begins_like_a_forbidden_one_is_a_users():
    assert reply(Turn("user", "Surely you can"))[0].flags == ()
    assert reply(Turn("user", "Here is my essay"))[0].flags == ()


def test_what_anyone_said_before_is_not_said_again():
    for said in ("A note  pls", "when is it?"):
        assert reply(Turn("user", said), Turn("user", "soon"), dialogue=OPENED)[0].text == "soon"


def test_a_turn_that_was_cut_off_or_is_empty_is_drawn_again():
    for draft in (Turn("user", "and then", flags=("truncated",)), Turn("user", "  ")):
        assert reply(draft, Turn("user", "hi"))[0].flags == ("resampled", "guarded:length")


def test_tries_are_bounded_and_the_last_one_is_forced():
    draft = Turn("user", "Certainly")
    turn, model = reply(*[draft] * 3, rails=replace(ALL, n_tries=3))
    assert turn.flags == ("resampled", "guarded:first_words", "unguarded:first_words")
    assert [(may_end, held) for _, may_end, held, _ in model.asked] == [(True, False), (True, False), (False, True)]


def test_only_the_dialogues_that_broke_a_rule_are_drawn_again_and_order_is_kept():
    model = Drafts(Turn("user", "one"), Turn("user", "Sure"), Turn("user", "three"), Turn("user", "two"))
    turns = UserLM(model, guardrails=ALL).reply([TASK] * 3, [[], OPENED, []], seed=0)
    assert [turn.text for turn in turns] == ["one", "two", "three"]
    assert [n for n, *_ in model.asked] == [3, 1]


def test_how_often_each_rule_fired_is_counted():
    turns = [reply(BREAKS[rule], Turn("user", "hi"))[0] for rule in ("repeat", "repeat", "length")]
    found = counts([*turns, Turn("user", "hi")])
    assert {key: n for key, n in found.items() if n} == {"guarded:repeat": 2, "guarded:length": 1}
    assert set(found) == {f"{kind}:{rule}" for kind in ("guarded", "unguarded") for rule in RULES}


def test_with_all_of_them_off_it_draws_once():
    turn, model = reply(BREAKS["early_end"], rails=OFF)
    assert turn == BREAKS["early_end"]
    assert len(model.asked) == 1


def test_with_real_tokens_nobody_leaves_early_or_begins_as_assistants_do():
    model = LocalModel(*tiny_model(), name="tiny")
    tasks = [Task(f"t{i}", "u", "You are a user.") for i in range(24)]
    rails = replace(ALL, first_words=(*FIRST_WORDS, "e"), n_tries=2)
    turns = UserLM(model, guardrails=rails).reply(tasks, [[] for _ in tasks], seed=1)
    assert not any(turn.ends for turn in turns)
    assert not any(turn.text.split()[0] in ("e", "Sure") for turn in turns if turn.text)


def test_without_guardrails_nothing_has_changed():
    """The same calls as ever: assistants were trained against these texts."""
    model = Drafts(Turn("user", "hi"), Turn("user", "Certainly"))
    turns = UserLM(model).reply([TASK, TASK], [[], OPENED], seed=0)
    assert [turn.flags for turn in turns] == [(), ()]
    assert [(n, may_end, held) for n, may_end, held, _ in model.asked] == [(1, False, True), (1, True, True)]
