"""The one error of the toolchain."""

from infra.errors import UserError


class ToolchainError(UserError):
    """Something that a user can act on."""
