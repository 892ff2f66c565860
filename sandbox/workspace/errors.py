"""Refusals, in the product's codes: https://docs.databricks.com/api/workspace/introduction (error codes)."""

from __future__ import annotations


class ApiError(Exception):
    """Answered as {"error_code": ..., "message": ...} with its HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def missing(message: str) -> ApiError:
    """404: the thing does not exist, or the caller may not know that it does."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def denied(message: str) -> ApiError:
    """403: the caller is known and may not do this."""
    return ApiError(403, "PERMISSION_DENIED", message)


def invalid(message: str) -> ApiError:
    """400: a value that is not allowed."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def exists(message: str) -> ApiError:
    """400: there is one of that name already."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)
