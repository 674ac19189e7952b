"""What does a chat endpoint have to be sent, and what did it answer?

Such an endpoint writes the assistant's turns only, so to play the user the sides are swapped: what the user said
becomes the assistant's, and the other way round. An answer without text is no turn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from json import JSONDecodeError
from typing import Any

from ..errors import one_line
from ..types import Role, Turn
from .base import Sampling
from .chat import END_OF_CONVERSATION
from .endpoint import Unreadable
from .usage import Usage

OPENING = "Hello! What can I do for you?"  # ours: an endpoint needs a message to answer before the user's first
_SWAPPED: dict[Role, Role] = {"user": "assistant", "assistant": "user", "system": "system"}


def messages(context: Sequence[Turn], role: Role) -> list[dict[str, str]]:
    """`context` as the endpoint has to see it, so that what it writes is the next turn of `role`.

    A user is greeted after the system turn, in every request of a dialogue alike, unless the assistant spoke first.
    """
    if role != "user":
        return [{"role": t.role, "content": t.text} for t in context]
    n = sum(t.role == "system" for t in context[:1])
    greeted = context[n : n + 1] and context[n].role == "assistant"
    turns = [*context[:n], *([] if greeted else [Turn("assistant", OPENING)]), *context[n:]]
    return [{"role": _SWAPPED[t.role], "content": t.text} for t in turns]


def chat_body(
    model: str, context: Sequence[Turn], role: Role, sampling: Sampling, seed: int, schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The request. `min_p` is sent where it asks for something: not every server knows it."""
    extra: dict[str, Any] = {"min_p": sampling.min_p} if sampling.min_p else {}
    if schema:
        named = {"name": "answer", "schema": schema, "strict": True}
        extra["response_format"] = {"type": "json_schema", "json_schema": named}
    return {
        "model": model, "messages": messages(context, role), "temperature": sampling.temperature,
        "top_p": sampling.top_p, "max_tokens": sampling.max_tokens, "seed": seed % 2**31, "extra_body": extra,
    }  # fmt: skip


def turn_of(said: str, finish_reason: str | None, role: Role) -> Turn:
    """A turn of what was written: cut at the end of the conversation, which only a user can bring about.

    Where nothing was written (a refusal, a filter, tokens that went into reasoning) it raises a plain ValueError: it is
    data, not the caller's mistake. A user may end the conversation without a word.
    """
    text, end, _ = said.partition(END_OF_CONVERSATION)
    ends, flags = bool(end) and role == "user", ("truncated",) if finish_reason == "length" else ()
    if not text.strip() and not ends:
        raise ValueError(f"an answer without text (finish reason: {finish_reason})")
    return Turn(role, text.strip(), ends=ends, flags=flags)


def usage_of(answer: Any) -> Usage:
    """What the endpoint says that it read and wrote; one that does not say is counted as a call."""
    said = getattr(answer, "usage", None)
    return Usage(1, int(getattr(said, "prompt_tokens", 0) or 0), int(getattr(said, "completion_tokens", 0) or 0))


async def whole(client: Any, body: Mapping[str, Any]) -> tuple[str, str | None, Usage]:
    """Text, finish reason and usage of one request; a refusal is a reason."""
    async with readable():
        answer = await client.chat.completions.create(**body)
        choice = answer.choices[0]
        refusal = getattr(choice.message, "refusal", None)
        reason = f"refusal, {' '.join(refusal.split())[:200]}" if refusal else choice.finish_reason
        return choice.message.content or "", reason, usage_of(answer)


async def streamed(client: Any, body: Mapping[str, Any], hear: Callable[[str], None]) -> tuple[str, str | None, Usage]:
    """The same, told to `hear` as it grows: all of the text so far, without the beginning of an end mark."""
    import openai

    text, reason, used = "", None, Usage(1)
    stream = await client.chat.completions.create(**body, stream=True, stream_options={"include_usage": True})
    async with readable(openai.APIError), stream:
        async for chunk in stream:
            used = usage_of(chunk) if chunk.usage else used
            for choice in chunk.choices[:1]:
                text += choice.delta.content or ""
                reason = choice.finish_reason or reason
                hear(without_half_an_end(text).strip())
    if reason is None:
        raise Unreadable(f"the answer broke off after {len(text)} characters")
    return text, reason, used


def without_half_an_end(text: str) -> str:
    """The text up to the end of the conversation, or to what may become one."""
    text = text.partition(END_OF_CONVERSATION)[0]
    start = text.rfind("<")
    return text[:start] if start >= 0 and END_OF_CONVERSATION.startswith(text[start:]) else text


@asynccontextmanager
async def readable(*more: type[Exception]) -> AsyncIterator[None]:
    """Say of an answer that is none, or of `more` errors, that it cannot be read."""
    import openai

    kinds = (JSONDecodeError, UnicodeDecodeError, TypeError, AttributeError, LookupError)
    try:
        yield
    except (*kinds, openai.APIResponseValidationError, *more) as error:
        raise Unreadable(f"what it answered cannot be read: {one_line(error)}") from error
