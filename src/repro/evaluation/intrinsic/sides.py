"""Whose part does a reply play, the user's or the assistant's?

Four things are the assistant's: to agree to change sides, to offer help, to ask for what a writer needs to know, and to
write. A document is known by whom it speaks to: it greets its readers, stands under a title, or says what is said to
readers ("Please note", "I look forward to your reply"). How long a reply is and how much of what is wanted it states
make it no document: to state what one wants is what users do, and whoever does so after "Of course" has answered and
not agreed. The patterns are ours, tried on replies labelled by hand; the tests say how often they err on either side.
"""

from __future__ import annotations

import re

from ...data.acts import mentions
from ...types import Task, Turn

AGREES = re.compile(
    r"^\W*(?:sure|certainly|of course|absolutely|ok(?:ay)?|yes|yeah|yep|happy to|gladly|deal|sounds (?:good|great|fun)"
    r"|great idea|good idea|why not|i'?d (?:love|be happy|be glad))\b",
    re.I,
)
DECLINES = re.compile(
    r"\b(?:no|nope|not|don'?t|do not|won'?t|rather|never ?mind|instead|first|later|back to|stick|focus|only|just|still"
    r"|i (?:need|want)(?:ed)?|can we|can you|that'?s your job|you (?:write|are|'?re))\b",
    re.I,
)
_SERVES = re.compile(  # says what only the one who serves says
    r"\b(?:how (?:can|may) i (?:help|assist)|can i help|what (?:would|do|can) (?:you|i) (?:like|want|need|help|do for)"
    r"|i(?:'?ll| will| can|(?:'?m| am) (?:here|happy|glad|ready) to|'?d be (?:happy|glad) to)\W+(?:\w+\W+)?"
    r"(?:help|assist|write|draft|do|suggest|take over|ask)"
    r"|as an ai|i'?m (?:the|an?) (?:ai|assistant)|let me (?:help|know (?:what|if|how)|write|draft|take)"
    r"|here(?:'s| is| are)\b(?! (?:the|my|all) (?:details|facts|rest))|feel free"
    r"|my (?:question|first question) (?:for you )?is)",
    re.I,
)
_ASKS = re.compile(  # what the text is to say
    r"\btell me (?:more|what|when|where|who|how|about|the)\b"
    r"|\b(?:give|send|share)(?: me| with me)? (?:the|more|some) details\b"
    r"|\bwhat (?:should|would|will|shall) (?:it|this|the \w+) (?:say|include|contain|cover|mention)\b"
    r"|\bwhat (?:is|was|are|'s) the (?:purpose|subject|topic|occasion|name|date|time|place|size|programme)\b",
    re.I,
)
_WRITES = re.compile(  # to the readers of a text: a greeting line, a title line, and what is said to readers
    r"^\W*(?:subject:|dear\b)|^(?:hi|hello|hey|good (?:day|morning|evening))\b[^.?!:;\n]{0,30}[,!.]?[ \t]*\n"
    r"|\A[A-Z][^.?!:;,\n]{2,60}\n\s*[A-Z]"
    r"|\bplease (?:note|find|join|see|read|get in touch|keep (?:this|an eye)|take a|let us know)\b"
    r"|\b(?:i|we)(?:'m| am|'re| are)? look(?:ing)? forward to\b|\bthanks? (?:you )?for reading\b"
    r"|(?:^|[.!?]\s)\s*i(?:'m| am) writing (?:to|about)\b|\bhappy to answer\b"
    r"|\bthis is an? (?:\w+ )?(?:note|message|flyer|notice|letter)"
    r"|\byou(?:'re| are)(?: all| warmly)? (?:invited|welcome)\b|\b(?:kind|best|warm) (?:regards|wishes)\b",
    re.I | re.M,
)


def stays_user(reply: Turn, task: Task) -> bool:
    """False where a reply offers to serve, asks as a writer asks, writes a document, or agrees and wants nothing."""
    if is_silent(reply):
        return True
    if any(does.search(reply.text) for does in (_SERVES, _ASKS, _WRITES)):
        return False
    return not AGREES.search(reply.text) or bool(DECLINES.search(reply.text)) or states_a_wish(reply.text, task)


def is_silent(reply: Turn) -> bool:
    """Whether it leaves or says nothing: it has then neither changed sides nor followed."""
    return reply.ends or not reply.text.strip()


def states_a_wish(text: str, task: Task) -> bool:
    """Whether it gives away any of what the task's user wants."""
    return any(mentions(r, text) for r in task.requirements)
