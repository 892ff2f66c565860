"""States and settings of earlier versions hold private keys: they are taken out, and the jobs go on with the same key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.naming import SECRET_KEY
from infra.service_keys import Slots, marker
from quantctl.engine.process import run
from quantctl.engine.state import States, put_state
from quantctl.errors import UserError
from quantctl.workspace import Workspace

_SECRET = "databricks:index/secret:Secret"
_OLD = ("serviceUserKey", "serviceUserKey2", "activeKey")
Json = dict[str, Any]
Say = Callable[[str], None]


def take_out(env: str, keys: Slots, states: States, say: Say) -> None:
    """Forget the private key in the stack's state and settings; the secret itself stays where the jobs read it.

    `keys` are the public halves that the state declares. The marker beside the secret is written first, so that
    interrupted anywhere the same command goes on.

    Raises:
        UserError: the state cannot be read or written, or which key is the active one is unknown.
    """
    environ, exported = states.environ, states.exported(env) if states.has(env) else {}
    kept, urns = without_key(exported)
    if urns:
        active = _active(env, environ)
        key = keys[active - 1]
        if key is None:
            raise UserError(f"{env}: quant:activeKey is {active}, and the state knows no such key.")
        workspace = Workspace(environ)
        scope = str(_secret(exported)["inputs"]["scope"])
        if SECRET_KEY in workspace.secrets_if_any(scope):
            workspace.put_secret(scope, marker(key), key)
        put_state(env, environ, kept)
        say(
            "The private key is out of the state, and stays in the scope. Older copies of the state hold it: retire it soon."
        )
    for name in _OLD:
        if _configured(name, env, environ):
            run(["config", "rm", f"quant:{name}", "-s", env], environ)
            say(f"quant:{name} is out of Pulumi.{env}.yaml")


def without_key(exported: Json) -> tuple[Json, list[str]]:
    """An exported state without the secret that holds the private key, and the URNs that were taken out. Pure."""
    deployment = exported.get("deployment") or {}
    resources = deployment.get("resources") or []
    urns = [str(one["urn"]) for one in resources if _holds_key(one)]
    if not urns:
        return exported, []
    kept = [_independent(one, frozenset(urns)) for one in resources if one.get("urn") not in urns]
    return {**exported, "deployment": {**deployment, "resources": kept}}, list(dict.fromkeys(urns))


def _independent(resource: Json, urns: frozenset[str]) -> Json:
    """The resource without a dependency on these."""
    changed = dict(resource)
    if "dependencies" in resource:
        changed["dependencies"] = [one for one in resource["dependencies"] or [] if one not in urns]
    if "propertyDependencies" in resource:
        by_property = (resource["propertyDependencies"] or {}).items()
        changed["propertyDependencies"] = {key: [one for one in on or [] if one not in urns] for key, on in by_property}
    return changed


def _holds_key(resource: Mapping[str, Any]) -> bool:
    return resource.get("type") == _SECRET and (resource.get("inputs") or {}).get("key") == SECRET_KEY


def _secret(exported: Json) -> Json:
    found: Json = next(one for one in exported["deployment"]["resources"] if _holds_key(one))
    return found


def _active(env: str, environ: Mapping[str, str]) -> int:
    """Which slot's key the jobs held: as the setting said, or the link in the folder of QUANT_SERVICE_KEYS."""
    done = run(["config", "get", "quant:activeKey", "-s", env], environ, must=False)
    if done.code == 0:
        return 2 if done.out.strip() == "2" else 1
    link = Path(environ.get("QUANT_SERVICE_KEYS") or "") / f"{env}.p8"
    return 2 if link.is_symlink() and link.readlink().name == f"{env}.2.p8" else 1


def _configured(name: str, env: str, environ: Mapping[str, str]) -> bool:
    return run(["config", "get", f"quant:{name}", "-s", env], environ, must=False).code == 0
