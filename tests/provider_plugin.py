"""A provider plugin without an engine: asked as the engine asks it, so that hundreds of questions take seconds."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc

Json = dict[str, Any]


class _Silent(engine_pb2_grpc.EngineServicer):
    """The engine, as far as a plugin talks to it: what it logs is dropped."""

    def Log(self, request: Any, context: Any) -> Empty:
        return Empty()


class Plugin:
    """A configured plugin; one that was ended by a question is started again."""

    def __init__(self, program: Path, environ: Mapping[str, str], engine: str) -> None:
        self._command, self._environ = [str(program), engine], dict(environ)
        self._start()

    def _start(self) -> None:
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(self._command, env=self._environ, stdout=pipe, stderr=null, text=True)
        assert self._process.stdout is not None
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self._process.stdout.readline().strip()}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self.stub.Configure(provider_pb2.ConfigureRequest(args=Struct(), acceptSecrets=True, acceptResources=True))

    def end(self) -> None:
        """Stop it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def checked(self, urn: str, given: Json) -> Json:
        """The inputs as the engine keeps them."""
        request = provider_pb2.CheckRequest(urn=urn, news=_struct(given), randomSeed=b"0" * 32)
        answer = self.stub.Check(request)
        assert not answer.failures, answer.failures
        return _plain(answer.inputs)

    def create(self, urn: str, inputs: Json) -> tuple[str, Json]:
        """The new resource's id and outputs."""
        answer = self.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=_struct(inputs)))
        return str(answer.id), _plain(answer.properties)

    def delete(self, urn: str, id_: str, outputs: Json) -> None:
        """Remove it again."""
        self.stub.Delete(provider_pb2.DeleteRequest(id=id_, urn=urn, properties=_struct(outputs)))

    def changes(self, urn: str, id_: str, outputs: Json, before: Json, inputs: Json, ignored: tuple[str, ...] = ()) -> str:
        """What it says of inputs when the state has `outputs` and `before`: DIFF_NONE, DIFF_SOME, or why it cannot say.

        `own` in front where our build has answered itself, which is seen by what it leaves out.
        """
        request = provider_pb2.DiffRequest(
            id=id_, urn=urn, olds=_struct(outputs), old_inputs=_struct(before), news=_struct(inputs), ignoreChanges=ignored
        )
        try:
            answer = self.stub.Diff(request)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                self.end()
                self._start()
            return f"error {error.code().name}"
        said = str(provider_pb2.DiffResponse.DiffChanges.Name(answer.changes))
        return said if answer.hasDetailedDiff else f"own {said}"


@contextlib.contextmanager
def running(program: Path, environ: Mapping[str, str]) -> Iterator[Plugin]:
    """The plugin `program`, configured by its environment."""
    server = grpc.server(ThreadPoolExecutor(2))
    engine_pb2_grpc.add_EngineServicer_to_server(_Silent(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        made = Plugin(program, environ, f"127.0.0.1:{port}")
        try:
            yield made
        finally:
            made.end()
    finally:
        server.stop(None)


def _struct(values: Json) -> Struct:
    made = Struct()
    made.update(values)
    return made


def _plain(struct: Struct) -> Json:
    """Numbers stay numbers, null stays None."""
    return dict(MessageToDict(struct))
