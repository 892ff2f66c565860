"""The sandbox process: the workspace, the account and the Git host, each on a loopback port.

Run by `sandbox.control`: python -m sandbox.server --state DIR
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sandbox import clock, git_host, identities, switches
from sandbox.account import app as account_app
from sandbox.account import seed as account_seed
from sandbox.forge import seed as forge_seed
from sandbox.forge.seed import Member
from sandbox.state import HOST, Endpoints, State
from sandbox.workspace import app as workspace_app
from sandbox.workspace import seed as workspace_seed

# Longer than a client keeps an idle connection (90 s in Go: https://pkg.go.dev/net/http#DefaultTransport). uvicorn's 5 s end
# under a client that is just sending a POST on a busy machine, and that is not repeated.
_IDLE_SECONDS = 120


class Server(uvicorn.Server):
    """One of three servers in the process, so signals are handled outside."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(wanted: int | None) -> socket.socket:
    """A listening socket on the wanted port, on a free one when that is taken."""
    for port in (wanted or 0, 0):
        # With the protocol said, asyncio sets TCP_NODELAY; without it a kept-alive request takes 47 ms instead of 2.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError:
            listener.close()
            continue
        return listener
    raise SystemExit("no free port on 127.0.0.1")


def seed(state: State) -> None:
    tokens = {token: name for name, token in state.tokens().items()}
    workspace_seed.seed(
        state.database,
        users=[{"userName": p.user_name, "displayName": p.key.capitalize()} for p in identities.PEOPLE],
        groups={p.group: [p.user_name] for p in identities.PEOPLE if p.group},
        service_principals=[
            {"displayName": identities.service_principal_name(env), "applicationId": application}
            for env, application in identities.SERVICE_PRINCIPALS.items()
        ]
        + [{"displayName": identities.DEPLOYER_NAME, "applicationId": identities.DEPLOYER_ID}],
        tokens=tokens,
        admins=[identities.ADMIN.user_name, identities.DEPLOYER_ID],
        may_use={principal: [identities.DEPLOYER_ID] for principal in identities.SERVICE_PRINCIPALS.values()},
    )
    workspace_seed.git_credential(
        state.folder, state.database, identities.DEPLOYER_ID, identities.DEPLOYER_NAME,
        state.gitlab_tokens()[identities.DEPLOYER_NAME],
    )  # fmt: skip
    people = [(p.snowflake_user, p.key, p.role) for p in identities.PEOPLE]
    people.append((identities.DEPLOYER_USER, "deployer", identities.DEPLOYER_ROLE))
    account_seed.seed(
        state.database,
        users=[{"name": name, "rsa_public_key": state.public_key(key), "default_role": role} for name, key, role in people],
        roles={role: [name] for name, _, role in people},
        statements=identities.SEED_STATEMENTS,
    )
    forge_seed.seed(
        state.forge,
        [Member(p.key, p.key.capitalize(), p.user_name, p.gitlab_level, p.group) for p in identities.PEOPLE]
        + [Member(identities.DEPLOYER_NAME, "Quant Deployer", identities.DEPLOYER_EMAIL, 40, bot=True)],
        state.gitlab_tokens(),
    )


async def serve(state: State) -> None:
    last = state.endpoints()
    workspace_socket = listen(last.databricks_port if last else None)
    account_socket = listen(last.snowflake_port if last else None)
    git_socket = listen(last.git_port if last else None)
    ports = [each.getsockname()[1] for each in (workspace_socket, account_socket, git_socket)]
    endpoints = Endpoints(os.getpid(), *ports)
    tokens = state.tokens()

    def job_env(identity: str) -> dict[str, str]:
        return {
            "DATABRICKS_HOST": endpoints.databricks_host,
            "DATABRICKS_TOKEN": tokens.get(identity, ""),
            "SNOWFLAKE_HOST": endpoints.snowflake_host,
            "SNOWFLAKE_PORT": str(endpoints.snowflake_port),
            "SNOWFLAKE_PROTOCOL": "http",
        }

    switches.write(state.folder, switches.of_environment(os.environ))
    clock.keep_in(state.folder)
    seed(state)
    workspace = _server(clock.dated(workspace_app.create_app(state.database, state.folders, job_env)))
    account = _server(clock.dated(account_app.create_app(state.database)))
    git = _server(git_host.create_app(state.remote, state.forge, state.hooks, endpoints.gitlab_url))
    servers = (workspace, account, git)

    def leave() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    running = asyncio.gather(
        workspace.serve(sockets=[workspace_socket]), account.serve(sockets=[account_socket]), git.serve(sockets=[git_socket])
    )
    while not all(server.started for server in servers) and not running.done():
        await asyncio.sleep(0.01)
    if not running.done():
        state.write_endpoints(endpoints)
    await running


def _server(app: ASGIApp) -> Server:
    # The Date is the sandbox's: sandbox/clock.py writes it.
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=_IDLE_SECONDS,
        date_header=False,
    )
    return Server(config)


def main() -> None:
    os.umask(0o077)  # what lies in the state folder is its owner's alone
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", required=True, type=Path)
    asyncio.run(serve(State(parser.parse_args().state)))


if __name__ == "__main__":
    main()
