"""Write policy/protocol.binpb from the messages of the pinned package `pulumi`."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import descriptor_pb2
from pulumi.runtime.proto import analyzer_pb2, plugin_pb2


def description() -> bytes:
    """The protocol and what it refers to, in the order in which they are read."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (plugin_pb2, analyzer_pb2):
        files.file.add().MergeFromString(module.DESCRIPTOR.serialized_pb)
    written: bytes = files.SerializeToString(deterministic=True)
    return written


if __name__ == "__main__":
    Path(__file__).with_name("protocol.binpb").write_bytes(description())
