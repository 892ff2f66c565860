"""The one error a user sees: what was found, what was expected, what to do next."""


class UserError(Exception):
    """A mistake or a refusal that the reader can act on. Shown as its message alone, never as a traceback."""
