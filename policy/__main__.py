"""The policy pack: every promise about the four environments, mandatory, on what is really sent to the engine.

Written independently of infra/, so that a mistake there is caught here. Run with `--policy-pack policy`.
"""

from __future__ import annotations

import io
import os
import sys

from pulumi_policy import EnforcementLevel, PolicyPack
from rules import (
    agreement,
    branch_protection,
    grants,
    lock_down,
    managed_access,
    owners,
    plain_secrets,
    runners,
    secret_scope,
)
from rules.engine import resource_policy, secret_policy, stack_policy

# pulumi-policy writes its port and does not flush it: behind a buffer the engine would wait for it for ever.
sys.stdout = io.TextIOWrapper(os.fdopen(sys.stdout.fileno(), "wb", 0), write_through=True)

PolicyPack(
    "quant",
    [
        resource_policy(
            "one-name",
            "Stack, branch, folder, schema, secret scope and jobs of an environment share a name.",
            agreement.check,
        ),
        resource_policy(
            "locked-down", "In quant_live nobody is above the lock-down levels, and jobs are UI_LOCKED.", lock_down.check
        ),
        resource_policy(
            "protected-branch",
            "Nobody pushes to quant_live, certain members merge into it, and merge requests are approved.",
            branch_protection.check,
        ),
        resource_policy(
            "own-secret", "The environment's service principal alone reads its secret scope.", secret_scope.check
        ),
        resource_policy("runs-as-principal", "From quant_stg on, jobs run as a service principal.", runners.check),
        stack_policy("one-runner", "All jobs of a stack run as the same principal.", runners.check_stack),
        resource_policy("one-owner", "Permissions of a job name exactly one owner.", owners.check),
        stack_policy("owned-jobs", "Every job has its Permissions, and so its owner.", owners.check_stack),
        resource_policy("managed-access", "Only the owner of a schema grants on what is in it.", managed_access.check),
        resource_policy(
            "grants",
            "No ALL PRIVILEGES, PUBLIC, always_apply or grant on another environment; one writer in quant_live.",
            grants.check,
        ),
        secret_policy("plain-secrets", "No secret stands in a plain property.", plain_secrets.check),
        stack_policy("plain-outputs", "No secret is an output of the stack.", plain_secrets.check_stack),
    ],
    EnforcementLevel.MANDATORY,
)
