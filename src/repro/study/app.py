"""How is a study served?

`build_app` puts store, assistants and pages together into one FastAPI application; `run` serves it. One process serves
a study, because replies in the making and rates live in its memory; everything else is in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from repro.errors import ReproError, one_line

from ..models.base import ChatModel
from .admin import Admin
from .chat import Desks, Job
from .guard import Shield
from .pages import HERE, App, Pages
from .store import Refused, Store
from .tables import Message
from .talk import Talk

HOUR = 3600.0
THREADS = 8  # that serve pages; more of them only wait for each other


def build_app(store: Store, assistants: Mapping[str, ChatModel], *, admin_token: str, secure: bool = False) -> FastAPI:
    """The application of one study; `assistants` by the names that its file gives them."""
    if missing := set(store.design.assistants) - set(assistants):
        raise ReproError(f"no model for the assistants {', '.join(sorted(missing))}")
    check_token(admin_token)
    talk = Talk(store)

    def keep(jobs: Sequence[Job]) -> None:
        talk.replied([_reply(job, store.now()) for job in jobs])

    desks = Desks(assistants, sampling=store.design.sampling.sampling, keep=keep)
    shared = App(store, talk, desks, admin_token, secure)
    app = FastAPI(title=store.design.title, docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(shared))
    app.include_router(Pages(shared).routes())
    app.include_router(Admin(shared).routes())
    app.add_api_route("/healthz", _healthy, methods=["GET"], response_class=PlainTextResponse)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    app.add_middleware(Shield)
    _add_refusals(app, shared)
    return app


def _reply(job: Job, at: float) -> Message:
    comparison_id, label, turn = job.key
    return Message(
        comparison_id=comparison_id, label=label, turn=turn, role="assistant", text=job.text, at=at,
        seconds=job.first_after,
    )  # fmt: skip


def check_token(token: str) -> None:
    """An admin token that could be guessed is an error."""
    if len(token) < 12:
        raise ReproError("the admin token is shorter than 12 characters; leave it out and one is made")


def _lifespan(shared: App) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        forgetting = asyncio.create_task(_forget_hourly(shared.store))
        yield
        forgetting.cancel()
        shared.desks.stop()

    return lifespan


async def _forget_hourly(store: Store) -> None:
    """Delete what is old, every hour; an hour in which the database fails is told, and made up for in the next."""
    while True:
        try:
            await asyncio.to_thread(store.forget_old)
        except Exception as error:  # whatever the database or its driver raises
            print(f"old data was not deleted ({one_line(error)}); trying again in an hour", file=sys.stderr, flush=True)
        await asyncio.sleep(HOUR)


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serve until the process is told to stop. There is no access log, because links carry ids."""
    import uvicorn

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def _healthy() -> str:
    return "ok"


def _add_refusals(app: FastAPI, shared: App) -> None:
    def say(request: Request, status: int, sentence: str) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"error": sentence}, status)
        back = "/admin" if request.url.path.startswith("/admin") else "/study"
        return shared.page("error.html", status=status, sentence=sentence, back=back)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return say(request, error.status, error.sentence)

    async def invalid(request: Request, error: Exception) -> Response:
        return say(request, 422, "Something in that form is missing or too long. Please go back and try again.")

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        sentence = (
            "There is no such page." if error.status_code == 404 else f"This cannot be done here ({error.detail})."
        )
        return say(request, error.status_code, sentence)

    async def busy(request: Request, error: Exception) -> Response:
        return say(request, 503, "The study is very busy. Please try again in a minute; nothing is lost.")

    for kind, handler in (
        (Refused, refused), (RequestValidationError, invalid), (HTTPException, http), (ReproError, busy),
    ):  # fmt: skip
        app.add_exception_handler(kind, handler)
