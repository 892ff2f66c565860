"""Rule sets: who may use and who may manage a service principal."""

from __future__ import annotations

import pytest
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.service.iam import GrantRule, RuleSetUpdateRequest
from databricks.sdk.service.jobs import JobRunAs

from tests.workspace_sandbox import ADMIN, DANA, DEPLOYER, EDDIE, Workspace

pytest_plugins = ["tests.workspace_sandbox"]
USER, MANAGER = "roles/servicePrincipal.user", "roles/servicePrincipal.manager"


def test_who_makes_a_service_principal_manages_it_and_does_not_yet_use_it(workspace: Workspace) -> None:
    """The rules are read with an etag and replaced as a whole; a group has a role for its members."""
    admin = workspace.client()
    made = admin.service_principals.create(display_name=workspace.name("sp"))
    application = made.application_id or ""
    name = f"accounts/any/servicePrincipals/{application}/ruleSets/default"
    proxy, dana = admin.account_access_control_proxy, workspace.client(DANA)
    before = proxy.get_rule_set(name, "")
    assert [(rule.role, rule.principals) for rule in before.grant_rules or []] == [(MANAGER, [f"users/{ADMIN}"])]
    with pytest.raises(PermissionDenied, match=USER):
        admin.jobs.create(name="as", run_as=JobRunAs(service_principal_name=application))
    rules = [GrantRule(USER, ["groups/quant-developers"]), GrantRule(MANAGER, [f"users/{EDDIE}"])]
    after = proxy.update_rule_set(name, RuleSetUpdateRequest(name, before.etag, rules))
    assert after.etag != before.etag and after.grant_rules == rules
    assert dana.jobs.create(name="as", run_as=JobRunAs(service_principal_name=application)).job_id
    with pytest.raises(PermissionDenied):
        dana.account_access_control_proxy.get_rule_set(name, "")
    assert workspace.client(EDDIE).account_access_control_proxy.get_rule_set(name, "").etag == after.etag
    with pytest.raises(ResourceConflict):
        proxy.update_rule_set(name, RuleSetUpdateRequest(name, before.etag, []))
    assert [role.name for role in proxy.get_assignable_roles_for_resource(name).roles or []] == [MANAGER, USER]
    admin.service_principals.delete(made.id or "")
    with pytest.raises(NotFound):
        proxy.get_rule_set(name, "")


def test_rules_that_cannot_be_are_refused(workspace: Workspace) -> None:
    """Roles and principals that there are not, and rule sets of something else."""
    admin = workspace.client()
    application = admin.service_principals.create(display_name=workspace.name("sp")).application_id
    name = f"accounts/any/servicePrincipals/{application}/ruleSets/default"
    proxy = admin.account_access_control_proxy
    for rule, refused in (
        (GrantRule("roles/owner", [f"users/{DANA}"]), BadRequest),
        (GrantRule(USER, ["users/nobody@x.y"]), NotFound),
        (GrantRule(USER, ["groups/nobody"]), NotFound),
        (GrantRule(USER, [f"users/{DEPLOYER}"]), NotFound),
    ):
        with pytest.raises(refused):
            proxy.update_rule_set(name, RuleSetUpdateRequest(name, "", [rule]))
    with pytest.raises(BadRequest, match="this sandbox does not emulate"):
        proxy.get_rule_set("accounts/any/ruleSets/default", "")
