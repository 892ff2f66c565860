"""Names that a team had before: taken as they are by the program, and held to one environment by the policy pack."""

from __future__ import annotations

import json

import pytest
from rules import environments

from infra.errors import UserError
from infra.naming import names_of
from infra.settings import Settings, read_settings
from tests.policy_shapes import broken, configured, token
from tests.test_settings import config_of

pytestmark = pytest.mark.usefixtures("configured")
_ = configured
OWN = {
    "serviceRole": "pipelines_rw",
    "serviceUser": "PIPELINES",
    "readerRole": "LOOK",
    "writerRole": "WRITE",
    "secretScope": "pipelines-prod",
    "secretKey": "sf.pem",
}


def read(stack: str, schema: str, names: dict[str, str]) -> Settings:
    config = {**config_of(stack), "quant:schema": schema, "quant:names": json.dumps(names)}
    return read_settings(stack, config, {"QUANT_REMOTE": "http://127.0.0.1/remote.git"})


def test_what_is_not_said_follows_from_schema_and_environment() -> None:
    """The names that are in the state of whoever says nothing stay what they were."""
    names = names_of(read("quant_live", "quant_live", {}))
    assert (names.reader, names.writer) == ("QUANT_LIVE_READER", "QUANT_LIVE_WRITER")
    assert (names.service_role, names.service_user) == ("QUANT_LIVE_SVC", "SVC_QUANT_LIVE")
    assert (names.secret_scope, names.secret_key) == ("quant_live", "snowflake_private_key")


def test_a_teams_own_names_are_declared() -> None:
    """Each as it was said; Snowflake's in upper case."""
    names = names_of(read("quant_live", "prod", OWN))
    assert (names.schema, names.reader, names.writer) == ("PROD", "LOOK", "WRITE")
    assert (names.service_role, names.service_user) == ("PIPELINES_RW", "PIPELINES")
    assert (names.secret_scope, names.secret_key) == ("pipelines-prod", "sf.pem")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"serviceRole": "quant_developers"}, ["quant:names.serviceRole", "'QUANT_DEVELOPERS'", "developers"]),
        ({"readerRole": "quant_live_writer"}, ["quant:names", "'QUANT_LIVE_WRITER'", "differ"]),
        ({"serviceUser": "jobs@quant"}, ["quant:names.serviceUser", "plain Snowflake identifier"]),
        ({"secretScope": "a/b"}, ["quant:names.secretScope", "letters, digits"]),
        ({"secretscope": "x"}, ["quant:names.secretscope is not a setting", "secretScope"]),
    ],
)
def test_names_that_would_open_something_are_refused(names: dict[str, str], words: list[str]) -> None:
    """The message names the key and what was found."""
    with pytest.raises(UserError) as refused:
        read("quant_live", "quant_live", names)
    assert all(word in str(refused.value) for word in words), refused.value


def test_the_pack_takes_the_teams_names_and_no_others() -> None:
    """What the configuration says is right; the usual name is then another's."""
    environments.configure("quant_live", {"quant:schema": "prod", "quant:names": json.dumps(OWN)})
    scope = token("SecretScope")
    assert broken("quant_live", scope, {"name": "pipelines-prod"}) == []
    assert broken("quant_live", scope, {"name": "quant_live"}) != []
    live = environments.named("quant_live")
    assert live is not None
    assert (live.schema, live.reader, live.service_role, live.service_user) == ("PROD", "LOOK", "PIPELINES_RW", "PIPELINES")


@pytest.mark.parametrize(
    ("key", "name"), [("serviceUser", "SVC_QUANT_LIVE"), ("secretScope", "quant_live"), ("readerRole", "QUANT_LIVE_WRITER")]
)
def test_the_pack_refuses_a_name_of_production_in_development(key: str, name: str) -> None:
    """The program refuses it too; the pack does not believe it."""
    environments.configure("quant", {"quant:names": json.dumps({key: name})})
    found = [one.message for one in broken("quant", "pulumi:pulumi:Stack", {})]
    assert any(key in message and repr(name) in message for message in found), found


def test_the_pack_refuses_the_schema_of_another_environment() -> None:
    """A stack that says it gets its own schema instead, so that what is declared is not the environment's."""
    environments.configure("quant", {"quant:schema": "quant_live"})
    development = environments.named("quant")
    assert development is not None and development.schema == "QUANT"
