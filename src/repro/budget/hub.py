"""Can the models and corpora be had: is the hub there, under which licence are they, who may read them?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..assumptions import HUB_TIMEOUT
from ..errors import one_line

UNREACHABLE = "hub: not reachable; licences and access not checked"


def hub_lines(
    models: Sequence[str], corpora: Sequence[str] = (), *, endpoint: str | None = None, timeout: float = HUB_TIMEOUT
) -> list[str]:
    """A line for each, or a single one where the hub cannot be asked; `endpoint` is another hub than `HF_ENDPOINT`."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError

    if constants.HF_HUB_OFFLINE:
        return ["hub: not asked (HF_HUB_OFFLINE is set); licences and access not checked"]
    api, lines = HfApi(endpoint=endpoint), list[str]()
    asked: list[tuple[Any, str, str]] = [(api.model_info, name, "model") for name in models]
    for ask, name, kind in [*asked, *((api.dataset_info, name, "dataset") for name in corpora)]:
        try:
            lines.append(f"hub: {name}: {_said(api, ask(name, timeout=timeout), kind)}")
        except HfHubHTTPError as error:
            lines.append(f"hub: {name}: not found, or not for you ({_status(error)}); see its page, and set HF_TOKEN")
        except Exception as error:  # no network, no name, no answer in time: each client raises its own
            return [f"{UNREACHABLE} ({one_line(error).split(':')[0]})"]
    return lines


def _said(api: Any, info: Any, kind: str) -> str:
    tags = [tag.partition(":")[2] for tag in info.tags or () if tag.startswith("license:")]
    licence = tags[0] if tags else "no licence stated"
    if not info.gated:
        return f"{licence}, open to all"
    return f"{licence}, gated ({info.gated}), {_access(api, info.id, kind)}"


def _access(api: Any, name: str, kind: str) -> str:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.auth_check(name, repo_type=kind)
    except HfHubHTTPError:
        return "and not open to you: ask for access on its page, then set HF_TOKEN"
    return "and open to you"


def _status(error: Any) -> str:
    response = getattr(error, "response", None)
    return str(getattr(response, "status_code", "refused"))
