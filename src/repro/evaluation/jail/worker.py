"""What does the stranger's program answer when its functions are called?

This file is the text that the walled-in interpreter is started with, and all of our code that shares a process with
the program. It knows no test and no expected value. It reads calls from descriptor 3 and writes answers to descriptor
4, one line of plain data each. Whatever the program does to it, the most it can change is its own answers.
"""

from __future__ import annotations

import ast
import os
from typing import Any

CALLS, ANSWERS = 3, 4


def main() -> None:
    """Run the program, say "ready", then answer calls until there are none."""
    with os.fdopen(CALLS, "r", encoding="utf-8") as calls, os.fdopen(ANSWERS, "w", encoding="utf-8") as answers:
        names: dict[str, Any] = {"__name__": "program"}
        try:
            exec(compile(ast.literal_eval(calls.readline()), "program.py", "exec"), names)
            answers.write("('ready', '')\n")
        except Exception as error:
            answers.write(f"{('raised', type(error).__name__, str(error)[:200])!r}\n")
        answers.flush()
        for line in calls:
            answers.write(f"{_answer(names, *ast.literal_eval(line))}\n")
            answers.flush()


def _answer(names: dict[str, Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    if name not in names:
        return repr(("raised", "NameError", f"the program defines no {name}"))
    try:
        return repr(("value", names[name](*args, **kwargs))).replace("\n", " ")
    except Exception as error:
        return repr(("raised", type(error).__name__, str(error)[:200]))


if __name__ == "__main__":
    main()
