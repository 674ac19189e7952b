"""What does a person type?

One command with a few verbs, each a thin call into the package. A mistake costs one sentence on stderr and exit code
2, an interruption exit code 130; neither loses finished work.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from repro import __version__
from repro.errors import ReproError
from repro.study.command import add_study
from repro.workers import cores

if TYPE_CHECKING:
    from repro.runner import Asked

MISTAKE, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    try:
        arguments = _parser().parse_args(argv)
        return int(arguments.command(arguments) or 0)
    except ReproError as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of a pipe has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        return _fail(
            f"the package {error.name} is not installed; run make setup, or pip install -e '.[notebooks,train]'"
        )
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _fail(f"the system refused: {error.strerror or error}{where}; what was finished is kept")
    except KeyboardInterrupt:
        print("\nstopped; what was finished is kept, the same command goes on from there", file=sys.stderr)
        return INTERRUPTED


def _fail(sentence: str) -> int:
    print(f"repro: {sentence}", file=sys.stderr)
    return MISTAKE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ReproError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="repro", description="Is this user simulator any good? Run the experiments and see.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    doctor = verbs.add_parser("doctor", help="what this machine can run and what is missing")
    doctor.add_argument("--weights", action="store_true", help="only check the packaged weights")
    doctor.set_defaults(command=_doctor)

    run = verbs.add_parser("run", help="run notebooks whose results are not current")
    _add_dials(run)
    run.set_defaults(command=_run)

    plan = verbs.add_parser("plan", help="what `run` would do, how long it takes, which settings are in force and why")
    _add_dials(plan)
    plan.add_argument("--tokens-per-second", type=float, metavar="N", help="that one GPU writes, in place of ours")
    plan.add_argument("--price", metavar="IN,OUT", help="of a judge, dollars per million tokens, in place of ours")
    plan.set_defaults(command=_plan)

    train = verbs.add_parser("train", help="train the models of a profile; stop it at any point, it goes on from there")
    train.add_argument("models", nargs="*", metavar="MODEL", help="initial, userlm, assistant-ARM-sSEED; all if none")
    _add_profile(train, default="cpu")
    train.add_argument("--jobs", type=int, default=1, help="processes side by side, each with its share of the cores")
    train.add_argument("--cluster", action="store_true", help="each model a Ray task, with resources from the profile")
    train.add_argument("--release", action="store_true", help="only copy what is finished to checkpoints/")
    train.add_argument("--adopt", action="store_true", help="only take what is released and made as the profile says")
    train.set_defaults(command=_train)

    _add_train_user(verbs)
    _add_simulators(verbs)
    _add_files(verbs)
    add_study(verbs, _Parser)

    claims = verbs.add_parser("claims", help="each published claim beside what came out here")
    _add_profile(claims)
    claims.add_argument("--readme", action="store_true", help="also rewrite the table in README.md")
    claims.set_defaults(command=_claims)

    paper = verbs.add_parser("paper", help="build paper/paper.pdf from results/")
    _add_profile(paper)
    paper.set_defaults(command=_paper)
    return parser


def _add_train_user(verbs: Any) -> None:
    user = verbs.add_parser("train-user", help="a user language model from a corpus of chats; goes on after any stop")
    user.add_argument("corpus", nargs="?", help="wildchat, lmsys, prism, a hub id, or a JSONL or parquet file")
    user.add_argument("--recipe", default="", metavar="NAME", help="one of configs/recipes (smollm2-135m-cpu)")
    user.add_argument("--out", metavar="DIR", help="the folder of the model")
    user.add_argument("--intents", default="stated", metavar="SPEC", help="stated, or who writes them: a model")
    user.add_argument("--schema", help="wildchat, prism, lmsys or messages; recognised by its columns if not given")
    user.add_argument("--revision", help="of a hub id: which state of it is read")
    user.add_argument("--limit", type=int, metavar="N", help="look at N rows, streamed")
    user.add_argument("--benchmark-ids", metavar="FILE", help="ids that must not be trained on, one a line")
    user.add_argument("--num-proc", type=int, default=1, metavar="N", help="processes that read and flip (1)")
    user.add_argument("--plan", action="store_true", help="print tokens, memory and GPU-hours; train nothing")
    user.set_defaults(command=_train_user)


def _add_simulators(verbs: Any) -> None:
    simulators = verbs.add_parser("simulators", help="which simulators there are; whether yours keeps the contract")
    asked = simulators.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    asked.add_parser("list", help="those with a name").set_defaults(command=_simulators)
    check = asked.add_parser("check", help="talk to one and see whether it keeps the contract")
    check.add_argument("spec", metavar="SPEC", help="a name, file.py:Class, a folder or hub id, openai:URL#MODEL, ...")
    check.add_argument("-n", type=int, default=12, help="dialogues (12)")
    _add_profile(check)
    check.set_defaults(command=_check_simulator)


def _add_files(verbs: Any) -> None:
    """The verbs that read files of conversations and answers."""
    from repro.reporting import judged, kept, measured

    kept.add_verbs(verbs)
    measured.add_verb(verbs)
    judged.add_verb(verbs)


def _add_profile(verb: argparse.ArgumentParser, default: str = "quick") -> None:
    verb.add_argument("--profile", default=default, help=f"smoke, quick, cpu or paper ({default})")


def _add_dials(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("notebooks", nargs="*", metavar="NB", help="a number or how a name begins; all if none is given")
    _add_profile(verb)
    verb.add_argument("--seed", type=int, help="root seed, for notebooks that have one")
    verb.add_argument("--simulator", help="which simulator, for notebooks that ask")
    n = min(2, len(cores()))  # more would wait for memory on a small machine, and for each other on a GPU
    verb.add_argument(
        "--jobs", type=int, default=n, help=f"notebooks side by side, each with a share of the cores ({n})"
    )
    verb.add_argument("--force", action="store_true", help="start over: ignore results and work in progress")
    verb.add_argument("-p", dest="params", action="append", default=[], metavar="KEY=VALUE", help="a parameter")


def _doctor(arguments: argparse.Namespace) -> int:
    from repro import doctor

    return doctor.check_weights() if arguments.weights else doctor.report()


def _run(arguments: argparse.Namespace) -> None:
    from repro.runner import run_all

    run_all(_asked(arguments))


def _plan(arguments: argparse.Namespace) -> None:
    from repro import doctor
    from repro.budget import plan_lines
    from repro.models.usage import Price
    from repro.runner import plan

    rate = arguments.tokens_per_second
    if rate is not None and not rate > 0:
        raise ReproError(f"--tokens-per-second is {rate}; it has to be positive")
    price = Price.parse(arguments.price) if arguments.price else None
    print("\n".join(plan(_asked(arguments))))
    print("\n".join(plan_lines(arguments.profile, lacking=doctor.missing, rate=rate, price=price)))


def _asked(arguments: argparse.Namespace) -> Asked:
    from repro.runner import Asked

    pairs = [text.partition("=") for text in arguments.params]
    if wrong := [text for text, (key, equals, _) in zip(arguments.params, pairs, strict=True) if not key or not equals]:
        raise ReproError(f"-p takes KEY=VALUE, found '{wrong[0]}'")
    if any(key == "profile" for key, _, _ in pairs):
        raise ReproError("the profile decides more than a notebook's parameter; give it as --profile NAME")
    offered = {key: vars(arguments)[key] for key in ("seed", "simulator")}
    return Asked(
        names=arguments.notebooks,
        profile=arguments.profile,
        params={key: value for key, _, value in pairs},
        offered={key: value for key, value in offered.items() if value is not None},
        force=arguments.force,
        jobs=arguments.jobs,
    )


def _train(arguments: argparse.Namespace) -> None:
    from repro.config import load_profile
    from repro.training import queue
    from repro.training.lab import Lab

    lab = Lab(load_profile(arguments.profile))
    if lab.config.released:
        raise ReproError(f"profile {arguments.profile} trains nothing: it takes the adapters in checkpoints/")
    if arguments.release:
        print("\n".join(queue.release_finished(lab)) or "nothing is finished yet")
    elif arguments.adopt:
        print("\n".join(queue.adopt_released(lab)) or "nothing that is released and missing here was made that way")
    elif arguments.cluster:
        from repro import cluster

        cluster.train(lab, arguments.models)
    elif arguments.jobs > 1:
        queue.side_by_side(arguments.jobs, ["--profile", arguments.profile, *arguments.models])
    else:
        queue.work_through(lab, arguments.models)


def _train_user(arguments: argparse.Namespace) -> None:
    from repro.train_user import Asked, train_user

    given = {key: value for key, value in vars(arguments).items() if key != "command"}
    train_user(Asked(**given))


def _simulators(arguments: argparse.Namespace) -> None:
    from repro.simulators.registry import SIMULATORS, names

    print("\n".join(f"{name:<20} {'ours' if name in SIMULATORS else 'installed'}" for name in names()))


def _check_simulator(arguments: argparse.Namespace) -> None:
    from repro.config import load_profile
    from repro.evaluation.contract import check_contract
    from repro.simulators import load_simulator

    if arguments.n < 2:
        raise ReproError(f"-n is {arguments.n}; a check takes 2 dialogues or more")
    config = load_profile(arguments.profile)
    user = load_simulator(arguments.spec, base=config.model, dtype=config.dtype)
    checks = check_contract(user, n=arguments.n)
    print(f"{user.name}, {arguments.n} dialogues")
    print("\n".join(f"  {check.result:<7} {check.name:<11} {check.found}" for check in checks))
    if failed := [check.name for check in checks if check.result == "failed"]:
        raise ReproError(f"'{arguments.spec}' does not keep the contract: {', '.join(failed)}")


def _claims(arguments: argparse.Namespace) -> None:
    from repro.config import profile_path, repo_root
    from repro.reporting.claims import claims_table, update_readme

    root = repo_root()
    profile_path(arguments.profile, root)  # a profile that does not exist is a mistake, not an empty table
    if arguments.readme and arguments.profile != "cpu":
        raise ReproError(f"the table in README.md holds profile cpu, not {arguments.profile}; leave --readme out")
    claims_path = root / "configs" / "claims.yaml"
    print(claims_table(root / "results", arguments.profile, claims_path=claims_path))
    if arguments.readme:
        update_readme(
            root / "README.md", results_path=root / "results", profile=arguments.profile, claims_path=claims_path
        )


def _paper(arguments: argparse.Namespace) -> None:
    from repro.paper import build

    path = build(arguments.profile)
    print(f"{path.parent.name}/{path.name}, {path.stat().st_size // 1024} KB")
