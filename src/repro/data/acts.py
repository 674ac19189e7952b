"""What did the assistant just do: ask, draft, or both? And what did the user say so far?

Both are read from the text alone, so that any user and any assistant can be put together. A question is what
trails a message; a draft is what remains, if that is long enough to be a document. Reading by keywords is
rough and errs in the same way for every arm.
"""

from __future__ import annotations

import re
from functools import cache

from repro.data.requirements import meets
from repro.types import Requirement, Task

MIN_DRAFT_WORDS = 12  # ours: a shorter text is an acknowledgement, not a document

_SENTENCE = re.compile(r"[^.?!\n]+(?:\.(?=\S)[^.?!\n]*)*[.?!]*[\"')\]*]*\s*|\n+")
_ORDER = re.compile(
    r"^\W*(?:(?:please|and|just|so|also|first|could you|can you)\W+)*"
    r"(?:tell me|let me know|share|provide|give me|specify|i (?:just |still |only )?need to know)\b",
    re.I,
)
_CHAT = re.compile(  # what an assistant says about the text, not in it
    r"^\W*(?:sure|of course|certainly|absolutely|ok(?:ay)?|great|got it|happy to|glad to"
    r"|i'?d (?:be|love)|i'?m (?:happy|glad) to help"
    r"|i(?: can|'?ll| will| would)(?: gladly)? help|i (?:just |will |would |still )*need (?:some|more|a few|to know)"
    r"|before i (?:write|start|draft)|here (?:is|'s) [^.?!]*:\s*$)",
    re.I,
)
_GENERIC = re.compile(
    r"\b(?:details?|information|info|include[ds]?|included|anything|something|else|more|specifics?"
    r"|mention(?:ed)?|should i know|preferences?|requirements?|points|needs?|cover(?:ed)?|in mind|say)\b",
    re.I,
)
_ASKED = {
    "recipient": r"who|whom|recipients?|addressed|receiv\w+",
    "sender": r"your name|sender|from whom|who.{0,12}from|sign(?:ing|ed|s)? it|sign(?:s|ing)? (?:this|the)",
    "honoree": r"who|whom|whose|honou?r\w*|celebrat\w+|guest of honou?r",
    "contact": r"contact|reach|whom|who (?:should|can|do|to)|get in touch|ask for",
    "date": r"dates?|when|what day|which day",
    "deadline": r"deadline|by when|due|rsvp|reply by|when|until|last day|cut-?off",
    "time": r"what time|times?|when|start(?:s|ing)?|hour",
    "end_time": r"end time|finish\w*|until when|ends?|how late|times?",
    "place": r"where|places?|venue|location|address",
    "meeting_point": r"where|meet(?:ing)?(?: point| up)?|meeting place|location",
    "price": r"prices?|costs?|how much|fee|charge|asking|pay",
    "budget": r"budget|how much|spend\w*|costs?|amount",
    "people": r"how many|number of|people|guests?|group|attend\w*",
    "quantity": r"how many|quantity|number of|amount",
    "duration": r"how long|duration|last(?:s|ing)?|length|minutes|hours",
    "phone": r"phone|number|call|contact details|reach",
    "item": r"items?|what (?:is|are) (?:it|you|they)|which (?:thing|object|product)|product|object",
    "topic": r"topic|about|subject|focus",
    "theme": r"theme|style|dress",
    "food": r"food|eat|menu|dish\w*|meals?|snacks?|drinks?|bring",
    "activity": r"activit\w+|plan(?:s|ned)?|doing|happen\w*|programme",
    "reason": r"reason|why|occasion|purpose|what happened|because",
    "feature": r"features?|special|highlights?|selling point|stand out|qualit\w+",
    "colour": r"colou?rs?",
    "condition": r"condition|state|shape|used",
    "max_words": r"how long (?:should|do you want)|length|word (?:limit|count)|words|short",
    "no_exclamation": r"tone|style|punctuation|exclamation|formal",
    "greeting": r"greet\w*|salutation|begin|opening|start (?:it )?with",
    "sign_off": r"sign[- ]?off|closing|close|end (?:it )?with",
    "avoid_word": r"avoid|words? (?:to|you)|leave out|tone|style",
}
_STOP = frozenset(
    ("your", "this", "that", "which", "what", "when", "where", "whom", "name", "thing", "with", "they", "will")
)
_SAID = {  # how a user states a rule: the checkers only say whether a document keeps it
    "max_words": r"\b{v}\b.{{0,12}}\bwords?\b|\bwords?\b.{{0,20}}\b{v}\b",
    "no_exclamation": r"exclamation|!\s*marks?|no !",
    "greeting": r"(?:start|begin|open|greet|first line|top|say)\w*\b.{{0,24}}{v}"
    r"|{v}.{{0,20}}(?:start|begin|top|first|open)",
    "sign_off": r"{v}",
    "avoid_word": r"(?:avoid|don'?t|do not|not|no|without|skip|leave out|never|drop|hate)\W+(?:[\w']+\W+){{0,4}}{v}",
}


def question_of(text: str) -> str:
    """The question sentences a message ends with; "Tell me the date." counts too if no document is before it."""
    sentences = _sentences(text)
    first = len(sentences)
    while first and sentences[first - 1].rstrip("\"')]* ").endswith("?"):
        first -= 1
    if first == len(sentences):
        first = _first_order(sentences)
    return " ".join(sentences[first:])


def draft_of(text: str) -> str:
    """The document in a message: all but the trailing questions, or "" where that is under 12 words of substance."""
    question = question_of(text)
    body = _without(text, question) if question else text.strip()
    return body if _n_document_words(body) >= MIN_DRAFT_WORDS else ""


def asked_keys(text: str, task: Task) -> list[str]:
    """The keys of the requirements that the trailing question is about, in the task's order."""
    question = question_of(text)
    return [r.key for r in task.requirements if question and _asks(question, r)]


def is_generic_question(text: str) -> bool:
    """Whether the trailing question invites whatever the user has to say ("What should I include?")."""
    question = question_of(text)
    open_ended = re.search(r"\b(?:anything|details|information|info|specifics|else)\b", question, re.I)
    return bool(open_ended) or (bool(_GENERIC.search(question)) and not is_specific_question(text))


def is_specific_question(text: str) -> bool:
    """Whether the trailing question names anything a document could hold, in this task or not."""
    question = question_of(text)
    return bool(question) and any(_pattern(key).search(question) for key in _ASKED)


def mentions(requirement: Requirement, text: str) -> bool:
    """Whether a user's words give the value away. For a rule: whether they state the rule, in any case of letters."""
    said = _SAID.get(requirement.kind)
    if said is None:
        return meets(requirement, text)
    return bool(re.search(said.format(v=re.escape(requirement.value)), text, re.I))


def second_person(label: str) -> str:
    """A user's label as the assistant says it: "my name" is "your name"."""
    changes = {
        "my": "your",
        "i am": "you are",
        "i": "you",
        "we are": "you are",
        "we": "you",
        "our": "your",
        "am i": "are you",
    }
    return re.sub(r"\b(?:am i|i am|we are|my|i|we|our)\b", lambda m: changes[m[0].lower()], label, flags=re.I)


def _asks(question: str, requirement: Requirement) -> bool:
    if _pattern(requirement.key).search(question) or second_person(requirement.label).lower() in question.lower():
        return True
    words = set(re.findall(r"[a-z]{4,}", requirement.label.lower())) - _STOP
    return bool(words & set(re.findall(r"[a-z]{4,}", question.lower())))


@cache
def _pattern(key: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_ASKED.get(key, key.replace('_', ' '))})\b", re.I)


def _sentences(text: str) -> list[str]:
    return [s.strip() for s in _SENTENCE.findall(text) if s.strip()]


def _first_order(sentences: list[str]) -> int:
    """Where trailing requests for information begin; the end of the list if they follow a document."""
    first = len(sentences)
    while first and (
        _ORDER.match(sentences[first - 1]) or (first < len(sentences) and sentences[first - 1].endswith("?"))
    ):
        first -= 1
    return first if _n_document_words("\n".join(sentences[:first])) < MIN_DRAFT_WORDS else len(sentences)


def _n_document_words(text: str) -> int:
    return sum(len(s.split()) for s in _sentences(text) if not _CHAT.match(s))


def _without(text: str, question: str) -> str:
    """`text` up to where `question` begins, whatever white space lies between its sentences."""
    n_kept = len("".join(text.split())) - len("".join(question.split()))
    seen = 0
    for at, letter in enumerate(text):
        if seen == n_kept:
            return text[:at].strip()
        seen += not letter.isspace()
    return text.strip() if n_kept else ""
