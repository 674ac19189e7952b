"""Which simulator does this text stand for?

A simulator of one's own needs no change to this package. `load_simulator` takes:

    roleplay                          a name: ours, or one that an installed package registers
    my_users.py:Terse                 a class in a file, or in a module: my_package.users:Terse
    path/to/folder, owner/model       a user language model: an adapter, a checkpoint, a hub id
    roleplay:MODEL, userlm:MODEL      one of ours on another model: a folder, a hub id, an endpoint
    openai:http://host:8000/v1#NAME   an endpoint that is asked to play the user
    vllm:FOLDER, vllm:owner/model     a user language model in vLLM; vllm:http://host:8000/v1#NAME at a vLLM server
    mixture:userlm=0.7,exhaustive=0.3 several, one for each dialogue
    my_users.yaml                     any of these with arguments

Relative paths start at the working directory, as for any command; those in a YAML file too, which for a notebook is the
root of the checkout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ReproError, one_line
from ..models.load import load_model
from ..models.local import LocalModel, brings_tokenizer
from ..models.served import SCHEME
from ..models.vllm import SCHEME as VLLM
from .base import UserSimulator
from .mixture import Mixture
from .registry import ON_A_MODEL, SIMULATORS, installed, names
from .roleplay import RolePlay
from .userlm import UserLM

FORMS = "file.py:Class, a folder or hub id of a user model, roleplay:MODEL, openai:URL#MODEL or mixture:a=0.7,b=0.3"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OURS = re.compile(r"initial|(.*_)?depth\d+")  # models of ours, beside `SIMULATORS`; dialogues are filed by name
_YAML_KEYS = {"name", "simulator", "args", "mixture"}


def load_simulator(spec: str, *, base: str = "smollm2", dtype: str = "bfloat16") -> UserSimulator:
    """The simulator that `spec` stands for; those that need weights and name none get those of `base`."""
    return _load(spec, base, dtype)


def _load(spec: str, base: str, dtype: str, name: str = "") -> UserSimulator:
    """`name` is what a user language model is called, whatever its folder is."""
    head, colon, rest = spec.partition(":")
    if spec in SIMULATORS:
        return SIMULATORS[spec](base, dtype)
    if spec in installed():
        return _made(_loaded(spec, installed()[spec].load), spec, {})
    if spec.endswith((".yaml", ".yml")):
        return _from_yaml(Path(spec), base, dtype)
    if head == "mixture" and colon:
        return _mixture(_weights(rest, spec), base, dtype)
    if colon and (head in ON_A_MODEL or head == SCHEME):
        return _on_model(spec if head == SCHEME else rest, "roleplay_raw" if head == SCHEME else head, base, dtype)
    if colon and head == VLLM:
        model = load_model(spec, base=base, dtype=dtype)
        is_served = rest.startswith(("http://", "https://"))  # there a server says what it is called
        return UserLM(model, name=name or (model.name if is_served else _folder_name(Path(model.name), spec)))
    if colon:
        return _made(_attribute(head, rest), spec, {})
    return _user_model(spec, base, dtype, name)


def _on_model(model: str, name: str, base: str, dtype: str) -> UserSimulator:
    """One of ours on another model. Nobody can begin an endpoint's turns for it, so there role-play goes without."""
    user = ON_A_MODEL[name](load_model(model, base=base, dtype=dtype))
    if isinstance(user, RolePlay) and model.startswith(f"{SCHEME}:"):
        return replace(user, helped=False)
    return user


def _user_model(spec: str, base: str, dtype: str, name: str) -> UserSimulator:
    """A user language model: an adapter's folder, a checkpoint's folder, or a hub id."""
    folder = Path(spec)
    is_adapter = (folder / "adapter_config.json").is_file()
    if not is_adapter and not (folder / "config.json").is_file() and not re.fullmatch(r"[\w.-]+/[\w.-]+", spec):
        raise ReproError(f"no simulator '{spec}'; have {', '.join(names())}, or give {FORMS}")
    name = name or _folder_name(folder.resolve(), spec)
    if is_adapter and not brings_tokenizer(folder):
        return UserLM(LocalModel.from_pretrained(base, adapters=[spec], dtype=dtype), name=name)
    return UserLM(LocalModel.from_pretrained(spec, dtype=dtype), name=name)


def _folder_name(folder: Path, spec: str) -> str:
    return _proper(folder.name, spec, ": rename the folder, or write a YAML file with its name and 'simulator: FOLDER'")


def _weights(text: str, spec: str) -> dict[str, float]:
    """`a=0.7,b=0.3` read."""
    pairs = [part.rpartition("=") for part in text.split(",")]
    try:
        found = {part.strip(): float(weight) for part, _, weight in pairs}
    except ValueError:
        found = {}
    if not found or "" in found or len(found) < len(pairs):
        raise ReproError(f"'{spec}' is no mixture; write mixture:a=0.7,b=0.3, each simulator once, or use a YAML file")
    return found


def _mixture(weights: Mapping[str, float], base: str, dtype: str, name: str = "mixture") -> UserSimulator:
    """Dialogues are filed under the name of the whole, so that a folder in it may be called anything."""
    return Mixture(tuple((_load(spec, base, dtype, spec), float(w)) for spec, w in weights.items()), name=name)


def _from_yaml(path: Path, base: str, dtype: str) -> UserSimulator:
    """`simulator: SPEC` with `args`, or `mixture: {SPEC: weight, ...}`; `name` is what tables call it."""
    import yaml

    if not path.is_file():
        raise ReproError(f"no file {path}; give the path of a YAML file that describes a simulator")
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReproError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict) or set(said) - _YAML_KEYS or ("simulator" in said) == ("mixture" in said):
        raise ReproError(f"{path} has to hold 'simulator: SPEC' (with args) or 'mixture: {{SPEC: weight}}', and a name")
    name = _proper(str(said.get("name", path.stem)), str(path)) if said.keys() & {"name", "mixture"} else ""
    if "mixture" in said:
        return _mixture(_positive(said["mixture"], path), base, dtype, name)
    arguments = said.get("args") or {}
    if not isinstance(arguments, dict) or not all(isinstance(key, str) for key in arguments):
        raise ReproError(f"the args in {path} are {arguments!r}; they have to be lines of 'name: value'")
    return _with_arguments(str(said["simulator"]), arguments, name, base, dtype)


def _positive(weights: Any, path: Path) -> dict[str, float]:
    if isinstance(weights, dict) and all(isinstance(w, int | float) for w in weights.values()):
        return {str(spec): float(weight) for spec, weight in weights.items()}
    raise ReproError(f"the mixture in {path} has to be lines of 'SPEC: weight', the weight a number")


def _with_arguments(spec: str, arguments: Mapping[str, Any], name: str, base: str, dtype: str) -> UserSimulator:
    """A class made with arguments; to one of ours, arguments replace its fields."""
    head, colon, rest = spec.partition(":")
    if colon and head not in (*ON_A_MODEL, SCHEME, VLLM, "mixture"):
        return _called(_made(_attribute(head, rest), spec, arguments), name, spec)
    user: Any = _load(spec, base, dtype, name)
    known = {f.name for f in fields(user)} if is_dataclass(user) else set()
    if unknown := sorted(set(arguments) - known):
        raise ReproError(f"'{spec}' takes no argument '{unknown[0]}'; have {', '.join(sorted(known)) or 'none'}")
    return _called(replace(user, **arguments) if arguments else user, name, spec)


def _called(user: UserSimulator, name: str, spec: str) -> UserSimulator:
    """The same simulator under another name, if there is one."""
    if name and name != user.name:
        try:
            object.__setattr__(user, "name", name)  # it was made for this; its class may be frozen
        except (AttributeError, TypeError) as error:
            raise ReproError(f"'{spec}' cannot be called '{name}' ({one_line(error)}); leave the name out") from error
    return user


def _attribute(where: str, what: str) -> Any:
    """`what` in the file or module `where`."""
    module = _loaded(where, lambda: _file(Path(where)) if where.endswith(".py") else _module(where))
    if hasattr(module, what):
        return getattr(module, what)
    have = sorted(name for name, thing in vars(module).items() if hasattr(thing, "reply") and isinstance(thing, type))
    raise ReproError(f"no '{what}' in {where}; classes with a reply method there: {', '.join(have) or 'none'}")


def _loaded(where: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except ReproError:
        raise
    except Exception as error:  # whatever a file of somebody else's may raise
        raise ReproError(f"{where} cannot be imported ({one_line(error)}); mend it") from error


def _file(path: Path) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    if not path.is_file():
        raise ReproError(f"no file {path}; give the path of a Python file, then a colon and the class")
    found = spec_from_file_location(f"repro_user_{path.stem}", path)
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _module(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            raise ReproError(f"no module {name}; have {', '.join(names())}, or give {FORMS}") from None
        raise


def _made(thing: Any, spec: str, arguments: Mapping[str, Any]) -> UserSimulator:
    """The simulator that a class or function makes; an object that can reply is one already."""
    try:
        user = (
            thing(**arguments)
            if callable(thing) and (isinstance(thing, type) or not hasattr(thing, "reply"))
            else thing
        )
    except ReproError:
        raise
    except Exception as error:
        raise ReproError(
            f"'{spec}' cannot be made with {dict(arguments) or 'no arguments'} ({one_line(error)})"
        ) from error
    if not callable(getattr(user, "reply", None)):
        raise ReproError(f"'{spec}' has no method reply(tasks, dialogues, *, seed); a simulator is one name and that")
    _proper(getattr(user, "name", None), spec)
    simulator: UserSimulator = user
    return simulator


def _proper(name: Any, spec: str, how: str = "") -> str:
    """A name that files and tables can carry, and that nothing of ours has; `how` says where else it is given."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ReproError(f"'{spec}' has the name {name!r}; give it one of letters, digits, '_', '-' and '.'{how}")
    if name in SIMULATORS or _OURS.fullmatch(name):
        raise ReproError(f"'{spec}' has the name '{name}', which is one of ours; give it another{how}")
    return name
