"""What do the chat formats of well-known families look like, on tokenizers of a few hundred tokens?

The templates do what those of SmolLM2, Qwen2.5 and Llama 3 do: the marks, a system prompt that is slipped in where none
is given, a beginning of text, trimmed contents.
"""

from __future__ import annotations

from typing import Any

from repro.models.chat import END_OF_CONVERSATION
from repro.models.tiny import tiny_tokenizer

_CHATML = (
    "{{% if messages[0]['role'] != 'system' %}}<|im_start|>system\n{uninvited}<|im_end|>\n{{% endif %}}"
    "{{% for message in messages %}}{{{{ '<|im_start|>' + message.role + '\n' + message.content }}}}"
    "{{{{ '<|im_end|>' + '\n' }}}}{{% endfor %}}"
    "{{% if add_generation_prompt %}}{{{{ '<|im_start|>assistant\n' }}}}{{% endif %}}"
)
_LLAMA3 = (
    "{% for message in messages %}{% set said = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    " + message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set said = bos_token + said %}{% endif %}{{ said }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
_LLAMA_MARKS = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")

# name -> special tokens, template, bos, eos (None: the tokenizer has none)
FAMILIES = {
    "smollm2": (
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        _CHATML.format(uninvited="You are SmolLM."), "<|im_start|>", "<|im_end|>",
    ),
    "qwen2.5": (
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        _CHATML.format(uninvited="You are Qwen."), None, "<|im_end|>",
    ),
    "llama-3": (_LLAMA_MARKS, _LLAMA3, "<|begin_of_text|>", "<|eot_id|>"),
}  # fmt: skip


def family_tokenizer(name: str, *, of_users: bool = False, template: bool = True) -> Any:
    """A byte tokenizer in a family's format; `of_users` puts the end of a conversation among its tokens."""
    special, text, bos, eos = FAMILIES[name]
    tokenizer = tiny_tokenizer((*special, END_OF_CONVERSATION) if of_users else special)
    tokenizer.chat_template = text if template else None
    tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token = bos, eos, eos
    return tokenizer
