"""The one error of the toolchain."""


class ToolchainError(Exception):
    """Says what was found, what is needed, and what to install or free."""
