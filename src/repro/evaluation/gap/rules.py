"""How are rules about words written down?

A YAML file next to the code: a name, then regular expressions of which any is enough; case does not matter. A name that
begins with an underscore is a list of words, and `{name}` in a rule stands for any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def load_rules(file: str) -> Mapping[str, re.Pattern[str]]:
    """The rules of `file` by name."""
    import yaml

    said = yaml.safe_load((resources.files(__package__) / file).read_text("utf-8"))
    lists = {name[1:]: f"(?:{'|'.join(words)})" for name, words in said.items() if name.startswith("_")}
    rules = {name: each for name, each in said.items() if not name.startswith("_")}
    return {name: re.compile("|".join(_filled(one, lists) for one in each), re.I) for name, each in rules.items()}


def _filled(rule: str, lists: Mapping[str, str]) -> str:
    for name, words in lists.items():
        rule = rule.replace(f"{{{name}}}", words)
    return rule
