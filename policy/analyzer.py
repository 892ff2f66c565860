"""Between the engine and the rules: what the engine sends becomes plain, what a rule finds becomes a violation.

This speaks the engine's own protocol (pulumirpc.Analyzer). The SDK for policies, pulumi-policy, reads the properties of a
resource anew for each rule and takes the marks of secrets away: docs/decisions/0011-the-pack-speaks-to-the-engine.md.
"""

from __future__ import annotations

import signal
import time
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from protocol import MANDATORY, OF_A_RESOURCE, OF_THE_STACK, handler, message
from rules import environments, judge
from rules.values import Declared, kind, plain

_NAME, _VERSION = "quant", "1.0.0"  # the engine shows the version of PulumiPolicy.yaml
_GRPC = (("grpc.max_receive_message_length", 400 * 1024 * 1024),)  # as the engine's own


_AnalyzerInfo, _PluginInfo = message("AnalyzerInfo"), message("PluginInfo")
_AnalyzeResponse = message("AnalyzeResponse")
_Configured = message("AnalyzerStackConfigureResponse")


class Analyzer:
    """Every rule is mandatory: what it finds stops a preview, and an update before anything is sent.

    It changes nothing, so there is no Remediate, which the engine calls for each resource: a pack may do without it
    (pulumi/pulumi, pkg/resource/plugin/analyzer_plugin.go).
    """

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        """The rules by name."""
        info = _AnalyzerInfo(name=_NAME, version=_VERSION, supportsConfig=False)
        for name, description in judge.RULES.items():
            of = OF_THE_STACK if name in judge.OF_THE_STACK else OF_A_RESOURCE
            info.policies.add(name=name, description=description, enforcementLevel=MANDATORY, policy_type=of)
        return info

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version of the pack."""
        return _PluginInfo(version=_VERSION)

    def Configure(self, request: Any, context: Any) -> Any:
        """A policy configuration would weaken rules: there is none."""
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        """What the stack is configured with; secrets among it are not kept."""
        secret = set(request.config_secret_keys)
        environments.configure(request.stack, {key: value for key, value in request.config.items() if key not in secret})
        return _Configured()

    def Analyze(self, request: Any, context: Any) -> Any:
        """Judge one resource before it is sent to its provider."""
        props, protect = plain(_fields(request.properties)), request.options.protect
        # What --target leaves out, and no state has, is not sent, and comes without a field. What a provider has checked has
        # one at least, __defaults (pulumi/pulumi, pkg/resource/deploy/step_generator.go: "stub out the provider check").
        is_sent = bool(request.properties.fields)
        return _answer(judge.of_resource(request.urn, request.type, props, is_protected=protect, is_sent=is_sent))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        """Judge all resources of the stack together."""
        declared = [
            Declared(
                one.urn,
                one.type,
                plain(_fields(one.properties)),
                {key: list(others.urns) for key, others in one.propertyDependencies.items()},
            )
            for one in request.resources
            if kind(one.type) in judge.SEEN_IN_STACK and one.properties.fields  # without any it is left out, as above
        ]
        return _answer(judge.of_stack(declared))


def _answer(violations: Any) -> Any:
    answer = _AnalyzeResponse()
    for found in violations:
        answer.diagnostics.add(
            policyName=found.rule,
            policyPackName=_NAME,
            policyPackVersion=_VERSION,
            description=judge.RULES[found.rule],
            message=f"{judge.RULES[found.rule]}\n{found.message}",
            enforcementLevel=MANDATORY,
            urn=found.urn or "",
        )
    return answer


def _fields(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {key: _value(value) for key, value in struct.fields.items()}


def _value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "struct_value":
            return _fields(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
        case "bool_value":
            return value.bool_value
        case "number_value":
            return value.number_value
    return None


def serve() -> None:
    """Answer the engine until it ends this process, which it asks by a signal."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=_GRPC)
    server.add_generic_rpc_handlers((handler(Analyzer()),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # The engine waits for this line; behind a buffer it would wait for ever.
    print(port, flush=True)
    while True:
        time.sleep(86400)
