"""What do we write down?"""

from repro.reporting.claims import Claim, Verdict, claims_table, load_claims, published, update_readme, verdict
from repro.reporting.record import attach, is_complete, key_of, load_numbers, write_whole
from repro.reporting.run import Run

__all__ = [
    "Claim",
    "Run",
    "Verdict",
    "attach",
    "claims_table",
    "is_complete",
    "key_of",
    "load_claims",
    "load_numbers",
    "published",
    "update_readme",
    "verdict",
    "write_whole",
]
