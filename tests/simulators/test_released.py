"""Would user language models that others released speak through the same class?

`microsoft/UserLM-8b` keeps Llama 3's format, `jjssuh/sftuser-base-*` Qwen2.5's, both with `<|endconversation|>` among
the special tokens. Tiny models saved in those layouts stand in for them: no hub is asked.
"""

from __future__ import annotations

import pytest

from repro.models.chat import END_OF_CONVERSATION
from repro.models.tiny import tiny_model
from repro.simulators import UserLM, load_simulator
from repro.types import Task, Turn

from ..families import family_tokenizer

HEADERS = {
    "llama-3": "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
    "qwen2.5": "<|im_end|>\n<|im_start|>user\n",
}
INTENT = "You are a user chatting with an assistant language model to get a note."
TASKS = [Task(f"t{i}", "u", INTENT) for i in range(8)]


@pytest.fixture(params=HEADERS)
def released(request, tmp_path):
    """(family, its simulator), loaded from a folder as from the hub."""
    tokenizer = family_tokenizer(request.param, of_users=True)
    model, _ = tiny_model()
    model.resize_token_embeddings(len(tokenizer))
    model.config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return request.param, load_simulator(str(tmp_path), dtype="float32")


def test_the_user_is_asked_under_its_own_header_with_no_prompt_of_the_template(released):
    family, user = released
    assert isinstance(user, UserLM)
    chat = user.model.format
    context = [user.told(TASKS[0], 0), Turn("user", "hi"), Turn("assistant", "ok")]
    text = chat.tokenizer.decode(chat.ids(context, "user"))
    assert text.endswith(f"ok{HEADERS[family]}")
    assert text.count(TASKS[0].intent) == 1
    assert "You are Qwen" not in text


def test_leaving_is_the_token_of_its_vocabulary(released):
    _, user = released
    chat = user.model.format
    assert chat.end_of_conversation == chat.tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION)
    assert chat.end_of_conversation != chat.end_of_turn


def test_it_speaks_and_its_marks_are_not_seen(released):
    _, user = released
    firsts = user.reply(TASKS, [[] for _ in TASKS], seed=0)
    later = user.reply(TASKS, [[turn, Turn("assistant", "When?")] for turn in firsts], seed=0)
    assert not any(turn.ends for turn in firsts)
    assert not any("<|" in turn.text for turn in [*firsts, *later])


def test_a_model_that_always_leaves_ends_the_conversation(released):
    import torch

    _, user = released
    leave = user.model.format.end_of_conversation
    with torch.no_grad():  # the model that reads its bias off the first dimension: see `models.tiny`
        user.model.model.lm_head.weight[leave, 0] = 90.0
    user.model.decoder.reset()
    turns = user.reply(TASKS, [[Turn("user", "hi"), Turn("assistant", "When?")]] * len(TASKS), seed=0)
    assert all(turn.ends and not turn.text for turn in turns)
