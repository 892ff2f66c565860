"""One login: who, and what is in use."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Session:
    """`database` and `schema` are spelled as in a qualified name; `secondary` is ALL, NONE or a JSON list of roles."""

    id: int
    user: str
    role: str
    secondary: str = "NONE"
    database: str | None = None
    schema: str | None = None
    warehouse: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def autocommit(self) -> bool:
        """Whether a change commits by itself."""
        return self.parameters.get("AUTOCOMMIT", "true") == "true"
