"""Four stacks, four identities: what must be an environment's own differs between the four stack files.

Whoever changes a stack file could otherwise let `quant` run as the service principal of `quant_live`, with everything green.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from infra.errors import UserError
from infra.own_names import in_common, names_in
from infra.vocabulary import Environment

_OWN = ("servicePrincipal", "folder", "schema", "branch")
_KEYS = ("publicKey", "publicKey2")
_PREFIX = "quant:"


def need_different(stack: str, mine: Mapping[str, str], root: Path) -> None:
    """Compare the configuration of `stack` (`quant:key` -> value) with the other stack files, as far as they are there.

    Raises:
        UserError: both files and the key, one line for each; or a file that cannot be read, because what it says is unknown.
    """
    shared = _config(root / "Pulumi.yaml")
    problems: list[str] = []
    for other in Environment:
        file = root / f"Pulumi.{other}.yaml"
        if other != stack:
            problems += common(stack, mine, other, {**shared, **_config(file)})
    if problems:
        raise UserError("\n".join(problems))


def common(stack: str, mine: Mapping[str, Any], other: str, theirs: Mapping[str, Any]) -> Iterator[str]:
    """What two stacks have in common that each must have for itself. Pure."""
    files = f"Pulumi.{stack}.yaml and Pulumi.{other}.yaml"
    for key in _OWN:
        if _same(key, mine.get(_PREFIX + key), theirs.get(_PREFIX + key)):
            yield (
                f"{files}: quant:{key}: found {mine[_PREFIX + key]!r} in both, expected one for each: it keeps the two"
                " environments apart."
            )
    for key, name in in_common(names_in(stack, mine), names_in(other, theirs)):
        yield f"{files}: quant:names.{key} of {stack}: found {name!r}, which is the other's; expected one for each."
    for key, against in (("servicePrincipal", "deployer"), ("deployer", "servicePrincipal")):
        value = mine.get(_PREFIX + key)
        if _same(key, value, theirs.get(_PREFIX + against)):
            yield (
                f"{files}: quant:{key} of {stack} is quant:{against} of {other}: found {value!r}; what runs jobs must not"
                " be what deploys them, in any environment."
            )

    for key in _KEYS:
        for against in _KEYS:
            if _same(key, mine.get(_PREFIX + key), theirs.get(_PREFIX + against)):
                yield (
                    f"{files}: quant:{key} of {stack} is quant:{against} of {other}: one key would log in as both service"
                    f" users. Make another: quantctl keys rotate {stack}."
                )


def _same(key: str, one: Any, other: Any) -> bool:
    """Whether two values mean the same thing, or one folder lies in the other; what is no text is refused elsewhere."""
    if not isinstance(one, str) or not isinstance(other, str) or not one or not other:
        return False
    if key != "folder":
        return one.lower() == other.lower()
    mine, theirs = (f"{path.removeprefix('/Workspace').rstrip('/')}/" for path in (one, other))
    return mine.startswith(theirs) or theirs.startswith(mine)


def _config(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        reason = str(error).replace("\n", " ")
        raise UserError(
            f"{path.name} cannot be read ({reason}): whether the stacks differ is unknown. Correct it."
        ) from None
    config = read.get("config") or {} if isinstance(read, dict) else None
    if not isinstance(config, dict):
        raise UserError(f"{path.name}: config: found no keys and values: whether the stacks differ is unknown. Correct it.")
    return {key if ":" in key else _PREFIX + key: _plain(value) for key, value in config.items() if isinstance(key, str)}


def _plain(value: Any) -> Any:
    # https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration
    return value.get("value", value.get("default")) if isinstance(value, dict) else value
