"""What does a person type to have a gap measured, and what do they see?

repro gap --real real.jsonl --sim mine=simulated.jsonl --k 50
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from .record import write_whole


def add_verb(verbs: Any) -> None:
    """`repro gap`, for the command line."""
    gap = verbs.add_parser("gap", help="how far simulated users are from real ones, from files of conversations")
    gap.add_argument("--real", required=True, metavar="FILE", help="JSONL or parquet: messages, perhaps user_id")
    gap.add_argument("--sim", action="append", required=True, metavar="NAME=FILE", help="the same; once per simulator")
    gap.add_argument("--schema", default="messages", help="messages, or paired: both sides in a line (messages)")
    gap.add_argument("--representation", default="combined", help="requests, ..., combined, utterances (combined)")
    gap.add_argument("--encoder", default="minilm", help="minilm, a folder, a hub id, or features (minilm)")
    gap.add_argument(
        "--annotator", default="lexical", metavar="SPEC", help="lexical, or a model: openai:URL#MODEL, ..."
    )
    gap.add_argument("--notes", metavar="FILE", help="where a model's answers are kept (~/.cache/repro/facets.jsonl)")
    gap.add_argument(
        "--cluster", nargs="?", const="cpu", metavar="PROFILE", help="ask the annotator from Ray tasks (as in cpu)"
    )
    gap.add_argument("--engine", default="sklearn", help="what clusters: sklearn or faiss (sklearn)")
    gap.add_argument("--k", type=int, default=500, help="kinds of behaviour to be told apart (500)")
    gap.add_argument("--seed", type=int, default=42)
    gap.add_argument("--out", metavar="FILE", help="also write the numbers as JSON")
    gap.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    from repro.cluster import named, on_cluster
    from repro.evaluation.gap.annotate import load_annotator
    from repro.evaluation.gap.files import gaps_of_files
    from repro.evaluation.gap.report import as_data, as_text
    from repro.models import load_model

    how = {key: vars(arguments)[key] for key in ("schema", "representation", "encoder", "engine", "k", "seed")}
    load = named if arguments.cluster else load_model
    annotator = load_annotator(arguments.annotator, notes=arguments.notes, load=load)
    if arguments.cluster:
        annotator = on_cluster(annotator, arguments.annotator, profile=arguments.cluster)
    gaps = gaps_of_files(arguments.real, arguments.sim, annotator=annotator, **how)
    print(as_text(gaps))
    if arguments.out:
        write_whole(arguments.out, json.dumps(as_data(gaps), indent=2) + "\n")
