"""What does `repro study` do?

`serve` runs a study in a browser, `export` writes what it gathered, `report` says what people preferred, `plan` how
many of them it takes.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
from pathlib import Path
from typing import Any

from repro.errors import ReproError
from repro.evaluation import planning

TOKEN, URL = "REPRO_STUDY_ADMIN_TOKEN", "DATABASE_URL"
DEFAULT_DB = "study.db"


def add_study(verbs: Any, parser_class: type[argparse.ArgumentParser]) -> None:
    """Register the verb and its sub-verbs."""
    study = verbs.add_parser("study", help="ask people which assistant they prefer: serve a study, export, report")
    asked = study.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=parser_class)

    serve = asked.add_parser("serve", help="run a study in the browser; prints its links")
    serve.add_argument("study", nargs="?", metavar="STUDY.yaml", help="the study; docs/study.md shows one")
    serve.add_argument("--demo", action="store_true", help="the packaged demonstration, with released adapters")
    _add_db(serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (127.0.0.1)")
    serve.add_argument("--port", type=int, default=8000, help="(8000)")
    serve.add_argument("--public-url", metavar="URL", help="what participants open, where a proxy stands before it")
    serve.add_argument("--invite", type=int, default=0, metavar="N", help="print N personal links")
    serve.set_defaults(command=_serve)

    export = asked.add_parser("export", help="votes, participants and conversations as CSV, parquet and JSONL")
    _add_db(export)
    export.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    export.set_defaults(command=_export)

    report = asked.add_parser("report", help="win rates with intervals")
    _add_db(report)
    report.set_defaults(command=_report)

    planning.add_verb(asked)


def _add_db(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--db", metavar="URL", help=f"a file or a URL (${URL}, else {DEFAULT_DB})")


def _url(arguments: argparse.Namespace, default: str = DEFAULT_DB) -> str:
    return str(arguments.db or os.environ.get(URL) or default)


def _serve(arguments: argparse.Namespace) -> None:
    from .app import build_app, check_token, run
    from .assistants import load_assistants
    from .database import Database
    from .design import DEMO, load_design
    from .store import Store

    if bool(arguments.study) == arguments.demo:
        raise ReproError("give the study's YAML file, or --demo")
    path = DEMO if arguments.demo else Path(arguments.study)
    design = load_design(path)
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(18)
    check_token(token)
    listener = _listen(arguments.host, arguments.port)
    store = Store(Database.open(_url(arguments, "study-demo.db" if arguments.demo else DEFAULT_DB)), design)
    print("loading the assistants ...", flush=True)
    secure = (arguments.public_url or "").startswith("https://")
    app = build_app(store, load_assistants(design, beside=path.parent), admin_token=token, secure=secure)
    base = (arguments.public_url or f"http://{arguments.host}:{arguments.port}").rstrip("/")
    _say_links(store, base, token if TOKEN not in os.environ else None, arguments.invite)
    run(app, listener)


def _say_links(store: Any, base: str, token: str | None, n_invitations: int) -> None:
    from .database import shown

    access = {"prolific": "/?PROLIFIC_PID={{%PROLIFIC_PID%}}", "invitation": "/?invite=...", "open": "/"}
    print(f"participants  {base}{access[store.design.access]}")
    print(f"researchers   {base}/admin  (token: {token or f'from ${TOKEN}'})")
    print(f"database      {shown(store.database.url)}")
    for number in range(n_invitations):
        print(f"invitation    {base}/?invite={store.invitation(number)}")
    print("stop with Ctrl-C; votes are kept", flush=True)


def _listen(host: str, port: int) -> socket.socket:
    """A socket that is ours before the models are loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        said = getattr(error, "strerror", None) or error
        raise ReproError(f"cannot listen at {host}:{port} ({said}); give another --port or --host") from None
    return listener


def _export(arguments: argparse.Namespace) -> None:
    from .database import Database
    from .export import export_files
    from .store import Store

    files = export_files(Store.of(Database.open(_url(arguments), create=False)))
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        temporary = out / f".{name}.part"
        temporary.write_bytes(content)
        temporary.replace(out / name)
    print(f"{len(files)} files in {out}; codebook.md says what each column means")


def _report(arguments: argparse.Namespace) -> None:
    from .database import Database
    from .report import as_text, report
    from .store import Store

    print(as_text(report(Store.of(Database.open(_url(arguments), create=False)))))
