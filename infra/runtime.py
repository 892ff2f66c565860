"""How the program runs inside the engine: mistakes are told as messages, and its resources are awaited once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import pulumi
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from infra.errors import UserError
from infra.sdk.base import Declared

# The language host's word for "the user has been told already": the engine then adds no message of its own
# (pulumi/pulumi, sdk/python/cmd/pulumi-language-python-exec).
_TOLD = 32
_DEBUG = "QUANT_DEBUG"


def run(declare: Callable[[], None]) -> None:
    """Declare the stack's resources, and end when each of them is registered.

    The runtime's own wait looks at every output again whenever one resolves, which is quadratic; awaiting the resources
    here leaves it nothing to wait for. Measured in bench/: docs/decisions/0004-one-wait.md.
    """
    rpc.resolve_outputs = _resolve_what_is_read
    if not os.environ.get(_DEBUG):
        pulumi.log.debug = _say_nothing
    declared: list[pulumi.Resource] = []
    pulumi.runtime.register_stack_transformation(lambda args: declared.append(args.resource))
    try:
        declare()
    except UserError as error:
        pulumi.log.error(str(error))
        sys.exit(_TOLD)

    async def registered() -> None:
        # A resource that fails is reported by the runtime itself, afterwards.
        await asyncio.gather(*(resource.urn.future() for resource in declared), return_exceptions=True)

    pulumi.run(registered)


def _say_nothing(*_: Any, **__: Any) -> None:
    """In place of the runtime's debug lines: docs/decisions/0012-no-debug-lines.md."""


_resolve = rpc.resolve_outputs


def _resolve_what_is_read(res: pulumi.Resource, serialized_props: Struct, outputs: Struct, *more: Any, **named: Any) -> None:
    """In place of the runtime's own, which translates every output: docs/decisions/0018-outputs-that-are-read.md."""
    if isinstance(res, Declared):
        serialized_props, outputs = Struct(), res.what_is_read(outputs)
    _resolve(res, serialized_props, outputs, *more, **named)
