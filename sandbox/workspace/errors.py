"""Refusals, in the product's codes: https://docs.databricks.com/api/workspace/introduction (error codes)."""

from __future__ import annotations

from typing import Any

# https://datatracker.ietf.org/doc/html/rfc7644#section-3.12; the SDKs put scimType before the detail.
_SCIM_TYPES = {"INVALID_PATH": "invalidPath", "INVALID_FILTER": "invalidFilter", "INVALID_VALUE": "invalidValue"}


class ApiError(Exception):
    """Answered as {"error_code": ..., "message": ...} with its HTTP status, by SCIM as RFC 7644 has it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self, *, scim: bool) -> dict[str, Any]:
        """What is answered."""
        if not scim:
            return {"error_code": self.code, "message": self.message}
        said = {"detail": self.message, "status": str(self.status)}
        kind = {"scimType": _SCIM_TYPES[self.code]} if self.code in _SCIM_TYPES else {}
        return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], **said, **kind}


def missing(message: str) -> ApiError:
    """404: the thing does not exist, or the caller may not know that it does."""
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def denied(message: str) -> ApiError:
    """403: the caller is known and may not do this."""
    return ApiError(403, "PERMISSION_DENIED", message)


def invalid(message: str) -> ApiError:
    """400: a value that is not allowed."""
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def malformed(message: str) -> ApiError:
    """400: a request that cannot be read."""
    return ApiError(400, "MALFORMED_REQUEST", f"Could not parse request object: {message}")


def exists(message: str) -> ApiError:
    """400: there is one of that name already."""
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", message)
