"""Refusals in GitLab's words: https://docs.gitlab.com/api/rest/troubleshooting/#status-codes"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """Answered as {"message": ...}; a parameter that cannot be read as {"error": ...}."""

    def __init__(self, status: int, message: Any, *, key: str = "message") -> None:
        super().__init__(str(message))
        self.status, self.body = status, {key: message}


def unauthorized() -> ApiError:
    """401: nobody known, or somebody who may not approve or merge."""
    return ApiError(401, "401 Unauthorized")


def forbidden(why: str = "") -> ApiError:
    """403: known, and may not do this."""
    return ApiError(403, f"403 Forbidden - {why}" if why else "403 Forbidden")


def missing(what: str = "") -> ApiError:
    """404: not there, or not to be known."""
    return ApiError(404, f"404 {what} Not Found" if what else "404 Not found")


def not_allowed() -> ApiError:
    """405: its state does not allow it now."""
    return ApiError(405, "405 Method Not Allowed")


def conflict(message: Any) -> ApiError:
    """409: somebody was faster, or there is one already."""
    return ApiError(409, message)


def invalid(message: Any) -> ApiError:
    """422: a value that cannot be taken."""
    return ApiError(422, message)


def bad(message: str) -> ApiError:
    """400: a parameter that is missing or of the wrong kind."""
    return ApiError(400, message, key="error")
