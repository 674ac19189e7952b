"""Which tasks, which users, who is held out, and what does a text say?"""

from repro.data.requirements import CHECKERS, meets, met
from repro.data.tasks import DocType, doc_types, make_tasks, near_duplicates

__all__ = ["CHECKERS", "DocType", "doc_types", "make_tasks", "meets", "met", "near_duplicates"]
