"""Is the stand-in a language model like the others, made of nothing but its seed?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.models.local import LocalModel, load_weights
from repro.models.tiny import SPECIAL, tiny_model, tiny_tokenizer

torch = pytest.importorskip("torch")
TOKENIZER = tiny_tokenizer()


@given(st.text())
def test_any_text_can_be_written_and_read_back(text):
    ids = TOKENIZER(text, split_special_tokens=True)["input_ids"]
    assert TOKENIZER.decode(ids) == text
    assert len(ids) == len(text.encode("utf-8", "surrogatepass"))


def test_marks_are_one_token_each_and_stand_where_smollm2_has_them():
    assert TOKENIZER("<|endoftext|><|im_start|><|im_end|>")["input_ids"] == [0, 1, 2]


def test_the_template_slips_in_a_system_prompt_when_there_is_none():
    uninvited = TOKENIZER.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert uninvited.startswith("<|im_start|>system\nYou are an uninvited prompt.")


def test_weights_are_a_function_of_the_seed_and_leave_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    a, b, c = tiny_model(0)[0], tiny_model(0)[0], tiny_model(1)[0]
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert not torch.equal(a.lm_head.weight, c.lm_head.weight)


def test_it_loads_by_name_in_the_type_asked_for():
    model, tokenizer = load_weights("tiny", dtype="bfloat16")
    assert model.dtype == torch.bfloat16
    assert len(tokenizer) == model.config.vocab_size == 259


def test_its_end_of_conversation_is_end_of_text_unless_it_has_a_token_for_it():
    assert LocalModel(*tiny_model(), name="tiny").format.end_of_conversation == 0
    own = LocalModel(*tiny_model(special=(*SPECIAL, "<|endconversation|>")), name="tiny")
    assert own.format.end_of_conversation == 3
