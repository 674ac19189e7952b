"""What do we say when a person asked for something that cannot be?"""


class ReproError(ValueError):
    """A mistake the user can mend: one sentence with what was asked, what was found and what to do."""
