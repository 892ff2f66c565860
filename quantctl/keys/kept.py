"""Where the public halves are kept: in the stack file, or in the sandbox's file."""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.public_keys import KEY_SETTINGS, file_of
from infra.service_keys import Slots
from quantctl.engine.process import run


def keep(env: str, keys: Slots, environ: Mapping[str, str]) -> bool:
    """Write both slots; whether that changed the stack file, which is then to be committed."""
    file = file_of(env, environ)
    if file is not None:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(dict(zip(KEY_SETTINGS, keys, strict=True)), indent=1))
        new.replace(file)
        return False
    for name, key in zip(KEY_SETTINGS, keys, strict=True):
        if key:
            run(["config", "set", "--plaintext", f"quant:{name}", "-s", env], environ, value=key)
        elif run(["config", "get", f"quant:{name}", "-s", env], environ, must=False).code == 0:
            run(["config", "rm", f"quant:{name}", "-s", env], environ)
    return True
