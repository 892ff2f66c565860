"""The configuration of one environment stack: the only reader of stack name and configuration.

Shared values stand in `Pulumi.yaml`, what differs in `Pulumi.<stack>.yaml`. Everything that configuration alone can
break is refused here, before anything is declared, with the file, the key, what was found and what is allowed.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from infra.access import Access, Narrowed, access_of
from infra.allowed import Allowed
from infra.branch_protection import GitLab, Protection, ProtectionChanges, gitlab_settings, protection_of
from infra.errors import UserError, without_credentials
from infra.named_values import (
    AccountName,
    Address,
    ApplicationId,
    GitProvider,
    Identifier,
    Part,
    RelativePath,
    Remote,
    ScopeName,
    UserName,
    WorkspacePath,
    structured,
)
from infra.own_names import OwnNames, all_names
from infra.promotion import EdgeName, Freeze, GateChanges
from infra.public_keys import KEY_SETTINGS, public_key, public_keys_setting
from infra.signers import Signer, Signers, signers_setting
from infra.vocabulary import Environment, Persona, ReadableKind

PROJECT = "quant"


class PersonaNames(Part):
    """What a persona is called in Databricks and in Snowflake."""

    group: str = Field(min_length=1, description="Databricks group")
    role: Identifier = Field(description="Snowflake account role")


class LimitedRelease(Part):
    """What makes `quant_lr` a limited release; its audience is the persona limitedRelease."""

    parameters: dict[str, str] = Field(default={}, description="job parameters that limit users or data")
    notify: list[UserName] = Field(default=[], description="e-mail addresses told of failed and of slow runs")
    max_duration_seconds: int | None = Field(default=None, ge=60, description="a run that takes longer is unhealthy")
    until: datetime.date | None = Field(default=None, description="after this day every preview warns: promote it or end it")
    baseline: bool = Field(default=False, description="a schema <schema>_BASE beside it, for runs of quantctl baseline")


class ManagedWarehouse(Part):
    """A warehouse of the environment's own, instead of the shared one."""

    size: Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE"] = Field(default="XSMALL", description="of the cluster")
    auto_suspend_seconds: int = Field(default=60, ge=30, le=86400, description="idle seconds until it stops costing")
    statement_timeout_seconds: int = Field(default=3600, ge=1, le=604800, description="a statement is ended after so long")
    monthly_credits: int | None = Field(default=None, ge=1, description="a resource monitor suspends it; needs ACCOUNTADMIN")


class GitCredential(Part):
    """With what the environment's service principal reads the pipelines repository; the token is quant:gitToken."""

    username: str = Field(min_length=1, description="user name at the forge, for example of a deploy token")


def persona_names(first: str) -> dict[Persona, PersonaNames]:
    """Groups and account roles whose names begin with one word: `quant-uat-testers`, `QUANT_UAT_TESTERS`."""
    words = {persona: re.sub(r"([A-Z])", r"-\1", persona.value).lower() for persona in Persona}
    return {
        persona: PersonaNames(group=f"{first}-{word}", role=f"{first}-{word}".upper().replace("-", "_"))
        for persona, word in words.items()
    }


_DEFAULT_NAMES = persona_names("quant")
_PublicKey = Annotated[str, AfterValidator(public_key)]


class Settings(Part):
    """What one stack declares. Keys are written in camelCase below the namespace `quant:`."""

    environment: Environment
    remote: Remote = Field(description="URL of the pipelines repository; QUANT_REMOTE wins over it")
    branch: str = Field(description="maturity branch; must be the stack's name")
    folder: WorkspacePath = Field(description="workspace path of the Git folder; its last part is the branch")
    schema_: Identifier = Field(alias="schema", description="Snowflake schema; usually called as the stack")
    database: Identifier = Field(description="Snowflake database that holds the four schemas")
    warehouse: Identifier = Field(description="Snowflake warehouse that the jobs use")
    account: AccountName = Field(description="Snowflake account that the jobs log in to: organization-account")
    service_principal: ApplicationId = Field(description="application id that the jobs run as")
    deployer: ApplicationId = Field(description="application id of the service principal that deploys and owns the jobs")
    schedules: Literal["live", "paused"] = Field(default="live", description="whether schedules of jobs run")
    git_provider: GitProvider = Field(default="gitLab", description="the Databricks word for the forge")
    workflows: RelativePath = Field(default="workflows", description="folder of workflow files in the pipelines repository")
    retention_days: int = Field(default=1, ge=0, le=90, description="Time Travel in days; above 1 needs Enterprise Edition")
    also_readable: Annotated[list[ReadableKind], BeforeValidator(structured)] = Field(
        default=[], description="kinds of objects that are read beside tables and views, now and in future"
    )
    groups: Literal["existing", "managed"] = Field(
        default="existing", description="managed: this stack also creates the personas' groups and account roles"
    )
    personas: Annotated[dict[Persona, PersonaNames], BeforeValidator(structured)] = Field(
        default={}, description="groups and account roles that are not called as usual"
    )
    own_names: Annotated[OwnNames, BeforeValidator(structured)] = Field(
        alias="names", default=OwnNames(), description="names of the environment that are not the usual ones"
    )
    access: Annotated[dict[Persona, Narrowed], BeforeValidator(structured)] = Field(
        default={}, description="where this stack narrows the access matrix: persona -> folder, job, schema"
    )
    limited_release: Annotated[LimitedRelease | None, BeforeValidator(structured)] = Field(
        default=None, description="quant_lr alone: parameters, notify, maxDurationSeconds, until"
    )
    managed_warehouse: Annotated[ManagedWarehouse | None, BeforeValidator(structured)] = Field(
        default=None, description="declares quant:warehouse here: size, autoSuspendSeconds, ..., monthlyCredits"
    )
    allowed_addresses: Annotated[list[Address], BeforeValidator(structured)] = Field(
        default=[], description="network policy of the service user: IPv4 addresses or ranges"
    )
    developers: Annotated[list[UserName], BeforeValidator(structured)] = Field(
        default=[], description="quant alone: who gets a personal Git folder"
    )
    gates: Annotated[dict[EdgeName, GateChanges], BeforeValidator(structured)] = Field(
        default={}, description="what a promotion needs, where it differs from the usual: edge -> gates; in Pulumi.yaml"
    )
    freezes: Annotated[list[Freeze], BeforeValidator(structured)] = Field(
        default=[], description="times in which nothing is promoted; in Pulumi.yaml"
    )
    signers: Annotated[Signers, BeforeValidator(structured)] = Field(
        default={}, description="whose SSH signature counts for what: e-mail address -> key, may; in Pulumi.yaml"
    )
    gitlab: Annotated[GitLab | None, BeforeValidator(structured)] = Field(
        default=None, description="merge requests and branch protection in GitLab, else plain Git; in Pulumi.yaml"
    )
    branch_protection: Annotated[ProtectionChanges | None, BeforeValidator(structured)] = Field(
        default=None, description="in GitLab: who may push and merge, where it does not follow from the gates"
    )
    allowed: Annotated[Allowed, BeforeValidator(structured)] = Field(
        default=Allowed(),
        description="what jobs may use that is not the environment's own: paths, clusters, mailDomains, ...",
    )
    variables: Annotated[dict[str, Any], BeforeValidator(structured)] = Field(
        default={},
        description="values of bundle variables, and ids of things that are not deployed from here: name -> value",
    )
    bundle_targets: Annotated[dict[str, Environment], BeforeValidator(structured)] = Field(
        default={}, description="targets of Asset Bundles that are environments: target -> environment; in Pulumi.yaml"
    )
    git_credential: Annotated[GitCredential | None, BeforeValidator(structured)] = Field(
        default=None, description="the service principal's own credential at the forge"
    )
    other_secrets: Annotated[list[ScopeName], BeforeValidator(structured)] = Field(
        alias="secrets",
        default=[],
        description="other keys of the secret scope, which somebody writes for jobs to read",
    )
    git_token: str | None = Field(default=None, repr=False, description="secret of gitCredential; or QUANT_GIT_TOKEN")
    public_key: _PublicKey | None = Field(
        default=None, description="public key of the service user, base64; written by `quantctl keys rotate`"
    )
    public_key2: _PublicKey | None = Field(default=None, description="its second public key, until the older one is retired")

    @property
    def public_keys(self) -> tuple[str | None, str | None]:
        """What each of the service user's two slots holds."""
        return self.public_key, self.public_key2

    @property
    def is_live(self) -> bool:
        """Whether this is production, where everything is locked down."""
        return self.environment is Environment.LIVE

    def names(self, persona: Persona) -> PersonaNames:
        """What a persona is called here."""
        return self.personas.get(persona, _DEFAULT_NAMES[persona])

    @property
    def release_managers(self) -> str:
        """The path of the release managers' group in GitLab."""
        return (self.gitlab and self.gitlab.release_managers) or self.names(Persona.RELEASE_MANAGERS).group

    @property
    def uat_testers(self) -> str:
        """The path of the group in GitLab whose members sign off."""
        return (self.gitlab and self.gitlab.uat_testers) or self.names(Persona.UAT_TESTERS).group

    @property
    def protection(self) -> Protection:
        """How the branch and the environment's records are protected in GitLab."""
        reviewers = (self.gitlab and self.gitlab.reviewers) or self.names(Persona.REVIEWERS).group
        recorders = self.gitlab.recorders if self.gitlab else ["maintainers"]
        changes = self.branch_protection
        return protection_of(self.environment, changes, self.gates, self.release_managers, reviewers, recorders)

    @property
    def row(self) -> dict[Persona, Access]:
        """The environment's row of the access matrix, narrowed."""
        return access_of(self.environment, self.access)


_SECRETS = frozenset({"gitToken"})
_HIDDEN = _SECRETS | {"publicKey", "publicKey2"}  # somebody may have put the private one there
_OLD_KEYS = ("serviceUserKey", "serviceUserKey2", "activeKey")  # until private keys left settings and states
_ONLY_IN = {"limitedRelease": Environment.LIMITED, "developers": Environment.DEV}


def read_settings(stack: str, config: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The settings of `stack` from the engine's configuration (`quant:key` -> value) and the process environment.

    Raises:
        UserError: names file, key, what was found and what is allowed.
    """
    names = [env.value for env in Environment]
    if stack not in names:
        raise UserError(f"stack {stack!r} is not an environment: expected one of {', '.join(names)}.")
    prefix = f"{PROJECT}:"
    values = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    remote = environ.get("QUANT_REMOTE") or values.get("remote")
    if not remote:
        raise UserError(
            "no pipelines repository is named: set the environment variable QUANT_REMOTE, or quant:remote in"
            ' Pulumi.yaml. In the sandbox: eval "$(quantctl env)".'
        )
    file = f"Pulumi.{stack}.yaml"
    for key in _OLD_KEYS:
        if key in values:
            raise UserError(
                f"{file}: quant:{key}: private keys no longer stand in settings and states. `quantctl keys rotate {stack}`"
                " takes the old ones out, while jobs run, and makes a new key."
            )
    encrypted = json.loads(environ.get("PULUMI_CONFIG_SECRET_KEYS") or "[]")
    for key in sorted(_SECRETS & values.keys()):
        if f"{prefix}{key}" not in encrypted:
            raise UserError(
                f"{file}: quant:{key} stands there in plain text. Take it out, treat it as leaked, and set a new one with"
                f" `pulumi config set --secret quant:{key} -s {stack}`."
            )
    try:
        given: dict[str, object] = {**values, "remote": remote, "environment": stack}
        if environ.get("QUANT_GIT_TOKEN"):
            given.setdefault("gitToken", environ["QUANT_GIT_TOKEN"])
        given["gitlab"] = gitlab_settings(structured(values.get("gitlab")), environ)
        given.update(public_keys_setting({key: values.get(key) for key in KEY_SETTINGS}, stack, environ))
        given["signers"] = signers_setting(structured(values.get("signers")), environ) or {}
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise UserError("\n".join(_explain(file, entry) for entry in error.errors())) from None
    for key, found in (("branch", settings.branch), ("folder", settings.folder.rpartition("/")[2])):
        if found != stack:
            raise UserError(
                f"{file}: quant:{key}: found {found!r}, expected {stack!r}: stack, branch and folder of an"
                " environment bear one name, so that nothing is deployed to the wrong place."
            )
    if (schema := settings.schema_.lower()) in names and schema != stack:
        raise UserError(
            f"{file}: quant:schema: found {schema!r}, which is another environment's; expected {stack!r}, or the name of a"
            " schema that the team had before."
        )
    if settings.service_principal == settings.deployer:
        raise UserError(
            f"{file}: quant:servicePrincipal: found the same application id as quant:deployer: what runs jobs must not be"
            " what deploys them; make a service principal of its own."
        )
    for key, only in _ONLY_IN.items():
        if key in values and stack != only:
            raise UserError(f"{file}: quant:{key} is for the stack {only} alone; remove it here.")
    _check_personas(settings, file)
    _check_names(settings, file)
    access_of(settings.environment, settings.access)
    if settings.gitlab is not None:
        _ = settings.protection  # refuses what would open quant_live
    return settings


def need_token(settings: Settings) -> None:
    """Who deploys a Git credential has its token; a preview does without.

    Raises:
        UserError: there is none.
    """
    if settings.git_credential is not None and settings.git_token is None:
        stack = settings.environment.value
        raise UserError(
            f"Pulumi.{stack}.yaml: quant:gitCredential has no token: set the secret quant:gitToken (`pulumi config set"
            f" --secret quant:gitToken -s {stack}`) or the environment variable QUANT_GIT_TOKEN."
        )


def _check_personas(settings: Settings, file: str) -> None:
    """Two personas in one group, or one that is everybody, would have levels that the matrix does not show."""
    for what, everybody in (("group", ("users", "account users")), ("role", ("public",))):
        holders: dict[str, Persona] = {}
        for persona in Persona:
            name = getattr(settings.names(persona), what)
            spelled = name.lower()
            if spelled in everybody:
                raise UserError(
                    f"{file}: quant:personas.{persona}.{what}: found {name!r}, which is everybody; name another."
                )
            if (other := holders.setdefault(spelled, persona)) is not persona:
                raise UserError(
                    f"{file}: quant:personas.{persona}.{what}: found {name!r}, which is that of {other} already; each"
                    f" persona has a {what} of its own."
                )


def _check_names(settings: Settings, file: str) -> None:
    """The writer is not the reader, and nobody is the service user by a role of their own."""
    own = settings.own_names.model_dump(by_alias=True)
    names = all_names(settings.environment.value, settings.schema_, own)
    roles = {settings.names(persona).role.upper(): persona for persona in Persona}
    if persona := roles.get(names["serviceRole"]):
        raise UserError(
            f"{file}: quant:names.serviceRole: found {names['serviceRole']!r}, which is the role of {persona}: whoever holds"
            " it would write the schema; the jobs have a role of their own."
        )
    if names["readerRole"] == names["writerRole"]:
        raise UserError(f"{file}: quant:names: found {names['readerRole']!r} as readerRole and as writerRole; they differ.")


def _explain(file: str, entry: Any) -> str:
    location = [str(part) for part in entry["loc"] if part != "[key]"]
    key = ".".join(location)
    if entry["type"] == "extra_forbidden":
        owner = _PARTS.get(location[0], Settings)
        allowed = sorted(field.alias or name for name, field in owner.model_fields.items() if name != "environment")
        return f"{file}: quant:{key} is not a setting; allowed are {', '.join(allowed)}."
    if entry["type"] == "missing":
        return f"{file}: quant:{key} is missing; {'every environment needs it' if len(location) == 1 else 'it is needed'}."
    message = str(entry["msg"]).removeprefix("Value error, ")
    found = "(hidden)" if location[0] in _HIDDEN else repr(without_credentials(str(entry.get("input")), "(hidden)@"))
    return f"{file}: quant:{key}: found {found}: {message}."


_PARTS: dict[str, type[Part]] = {
    "allowed": Allowed,
    "names": OwnNames,
    "personas": PersonaNames,
    "limitedRelease": LimitedRelease,
    "managedWarehouse": ManagedWarehouse,
    "gitCredential": GitCredential,
    "gates": GateChanges,
    "signers": Signer,
    "gitlab": GitLab,
    "branchProtection": ProtectionChanges,
    "freezes": Freeze,
}
