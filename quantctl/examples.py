"""The examples that each command's help ends with. A test runs each through the command line's own parser."""

from __future__ import annotations

# Command, then its examples; a comment says what one is for.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "up": (
        "quantctl up  # the sandbox's four environments",
        "quantctl up quant_stg  # the guarded update of one stack",
        "quantctl up quant_live --plan live.plan --yes  # exactly what was reviewed",
    ),
    "preview": (
        "quantctl preview quant_live  # what the next update would do",
        "quantctl preview quant_live --what-if quant_lr  # as after the branch moved there",
        "quantctl preview quant_stg --save-plan stg.plan  # then: quantctl up quant_stg --plan stg.plan",
    ),
    "check": (
        "quantctl check  # the pipelines repository in this folder",
        "quantctl check ../pipelines --format gitlab  # as a code quality report",
    ),
    "show": ("quantctl show factor_returns quant_live",),
    "promote": (
        "quantctl promote quant quant_stg --dry-run  # the gates, what would move, the preview",
        "quantctl promote quant_stg --release limited  # to quant_lr; full: to quant_live",
        "quantctl promote quant quant_stg --wait 30  # wait for approvals and active runs",
    ),
    "approve": ('quantctl approve quant_stg --note "read the diff and ran the tests"',),
    "signoff": ('quantctl signoff quant_stg --note "the numbers agree"',),
    "results": (
        "quantctl results quant_stg  # each table against production's, the last days",
        "quantctl results quant_stg --days 10 --format html --output results.html",
        "quantctl results quant_stg --record  # on record, for the gate and the sign-offs",
        "quantctl results quant_stg --table POSITIONS --rows 20  # which rows, for whoever may read them",
    ),
    "baseline": ("quantctl baseline quant_lr  # yesterday's, before quantctl results quant_lr",),
    "release-note": (
        "quantctl release-note quant_live",
        "quantctl release-note quant_live --since 4f1c2a9d  # all together, since the last full validation",
    ),
    "rollback": (
        "quantctl rollback quant_live --dry-run  # to the deployment before: what would move",
        "quantctl rollback quant_live 4f1c2a9d  # to an earlier one; see quantctl history",
    ),
    "history": ("quantctl history quant_live", "quantctl history quant_live --limit 3 --format json"),
    "status": ("quantctl status", "quantctl status --format html --output status.html"),
    "drift": (
        "quantctl drift  # all four environments",
        "quantctl drift quant_live --fix  # put back what was deployed",
        "quantctl drift --format json > drift.json  # for quantctl drift-issue",
    ),
    "drift-issue": ("quantctl drift-issue drift.json --junit drift.xml",),
    "init": (
        "quantctl init ../quant-settings  # asks what it needs",
        "quantctl init ../quant-settings --template > answers.yaml",
        "quantctl init ../quant-settings --answers answers.yaml --set database=RESEARCH",
    ),
    "adopt": (
        "quantctl adopt quant_live  # where the adoption stands, and the next step",
        "quantctl adopt quant_live look  # reads only",
    ),
    "doctor": ("quantctl doctor", "quantctl doctor quant_live --format json"),
    "repair": ("quantctl repair quant_stg --dry-run", "quantctl repair quant_stg"),
    "lock show": ("quantctl lock show",),
    "lock release": ("quantctl lock release quant_stg",),
    "keys rotate": ("quantctl keys rotate quant_live",),
    "keys retire": ("quantctl keys retire quant_live  # after the jobs ran with the new key",),
    "access": ("quantctl access",),
    "settings": ("quantctl settings",),
    "schema": ("quantctl schema > workflows/schema.json",),
    "env": (
        'eval "$(quantctl env)"  # plain pulumi works in this shell',
        'eval "$(quantctl env --as release_manager)"  # and promotions are the release manager\'s',
    ),
    "sandbox start": ("quantctl sandbox start",),
    "sandbox stop": ("quantctl sandbox stop",),
    "sandbox reset": ("quantctl sandbox reset",),
    "sandbox status": ("quantctl sandbox status",),
    "sandbox credentials": ("quantctl sandbox credentials",),
    "sandbox switch": ("quantctl sandbox switch git_folders=legacy",),
    "sandbox clock": ("quantctl sandbox clock --forward 3",),
    "sandbox soak": ("quantctl sandbox soak quant_stg --days 3",),
    "down": ("quantctl down",),
    "toolchain": ("quantctl toolchain", "quantctl toolchain --obtain"),
}


def of(command: str) -> str:
    """The end of a command's help, e.g. of `lock show`; empty for one that has no examples."""
    found = EXAMPLES.get(command, ())
    return "\n\n".join(("Examples:", *found)) if found else ""
