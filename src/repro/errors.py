"""What do we say when a person asked for something that cannot be?"""


class ReproError(ValueError):
    """A mistake the user can mend: one sentence with what was asked, what was found and what to do."""


def one_line(error: BaseException) -> str:
    """What kind of error it is and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")
