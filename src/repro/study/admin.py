"""How does a study stand, for those who run it?

Progress, balance of the schedule and drop-outs, and the export. Win rates are hidden, because who peeks and stops at a
good moment finds effects that are not there; a switch shows them, and every look is recorded and reported.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import col, select

from . import guard
from .export import export_files, look_rows, participant_rows, vote_rows
from .pages import App, Short
from .report import report
from .store import Refused, same
from .tables import Comparison, Look, Participant

LOGINS_PER_MINUTE = 10
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "md": "text/markdown; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "zip": "application/zip",
}


class Admin:
    """The researcher's side."""

    def __init__(self, app: App) -> None:
        self.app, self.store = app, app.store

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/admin")
        for path, act, method in (
            ("", self.overview, "GET"), ("/login", self.login, "POST"), ("/look", self.look, "POST"),
            ("/logout", self.logout, "POST"), ("/export/{name}", self.export, "GET"),
        ):  # fmt: skip
            router.add_api_route(path, act, methods=[method], response_model=None)
        return router

    def _ticket(self) -> str:
        """What the cookie of an admin says: nobody can make it without the token, nor read the token from it."""
        return self.store.sign("admin", self.app.admin_token)

    def _is_admin(self, request: Request) -> bool:
        return same(request.cookies.get(guard.ADMIN_COOKIE, ""), self._ticket())

    def _check(self, request: Request, csrf: str | None = None) -> None:
        if not self._is_admin(request):
            raise Refused(401, "Please sign in at /admin with the token that the server printed.")
        if csrf is not None:
            guard.check_csrf(self.store, self._ticket(), csrf)

    def overview(self, request: Request) -> Response:
        if not self._is_admin(request):
            return self.app.page("login.html")
        return self._overview(found=None)

    def _overview(self, found: Any) -> Response:
        return self.app.page(
            "admin.html", self._ticket(), progress=self._progress(), balance=self._balance(), found=found,
            looks=look_rows(self.store),
        )  # fmt: skip

    def login(self, request: Request, token: Short = "") -> Response:
        self.app.rates.use(f"login {guard.address(request)}", LOGINS_PER_MINUTE)
        if not same(token, self.app.admin_token):
            raise Refused(403, "That is not the admin token of this study.")
        response = RedirectResponse("/admin", 303)
        secure = self.app.is_secure(request)
        guard.set_cookie(response, guard.ADMIN_COOKIE, self._ticket(), secure=secure, days=1, strict=True)
        return response

    def logout(self, request: Request, csrf: Short = "") -> Response:
        self._check(request, csrf)
        response = RedirectResponse("/admin", 303)
        response.delete_cookie(guard.ADMIN_COOKIE, path="/admin")
        return response

    def look(self, request: Request, csrf: Short = "") -> Response:
        """Show the win rates, and write down that they were shown."""
        self._check(request, csrf)
        found = report(self.store, n_boot=500)
        with self.store.database.writing() as session:
            session.add(Look(at=self.store.now(), n_votes=self.app.talk.n_votes()))
        return self._overview(found)

    def export(self, request: Request, name: str) -> Response:
        self._check(request)
        files = export_files(self.store)
        files["all.zip"] = _zip(files)
        if name not in files:
            raise Refused(404, "There is no such file in the export.")
        kind = TYPES[name.rpartition(".")[2]]
        headers = {"Content-Disposition": f'attachment; filename="{self.store.design.name}-{name}"'}
        return Response(files[name], media_type=kind, headers=headers)

    def _progress(self) -> dict[str, int]:
        """Where people are, and where those who left did so."""
        rows = [row for row in participant_rows(self.store) if row["withdrawn_at"] is None]
        late_before = self.store.now() - self.store.design.minutes * 60
        open_ = [row for row in rows if row["finished_at"] is None]
        left = [row for row in open_ if row["joined_at"] < late_before]
        counts = {
            "agreed to take part": len(participant_rows(self.store)),
            "finished": len(rows) - len(open_),
            "at it": len(open_) - len(left),
            "left before the first chat": sum(row["instructed_at"] is None for row in left),
        }
        for n in range(self.store.design.n_comparisons):
            counts[f"left after {n} vote{'s' * (n != 1)}"] = sum(
                bool(row["instructed_at"]) and row["n_votes"] == n for row in left
            )
        counts["withdrew their data"] = len(participant_rows(self.store)) - len(rows)
        return counts

    def _balance(self) -> list[dict[str, Any]]:
        """For each pair and order: comparisons given out to those who hold a place, and votes cast."""
        voted = Counter((r["a"], r["b"], r["first"]) for r in vote_rows(self.store) if r["choice"])
        with self.store.database.reading() as session:
            held = select(Comparison).join(Participant).where(col(Participant.holds).is_(True))
            given = Counter((c.a, c.b, c.first) for c in session.exec(held).all())
        cells = [(a, b, first) for a, b in self.store.pairs for first in (a, b)]
        return [
            {"pair": f"{a} and {b}", "first": first, "given": given[a, b, first], "votes": voted[a, b, first]}
            for a, b, first in cells
        ]


def _zip(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()
