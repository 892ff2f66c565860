"""What engine and providers say, put into words for people. Pure."""

from __future__ import annotations

import re

_LONG = 300
# What stands around a provider's reason: where in the bridge it was, which step it was, how many errors there were.
_AROUND = re.compile(
    r"^(error: )?(sdk-v2/\S+ sdk\.\w+: )?((creating|updating|deleting|refreshing) urn:\S+: )?(\d+ errors? occurred:)?[\s*]*"
)
_BEHIND = re.compile(r": provider=\w+@[\d.]+$")


def title(urn: str) -> str:
    """A resource as people say it: `Job risk_model`."""
    *_, kind, name = ["", *urn.split("::")]
    return f"{kind.rpartition(':')[2]} {name}".strip()


def reason(text: str) -> str:
    """A provider's reason on one line, without what the bridge puts around it."""
    told = " ".join(text.split())
    before = None
    while told != before:
        before, told = told, _BEHIND.sub("", _AROUND.sub("", told, count=1)).strip()
    return told if len(told) <= _LONG else f"{told[: _LONG - 3]}..."


# What a refusal means here, and what helps: patterns of what the two systems say.
_AGAIN = "then run the same command again."
_WAYS = (
    (
        r"error handling with_managed_access on (\S+)",
        f"an account administrator turns it on: ALTER SCHEMA {{0}} ENABLE MANAGED ACCESS; {_AGAIN}",
    ),
    (r"already exists|ALREADY_EXISTS", f"`quantctl repair {{env}}` says what is there and takes in what is ours; {_AGAIN}"),
    (
        r"Principal.*does not exist|group .*does not exist",
        f"create the group in the identity provider, or name another in quant:personas (Pulumi.yaml); {_AGAIN}",
    ),
    (
        r"Insufficient privileges|must have OWNERSHIP|not authorized to",
        "the object's owner, or an account administrator, gives it to the deployer's role:"
        f" GRANT OWNERSHIP ON ... TO ROLE ... COPY CURRENT GRANTS; {_AGAIN}",
    ),
    (r"[Ff]ailed to fetch|[Gg]it credential", f"renew the deployer's Git credential in the workspace; {_AGAIN}"),
    (
        r"no space left on device",
        "free space where the states lie; `quantctl repair {env}`, if the state was cut off; " + _AGAIN,
    ),
    (r"RESOURCE_DOES_NOT_EXIST", "something was deleted by hand: `pulumi up --refresh -s {env}` makes it again."),
)


# pulumi 3.256, pkg/resource/deploy/step.go and step_generator.go; our program cannot leave the flag out, as they advise.
_PROTECTED = re.compile(r'resource "(urn:[^"]+)"(?: as part of replacing "[^"]+")?[^"]*?\bprotect')


def helps(env: str, said: str) -> str | None:
    """What is known to help about what the engine said."""
    if urns := dict.fromkeys(_PROTECTED.findall(said)):
        names = " ".join(f"'{urn}'" for urn in urns)
        return f"production is protected; if it is meant, `pulumi state unprotect {names} -s {env}`, {_AGAIN}"
    for pattern, words in _WAYS:
        if found := re.search(pattern, said):
            return words.format(*found.groups(), env=env)
    return None


def way_out(env: str, said: str) -> str:
    """What to do about what the engine said; "run it again" only where something was put right before."""
    return helps(env, said) or f"fix what it names; {_AGAIN}"
