"""The engine's protocol with a policy pack, pulumirpc.Analyzer, from its description in protocol.binpb.

The messages that the package `pulumi` generates are the same, but to import them is to import all of it: most of what a
policy pack costs (docs/decisions/0011-the-pack-speaks-to-the-engine.md). `python policy/make_protocol.py` writes the
description again, after `pulumi` has been pinned anew; a test compares.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, empty_pb2, message_factory, struct_pb2

FILE = Path(__file__).with_name("protocol.binpb")
MANDATORY, OF_A_RESOURCE, OF_THE_STACK = 1, 1, 2  # EnforcementLevel, PolicyType
_IMPORTED = (empty_pb2, struct_pb2)  # the description refers to them


def _service() -> Any:
    files = descriptor_pb2.FileDescriptorSet.FromString(FILE.read_bytes())
    pool = descriptor_pool.Default()
    for file in files.file:
        pool.Add(file)
    return pool.FindServiceByName("pulumirpc.Analyzer")


SERVICE = _service()


def message(name: str) -> Any:
    """A message's class, e.g. `AnalyzeResponse`."""
    return message_factory.GetMessageClass(SERVICE.file.pool.FindMessageTypeByName(f"pulumirpc.{name}"))


def handler(servant: object) -> Any:
    """Every call of the protocol for which `servant` has a method; the engine does without the others."""
    calls = {}
    for method in SERVICE.methods:
        answer = getattr(servant, method.name, None)
        if answer is not None:
            calls[method.name] = grpc.unary_unary_rpc_method_handler(
                answer,
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=message_factory.GetMessageClass(method.output_type).SerializeToString,
            )
    return grpc.method_handlers_generic_handler(SERVICE.full_name, calls)
