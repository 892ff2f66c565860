"""How the program runs inside the engine: mistakes are told as messages, and its resources are awaited once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import pulumi
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import resource, rpc
from pulumi.runtime.proto import source_pb2

from infra.errors import UserError
from infra.sdk.base import Declared
from infra.vocabulary import DECLARED

# The language host's word for "the user has been told already": the engine then adds no message of its own
# (pulumi/pulumi, sdk/python/cmd/pulumi-language-python-exec).
_TOLD = 32
_DEBUG = "QUANT_DEBUG"


def run(declare: Callable[[], pulumi.Output[str]]) -> None:
    """Declare the stack's resources, and end when each of them is registered.

    What `declare` answers says what is wrong all the same, where something is: an update then fails, when all else is done.

    The runtime's own wait looks at every output again whenever one resolves, which is quadratic; awaiting the resources
    here leaves it nothing to wait for. Measured in bench/: docs/decisions/0004-one-wait.md.
    """
    rpc.resolve_outputs = _resolve_what_is_read
    resource._get_stack_trace = _no_stack_trace
    if not os.environ.get(_DEBUG):
        pulumi.log.debug = _say_nothing
    declared: list[pulumi.Resource] = []
    pulumi.runtime.register_stack_transformation(lambda args: declared.append(args.resource))
    try:
        wrong = declare()
    except UserError as error:
        pulumi.log.error(str(error))
        sys.exit(_TOLD)

    async def registered() -> dict[str, int]:
        # A resource that fails is reported by the runtime itself, afterwards.
        await asyncio.gather(*(resource.urn.future() for resource in declared), return_exceptions=True)
        if said := await wrong.future():
            if pulumi.runtime.is_dry_run():
                pulumi.warn(said)
            else:
                pulumi.log.error(said)
                sys.exit(_TOLD)
        # By it a stack is known of which a destroy, an update or a person took something away.
        real = [resource for resource in declared if isinstance(resource, pulumi.CustomResource)]
        there = await asyncio.gather(*(resource.id.is_known() for resource in real), return_exceptions=True)
        # An update of some targets does not create the others: what is declared was not deployed then.
        return {DECLARED: len(real)} if pulumi.runtime.is_dry_run() or all(known is True for known in there) else {}

    pulumi.run(registered)


def _say_nothing(*_: Any, **__: Any) -> None:
    """In place of the runtime's debug lines: docs/decisions/0012-no-debug-lines.md."""


def _no_stack_trace() -> source_pb2.StackTrace:
    """In place of the runtime's own, which the state would keep: docs/decisions/0012-no-debug-lines.md."""
    return source_pb2.StackTrace()


_resolve = rpc.resolve_outputs


def _resolve_what_is_read(res: pulumi.Resource, serialized_props: Struct, outputs: Struct, *more: Any, **named: Any) -> None:
    """In place of the runtime's own, which translates every output: docs/decisions/0018-outputs-that-are-read.md."""
    if isinstance(res, Declared):
        serialized_props, outputs = Struct(), res.what_is_read(outputs)
    _resolve(res, serialized_props, outputs, *more, **named)
