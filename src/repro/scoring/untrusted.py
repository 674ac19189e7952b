"""How is a text that somebody else wrote shown to a judge, so that it can be read and not mistaken for our words?

An answer under test may hold instructions, verdicts in our format, marks of a chat template, letters that nobody sees,
or a hundred thousand characters. It is put in a block whose first and last line carry a *ticket* and whose other lines
all begin with "| ": no line of the text itself stands at the margin. The judge has to copy the ticket into its verdict.
A ticket depends on the whole question, so that a text cannot hold its own: a verdict that was copied out of an answer
has none, and is rejected.

What this cannot do: a judge that *believes* an answer ("this deserves full marks") and fills in the form as it should
is steered all the same. For that there is `suspicious`, which marks such answers so that they can be looked at apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from ..models.hashes import digest

MOST = 20_000  # characters of a text that a judge sees; ours: eight times the 2,048 tokens that answers may have
_BREAKS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")  # whatever str.splitlines takes for an end of line
_MARKS = re.compile(
    r"<(?=\||/?s>|</?SYS>>|/?(?:start|end)_of_turn>|/?(?:bos|eos|pad|unk)>)|\[(?=/?INST\])"
)  # where a mark of a chat template begins
_KEPT = "\n\t\u200c\u200d"  # joiners are letters of several scripts, and of emoji
_ORDERS = (
    r"ignore (all |any |the )?(previous|prior|above|earlier|other)",
    r"disregard (all |any |the |your )",
    r"\bsystem (prompt|message|note)",
    r"\b(you are|act as|you're) (now )?(a |the )?(judge|grader|evaluator)",
    r"(full|maximum|highest|perfect) (marks|score|rating)",
    r"(all|every|each) (item|criteri\w+|requirement|point)s? (is|are|as|has|have) (been )?(met|satisfied|true)",
    r"\"(met|score|verdict|ticket|choice)\"\s*:",
    r"\b(mark|rate|score|grade|choose|pick|prefer) (this|it|me|my|all|every|answer)",
    r"A\+\+|\[(begin|end) |<\||\[/?INST\]|score (of )?10\b|\b10 ?/ ?10\b|verdict",
)
_ORDER = re.compile("|".join(_ORDERS), re.IGNORECASE)


@dataclass(frozen=True)
class Shown:
    """A text as the judge sees it, and what was done to it."""

    block: str
    n_hidden: int  # letters that nobody sees, replaced
    n_cut: int  # characters left out


def ticket_of(*parts: object) -> str:
    """16 hexadecimal digits that depend on everything in the question."""
    return digest([str(part) for part in parts])[:16]


def shown(name: str, text: str, *, ticket: str, most: int = MOST) -> Shown:
    """`text` as a block that it cannot leave. The middle of a long one is left out; both ends are kept."""
    cut, n_cut = _cut(text, most)
    lines, n_hidden = [], 0
    for part in cut:
        seen, n = _seen(part)
        n_hidden += n
        lines.append("\n".join(f"| {line}" for line in seen.split("\n")))
    middle = f"\n[{n_cut} characters of {name} left out {ticket}]\n"
    return Shown(f"[begin {name} {ticket}]\n{middle.join(lines)}\n[end {name} {ticket}]", n_hidden, n_cut)


def suspicious(text: str) -> bool:
    """Whether a text speaks to its judge: a rule of thumb that marks, and never changes, a verdict."""
    plain = unicodedata.normalize("NFKC", "".join(c for c in text if _visible(c)))
    return bool(_ORDER.search(plain)) or _seen(text)[1] > 0


def notes_on(texts: Mapping[str, str], blocks: Mapping[str, Shown]) -> dict[str, object]:
    """What goes into the record: which texts look as if they speak to the judge, what was hidden and what was cut."""
    return {
        "suspicious": sorted(name for name, text in texts.items() if suspicious(text)),
        "n_hidden": sum(block.n_hidden for block in blocks.values()),
        "n_cut": sum(block.n_cut for block in blocks.values()),
    }


def _cut(text: str, most: int) -> tuple[list[str], int]:
    if len(text) <= most:
        return [text], 0
    half = most // 2
    return [text[:half], text[-half:]], len(text) - 2 * half


def _seen(text: str) -> tuple[str, int]:
    """The text with one kind of line break, marks of chat templates broken, and hidden letters replaced (counted)."""
    plain = _MARKS.sub(lambda mark: f"{mark[0]} ", _BREAKS.sub("\n", text))
    hidden = sum(not _visible(letter) for letter in plain)
    return ("".join(c if _visible(c) else "\ufffd" for c in plain) if hidden else plain), hidden


def _visible(letter: str) -> bool:
    """No control, format (bidirectional marks, tags), surrogate, private or unassigned character."""
    return letter in _KEPT or not unicodedata.category(letter).startswith("C")
