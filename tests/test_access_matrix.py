"""The access matrix as a table written by hand, what a stack may narrow, and how it is told."""

from __future__ import annotations

import pytest

from infra.access import DEPLOYER, MATRIX, SERVICE_PRINCIPAL, Access, Narrowed, access_of, table
from infra.errors import UserError
from infra.vocabulary import Environment, FolderLevel, JobLevel, Persona, SchemaAccess

DEV, STG, LR, LIVE = Environment

# Folder, jobs, schema: what each persona has, environment by environment, as docs/access.md shows it.
EXPECTED = {
    "developers": ["read run read", "read view read", "read view -", "read view -"],
    "reviewers": ["read view read", "read view read", "- - -", "- - -"],
    "releaseManagers": ["read view read", "read run read", "read run -", "read view read"],
    "uatTesters": ["- - -", "- - read", "- - -", "- - -"],
    "limitedRelease": ["- - -", "- - -", "- - read", "- - read"],
    "endUsers": ["- - -", "- - -", "- - -", "- - read"],
    "support": ["read view -", "read view read", "read view -", "read view read"],
    "comparers": ["- - read", "- - read", "- - read", "- - read"],
}
WORDS = {
    FolderLevel.NONE: "-", FolderLevel.READ: "read", JobLevel.NONE: "-", JobLevel.VIEW: "view", JobLevel.RUN: "run",
    SchemaAccess.NONE: "-", SchemaAccess.READ: "read",
}  # fmt: skip


def narrowed(what: str, level: str) -> Narrowed:
    """One of the three, said in a stack file."""
    return Narrowed(
        FolderLevel(level) if what == "folder" else None,
        JobLevel(level) if what == "job" else None,
        SchemaAccess(level) if what == "schema" else None,
    )


def words(access: Access) -> str:
    return " ".join((WORDS[access.folder], WORDS[access.job], WORDS[access.schema]))


@pytest.mark.parametrize("environment", list(Environment))
def test_the_matrix_is_what_was_agreed(environment: Environment) -> None:
    """Level by level, not only by name; who has nothing is not in the row."""
    row = access_of(environment, {})
    number = list(Environment).index(environment)
    for persona, cells in EXPECTED.items():
        assert words(row.get(Persona(persona), Access())) == cells[number], persona
        assert (Persona(persona) in row) == (cells[number] != "- - -")
    assert list(row) == [persona for persona in Persona if persona in row]


def test_the_environment_s_own_identities() -> None:
    """The principal runs and writes; the deployer manages and owns."""
    assert Access(FolderLevel.RUN, JobLevel.RUN, SchemaAccess.WRITE) == SERVICE_PRINCIPAL
    assert Access(FolderLevel.MANAGE, JobLevel.OWNER, SchemaAccess.OWN) == DEPLOYER


@pytest.mark.parametrize(
    ("access", "needed"),
    [
        (Access(), False),
        (Access(schema=SchemaAccess.READ), False),
        (Access(folder=FolderLevel.READ), True),
        (Access(job=JobLevel.VIEW), True),
    ],
)
def test_a_group_is_needed_for_databricks_alone(access: Access, needed: bool) -> None:
    """Who only reads the schema needs no group."""
    assert access.in_databricks is needed


@pytest.mark.parametrize("what", ["folder", "job", "schema"])
def test_a_stack_narrows_each_of_the_three_alone(what: str) -> None:
    """`none` takes one away and leaves the others; the same level changes nothing."""
    usual = access_of(DEV, {})[Persona.DEVELOPERS]
    row = access_of(DEV, {Persona.DEVELOPERS: narrowed(what, "none")})[Persona.DEVELOPERS]
    for other in ("folder", "job", "schema"):
        assert getattr(row, other) == ("none" if other == what else getattr(usual, other))
    same = access_of(DEV, {Persona.DEVELOPERS: narrowed(what, getattr(usual, what))})
    assert same == access_of(DEV, {})


def test_who_is_narrowed_to_nothing_is_gone() -> None:
    """All three taken away leave no entry; the others' rows stay."""
    nothing = Narrowed(FolderLevel.NONE, JobLevel.NONE, SchemaAccess.NONE)
    row = access_of(DEV, {Persona.DEVELOPERS: nothing})
    assert set(access_of(DEV, {})) - set(row) == {Persona.DEVELOPERS}
    run = access_of(DEV, {Persona.DEVELOPERS: Narrowed(job=JobLevel.VIEW)})
    assert run[Persona.DEVELOPERS].job is JobLevel.VIEW


@pytest.mark.parametrize("environment", list(Environment))
@pytest.mark.parametrize("persona", list(Persona))
def test_nothing_is_widened_by_one_level(environment: Environment, persona: Persona) -> None:
    """The next level above the matrix is refused for each persona, environment and object, with what is allowed."""
    usual = MATRIX[environment].get(persona, Access())
    for what, kind in (("folder", FolderLevel), ("job", JobLevel), ("schema", SchemaAccess)):
        order = list(kind)
        at = order.index(getattr(usual, what))
        for level in order[at + 1 :]:
            with pytest.raises(UserError) as raised:
                access_of(environment, {persona: narrowed(what, level)})
            said = str(raised.value)
            allowed = ", ".join(str(one) for one in order[: at + 1])
            assert said == (
                f"Pulumi.{environment}.yaml: quant:access.{persona}.{what}: found {str(level)!r}, allowed are"
                f" {allowed}: a stack narrows the access matrix of {environment} and never widens it (docs/access.md)."
            )


def test_every_widening_is_told_at_once() -> None:
    """One line for each."""
    wide = Narrowed(folder=FolderLevel.MANAGE, job=JobLevel.OWNER)
    with pytest.raises(UserError) as raised:
        access_of(LIVE, {Persona.DEVELOPERS: wide, Persona.SUPPORT: wide})
    assert len(str(raised.value).splitlines()) == 4


def test_the_table_says_it_in_words() -> None:
    """A heading, the personas in their order, then the environment's own identities, the same everywhere."""
    rows = table()
    assert rows[0] == ("persona", "quant", "quant_stg", "quant_lr", "quant_live")
    assert [row[0] for row in rows[1:]] == [*map(str, Persona), "servicePrincipal", "deployer"]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["developers"][0] == "folder CAN_READ, jobs CAN_MANAGE_RUN, schema read"
    assert by_name["uatTesters"] == ("-", "schema read", "-", "-")
    assert by_name["servicePrincipal"] == ("folder CAN_RUN, jobs CAN_MANAGE_RUN, schema write",) * 4
    assert by_name["deployer"] == ("folder CAN_MANAGE, jobs IS_OWNER, schema own",) * 4
