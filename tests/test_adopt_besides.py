"""What only some stacks declare, and is there already: imported under its id, and given to the deployer's role."""

from __future__ import annotations

from typing import Any

import pytest

from infra.naming import names_of
from infra.vocabulary import Persona
from quantctl.adopt import prepare
from quantctl.adopt.decisions import Decisions
from quantctl.adopt.identity import Declared
from quantctl.adopt.import_file import import_file
from quantctl.adopt.present import Present, real
from tests.adopted import looked
from tests.test_settings import read

SETTINGS = read(
    "quant_stg",
    groups="managed",
    warehouse="STG_WH",
    managedWarehouse='{"size": "SMALL", "monthlyCredits": 5}',
    allowedAddresses='["127.0.0.1"]',
)
NAMES = names_of(SETTINGS)
GROUP, ROLE = SETTINGS.names(Persona.DEVELOPERS).group, SETTINGS.names(Persona.DEVELOPERS).role.upper()
THERE: dict[str, Any] = {
    "managed_groups": {GROUP: "77"},
    "roles_there": [ROLE],
    "warehouses": ["STG_WH"],
    "network_policies": [NAMES.network_policy],
    "resource_monitors": [NAMES.resource_monitor],
}


def declared(kind: str, **inputs: str) -> Declared:
    provider = "databricks" if kind == "Group" else "snowflake"
    name = kind[0].lower() + kind[1:]
    return Declared(f"urn::{name}", f"{provider}:index/{name}:{kind}", True, inputs, "", "")


@pytest.mark.parametrize(
    ("one", "id_"),
    [
        (declared("Group", displayName=GROUP), "77"),
        (declared("AccountRole", name=ROLE), f'"{ROLE}"'),
        (declared("Warehouse", name="STG_WH"), '"STG_WH"'),
        (declared("NetworkPolicy", name=NAMES.network_policy), f'"{NAMES.network_policy}"'),
        (declared("ResourceMonitor", name=NAMES.resource_monitor), f'"{NAMES.resource_monitor}"'),
    ],
    ids=lambda one: one.kind if isinstance(one, Declared) else "",
)
def test_what_is_there_is_imported_and_what_is_not_is_created(one: Declared, id_: str) -> None:
    """Else the first update is refused, because the name is taken."""
    for found, expected in ((THERE, id_), ({"roles_there": []}, None)):
        look = looked("quant_stg", **found)
        assert Present(look, SETTINGS, NAMES, real(look, []), "me").identity(one) == expected


def test_the_deployer_gets_what_it_declares() -> None:
    """But for a resource monitor, which cannot be given away; and nothing of it where the stack does not declare it."""
    look = looked("quant_stg", schema_=None, user=None, **THERE)
    wanted = prepare.statements(look, SETTINGS, NAMES, Decisions(), "DEPLOYER")
    assert {one.sql for one in wanted} == {
        f"GRANT OWNERSHIP ON ROLE {ROLE} TO ROLE DEPLOYER COPY CURRENT GRANTS",
        "GRANT OWNERSHIP ON WAREHOUSE STG_WH TO ROLE DEPLOYER COPY CURRENT GRANTS",
        f"GRANT OWNERSHIP ON NETWORK POLICY {NAMES.network_policy} TO ROLE DEPLOYER COPY CURRENT GRANTS",
    }
    plain = read("quant_stg")
    assert prepare.statements(looked("quant_stg", schema_=None, user=None), plain, names_of(plain), Decisions(), "D") == []


def test_a_component_is_not_taken_for_the_resource_in_it() -> None:
    """Both are called `warehouse`; the resource's parent is the component."""
    above = Declared("urn::a", "quant:index:Environment", False, {}, "", "")
    component = Declared("urn::w", "quant:snowflake:Warehouse", False, {}, above.urn, "")
    inside = Declared("urn::x::w", "snowflake:index/warehouse:Warehouse", True, {}, component.urn, "")
    entries = import_file([above, component, inside], lambda _: "id")["resources"]
    labels = [entry["name"] for entry in entries]
    assert len(set(labels)) == 3 and entries[2]["parent"] == entries[1]["name"] and entries[1]["parent"] == labels[0]
