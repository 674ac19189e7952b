"""Which tasks, which users, who is held out, and what does a text say?"""

from repro.data.corpora import Corpus, load_corpus
from repro.data.flip import flip
from repro.data.requirements import CHECKERS, meets, met
from repro.data.splits import deduplicate, split_by_user
from repro.data.tasks import DocType, doc_types, make_tasks, near_duplicates

__all__ = [
    "CHECKERS", "Corpus", "DocType", "deduplicate", "doc_types", "flip", "load_corpus", "make_tasks", "meets", "met",
    "near_duplicates", "split_by_user",
]  # fmt: skip
