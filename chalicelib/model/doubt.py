"""How the compiled checks say that they cannot vouch for a body."""


class Doubt(Exception):  # noqa: N818  # no error: the tables then tell whether there is one
    """The value is wrong, or so unusual that only the tables can tell."""
