"""Providers are the engine's default ones: where they go and as whom is said by the environment variables alone. Pure."""

from __future__ import annotations

from rules.values import Props, shown


def check(resource_type: str, props: Props, stack: str, name: str) -> list[str]:
    """A provider of the program's own, or one that is told to go elsewhere; `name` is its logical name."""
    if not resource_type.startswith("pulumi:providers:"):
        return []
    package = resource_type.rpartition(":")[2]
    if not name.startswith("default"):
        return [
            f"provider {package} {name!r}: found a provider of the program's own, expected the default one in {stack}: host,"
            " account and credentials come from environment variables. Remove it."
        ]
    return [
        f"provider {package} {key}: found {shown(value)}, expected nothing: host, account and credentials of {stack}"
        " come from environment variables. Take it out of the configuration."
        for key, value in props.items()
        if not _is_usual(package, key) and value not in (None, {}, [])
    ]


def _is_usual(package: str, key: str) -> bool:
    """The version; and the provider of dynamic resources is told all of the project's configuration."""
    return key == "version" or (package == "pulumi-python" and key.startswith("quant:"))
