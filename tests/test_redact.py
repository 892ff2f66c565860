"""Which texts are secrets: by what the engine says, by a name, by their shape, and because this process holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantctl.preview.redact import HIDDEN, Redactor, secret_values

SIGNED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abcdefgh"}
ALNUM = "0123456789abcdefghijABCDEFGHIJ"


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQ\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn and no end",
        "dapi0123456789abcdef",
        "glpat-0123456789abcdefghij",
        "gldt-0123456789abcdefghij",
        "glptt-0123456789abcdef_-hij",
        *(f"gh{kind}_{ALNUM}" for kind in "pousr"),
        f"github_pat_{ALNUM}",
        "pul-" + "0123456789abcdef" * 2 + "01234567",
        "AKIAABCDEFGH01234567",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ],
)
def test_a_secret_has_a_shape(secret: str) -> None:
    """Whatever it stands in, and nothing of what is around it goes."""
    assert Redactor().text(f"before {secret}") == f"before {HIDDEN}"
    assert Redactor().holds_secret(f"x={secret}")
    assert Redactor().text("https://user:passw0rd@git.example/x.git") == f"https://{HIDDEN}@git.example/x.git"


@pytest.mark.parametrize(
    "text",
    [
        "dapi0123",
        "glpat-short",
        "ghx_" + ALNUM,
        "ghp_short",
        "AKIA-no",
        "eyJ no",
        "https://git.example/a@b",
        "-----BEGIN PUBLIC KEY-----",
    ],
)
def test_what_looks_like_one_only_from_afar_stays(text: str) -> None:
    """A word of a branch or a job is no token."""
    assert Redactor().text(text) == text and not Redactor().holds_secret(text)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "dbPassword",
        "dbPasswd",
        "pwd",
        "credentials",
        "apiKey2",
        "token_2",
        "passphrase",
        "passcode",
        "token",
        "personalAccessToken",
        "secret",
        "clientSecret",
        "privateKey",
        "private_key",
        "accessKey",
        "access_key",
        "apiKey",
        "api_key",
        "passwordWo",
        "token_wo",
        "stringValue",
        "stringValueWo",
        "bytesValue",
    ],
)
def test_a_secret_has_a_name(name: str) -> None:
    """As the last word of the property's name; a reference to a scope, a switch and nothing are none."""
    [shown] = Redactor().maps({name: "x", "other": "y"})
    assert shown == {name: HIDDEN, "other": "y"}
    for harmless in ("{{secrets/quant/key}}", True, None, {"a": "b"}, ["a"]):
        assert Redactor().maps({name: harmless}) == [{name: harmless}]


@pytest.mark.parametrize(
    "name", ["idempotencyToken", "mustChangePassword", "tokens", "secretScope", "keyName", "passwordPolicy"]
)
def test_not_every_name_with_such_a_word_promises_one(name: str) -> None:
    """What only speaks of a secret is shown."""
    assert Redactor().maps({name: "x"}) == [{name: "x"}]


def test_a_neighbour_names_a_value() -> None:
    """A parameter and a tag say in another key what they are."""
    given: dict[str, Any] = {"parameters": [{"name": "api_token", "default": "x"}, {"name": "day", "default": "y"}]}
    assert Redactor().maps(given) == [
        {"parameters": [{"name": "api_token", "default": HIDDEN}, {"name": "day", "default": HIDDEN}]}
    ]
    assert Redactor().maps({"a": {"key": "password", "value": "x"}}) == [{"a": {"key": "password", "value": HIDDEN}}]
    assert Redactor().maps({"a": {"key": "day", "value": "x"}}) == [{"a": {"key": "day", "value": "x"}}]


def test_what_is_secret_at_one_time_is_secret_at_all() -> None:
    """The engine marks the new value, and prints the old one plain; an item of a list stands for all."""
    old, new = Redactor().maps({"a": {"b": "was plain"}, "c": 1}, {"a": {"b": SIGNED}, "c": 2})
    assert (old, new) == ({"a": {"b": HIDDEN}, "c": 1}, {"a": {"b": HIDDEN}, "c": 2})
    old, new = Redactor().maps({"l": ["x", "y"]}, {"l": [SIGNED]})
    assert (old, new) == ({"l": [HIDDEN, HIDDEN]}, {"l": [HIDDEN]})
    assert Redactor().maps({"a": {**SIGNED, "4dabf18193072939515e22adb298388d": "of something else"}}) != [{"a": HIDDEN}]


def test_what_this_process_holds_is_hidden_in_every_spelling() -> None:
    """In a key, in an address as percent signs, and the longer of two first."""
    redactor = Redactor(["p&ss/w0rd", "p&ss/w0rd-longer", "line of a key"])
    assert redactor.text("a p&ss/w0rd b p%26ss%2Fw0rd c p&ss/w0rd-longer d") == f"a {HIDDEN} b {HIDDEN} c {HIDDEN} d"
    assert redactor.maps({"x line of a key": ["p&ss/w0rd", 5]}) == [{f"x {HIDDEN}": [HIDDEN, 5]}]
    assert Redactor([]).text("p&ss/w0rd") == "p&ss/w0rd"


def test_what_this_process_holds(tmp_path: Path) -> None:
    """Values of variables that are named like secrets, and the passphrase's file; no places, no short words."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery\n")
    pem = "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0\nshort\nAnotherLineOfTheKey==\n-----END PRIVATE KEY-----"
    held = secret_values(
        {
            "GITLAB_TOKEN": "of-gitlab",
            "DB_PASSWORD": "of-database",
            "PULUMI_CONFIG_PASSPHRASE": "of-pulumi",
            "CLIENT_SECRET": "of-databricks",
            "SNOWFLAKE_PRIVATE_KEY": pem,
            "MY_API_KEY": "of-an-api",
            "AWS_SECRET_ACCESS_KEY": "of-a-cloud",
            "GOOGLE_CREDENTIALS": "of-google",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
            "SSH_KEY_TOKEN_FILE": "/a/place/of/one",
            "TOKEN_PATH": "/a/place",
            "SECRET_DIR": "/a/place",
            "TOKEN_HOME": "/a/place",
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://place.example",
            "PULUMI_CONFIG_SECRET_KEYS": '["quant:gitToken"]',
            "SHORT_TOKEN": "seven77",
            "TWO_LINES_TOKEN": "sixteen_letters_\nfifteen_letters",
            "EIGHT_TOKEN": "eight888",
            "PATH": "/usr/bin:/bin",
        }
    )
    assert held == {
        "of-gitlab", "of-database", "of-pulumi", "of-databricks", "of-an-api", "of-a-cloud", "of-google", "eight888",
        "sixteen_letters_",
        "correct horse battery", "MIIEvQIBADANBgkqhkiG9w0", "AnotherLineOfTheKey==",
    }  # fmt: skip
    assert secret_values({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "none")}) == set()
