"""How does text leave a model while its tokens are still being drawn?

A token may hold half a character, or a space that the finished text will not end in. So what is decoded so far is held
back from its last incomplete character or space on, and the rest goes out once it is certain. The pieces of a row, put
together, are the text of its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .base import OnText


class Pieces:
    """Tells `on_text` (index, piece) what is new in each of `n` texts. `offset` is the index of row 0."""

    def __init__(self, n: int, on_text: OnText, *, offset: int = 0) -> None:
        self.on_text, self.offset = on_text, offset
        self.said = [""] * n

    def so_far(self, row: int, text: str) -> None:
        """Send what is certain of a text that is not finished."""
        self._send(row, text.rstrip("\ufffd").rstrip())

    def close(self, texts: Sequence[str]) -> None:
        """Send what was held back of each finished text."""
        for row, text in enumerate(texts):
            self._send(row, text)

    def _send(self, row: int, text: str) -> None:
        said = self.said[row]
        if len(text) > len(said) and text.startswith(said):
            self.said[row] = text
            self.on_text(self.offset + row, text[len(said) :])


class TokenPieces(Pieces):
    """The same from tokens: `begun` are the ids that each row begins with, `text_of` decodes ids, stripped."""

    def __init__(
        self,
        text_of: Callable[[Sequence[int]], str],
        begun: Sequence[Sequence[int]],
        on_text: OnText,
        *,
        offset: int = 0,
    ) -> None:
        super().__init__(len(begun), on_text, offset=offset)
        self.text_of = text_of
        self.ids = [list(prefix) for prefix in begun]

    def add(self, row: int, token: int) -> None:
        self.ids[row].append(token)
        self.so_far(row, self.text_of(self.ids[row]))
