"""What a message says to run is run exactly as it was printed, and helps: what no test of a command's own carries out."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from databricks.sdk.service.jobs import JobSettings

import toolchain
from tests.conftest import Team
from tests.faults import Fault, behind
from tests.paths import ROOT
from tests.situations import ENV, open_gates, prepare, wrong
from tests.toolchain_programs import program
from tests.ways_out import carry_out, the_way
from toolchain import cache

# Go in the place of which somebody has compiled before: what it builds and lists are the programs that are there; the
# modules are Go's own.
_GO = """
case "$1 $2" in
"env GOVERSION") echo go1.26.0 ;;
"env "*) echo {empty} ;;
"mod "*) HOME={home} GOMODCACHE={modules} exec {go} "$@" ;;
"list "*) echo '{{"Dir": "{empty}"}}' ;;
"build "*)
    for last; do :; done
    case "$last" in
    *cmd/pulumi) name=pulumi ;;
    *pulumi-language-python*) name=pulumi-language-python ;;
    *) name=${{last#./}} ;;
    esac
    while [ "$1" != -o ]; do shift; done
    cp "{built}/$name" "$2" ;;
esac
"""


@pytest.mark.real
def test_drift_over_half_a_destroy_is_fixed_as_it_says(team: Team) -> None:
    """A destroy that ended before its end, and a job that somebody changed: neither is clean, and one command fixes both."""
    exported = json.loads(team.pulumi("stack", "export", "-s", ENV).stdout)["deployment"]["resources"]
    [urn] = [one["urn"] for one in exported if one["urn"].endswith("Permissions::job/risk_model")]
    assert team.pulumi("destroy", "--yes", "--skip-preview", "-s", ENV, "--target", urn).returncode == 0
    seen = team.quantctl("drift", ENV)
    assert seen.returncode == 2 and "what is missing" in seen.stdout
    assert "1 of what was deployed" in team.quantctl("preview", ENV).stdout
    [job] = team.workspace("deployer").jobs.list(name=f"{ENV} signal_report")
    team.workspace("deployer").jobs.update(job.job_id or 0, new_settings=JobSettings(timeout_seconds=4321))
    fixed = carry_out(the_way(seen.stdout, "--fix"), team.environ)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert wrong(team) == [] and team.changes(ENV) == {}


@pytest.mark.real
def test_half_an_update_is_taken_back_as_it_says(team: Team, tmp_path: Path) -> None:
    """The folder has moved and a job was refused; the rollback that the error names brings all of it back."""
    own = Team({**team.environ, "QUANT_PROJECT": str(open_gates(tmp_path))}, team.clone, team.credentials)
    before = own.head(f"{ENV}^{{tree}}")
    with behind(own, Fault("html before", "change a job")) as struck:
        failed = struck.quantctl(*prepare(own, "update", 300))
    assert failed.returncode == 1 and "Half of it is deployed" in failed.stderr, failed.stdout + failed.stderr
    back = carry_out(the_way(failed.stderr, "rollback"), own.environ)
    assert back.returncode == 0, back.stdout + back.stderr
    assert own.head(f"{ENV}^{{tree}}") == before
    assert wrong(own, failed.stdout, failed.stderr, back.stdout, back.stderr) == []


@pytest.mark.real
def test_a_token_that_is_missing_is_set_as_it_says(team: Team, tmp_path: Path) -> None:
    """The update does not begin until it is there; what somebody types is encrypted in the stack's file."""
    project = open_gates(tmp_path)
    own = Team({**team.environ, "QUANT_PROJECT": str(project)}, team.clone, team.credentials)
    file = project / f"Pulumi.{ENV}.yaml"
    file.write_text(file.read_text().replace("config:\n", "config:\n  quant:gitCredential: {username: reader}\n", 1))
    assert own.quantctl("preview", ENV).returncode == 0
    failed = own.quantctl("up", ENV, "--yes")
    assert failed.returncode == 1 and "has no token" in failed.stderr, failed.stdout + failed.stderr
    assert "created" not in failed.stderr and own.quantctl("status").returncode == 0
    words = shlex.split(the_way(failed.stderr, "--secret"))
    subprocess.run(words, cwd=project, env=own.environ, input="a token of the forge", text=True, check=True)
    assert "secure: v1:" in file.read_text() and "a token of the forge" not in file.read_text()
    done = own.quantctl("up", ENV, "--yes")
    assert done.returncode == 0 and "a token of the forge" not in done.stdout, done.stdout + done.stderr


@pytest.mark.real
def test_what_is_protected_is_let_go_as_it_says(team: Team, tmp_path: Path) -> None:
    """A workflow of production that was taken out, and a grant that another warehouse replaces."""
    project, live = open_gates(tmp_path), "quant_live"
    own = Team({**team.environ, "QUANT_PROJECT": str(project)}, team.clone, team.credentials)
    own.commit(live, "workflows/signal_report.yml", None, "Remove a workflow")
    with own.snowflake("admin") as connection:
        connection.cursor().execute("CREATE WAREHOUSE LIVE_WH")
        connection.cursor().execute("GRANT USAGE ON WAREHOUSE LIVE_WH TO ROLE QUANT_DEPLOYER WITH GRANT OPTION")
    file = project / f"Pulumi.{live}.yaml"
    file.write_text(file.read_text().replace("config:\n", "config:\n  quant:warehouse: LIVE_WH\n", 1))
    for _ in range(3):  # the engine stops at the first one that it would replace, and at each that it would delete
        seen = own.quantctl("preview", live)
        if seen.returncode == 0:
            break
        assert seen.returncode == 1 and "What helps" in seen.stdout, seen.stdout + seen.stderr
        let_go = carry_out(the_way(seen.stdout[seen.stdout.index("What helps") :], "unprotect"), own.environ)
        assert let_go.returncode == 0, let_go.stdout + let_go.stderr
    done = own.quantctl("up", live, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(own.workspace("release_manager").jobs.list(name=f"{live} signal_report")) == []


def test_a_toolchain_that_is_missing_is_obtained_as_it_says(tmp_path: Path) -> None:
    """On a machine that has Go and cannot reach the vendor; afterwards every program is there."""
    found, go = toolchain.locate(), shutil.which("go")
    if found is None or found.way != "built" or go is None:
        pytest.skip("nothing was compiled here that could be compiled again")
    built, empty = cache.built_bin(), tmp_path / "module"
    for name in ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"):
        (empty / name).parent.mkdir(parents=True)
        shutil.copy(built / Path(name).name, empty / name)
    modules = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    script = _GO.format(empty=empty, built=built, go=go, home=Path.home(), modules=modules)
    program(tmp_path / "path", "go", script)
    environ = {
        "PATH": f"{tmp_path / 'path'}:{ROOT / '.venv' / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "HTTPS_PROXY": "http://127.0.0.1:9",  # nobody listens
    }
    lacking = carry_out("quantctl toolchain", environ)
    assert lacking.returncode == 1 and "There is no toolchain yet" in lacking.stderr
    obtained = carry_out(the_way(lacking.stderr, "--obtain"), environ)
    assert obtained.returncode == 0, obtained.stdout + obtained.stderr
    told = carry_out("quantctl toolchain", environ)
    assert told.returncode == 0 and "way: built" in told.stdout
    for name in cache.PROGRAMS:
        assert f" {tmp_path}" in next(line for line in told.stdout.splitlines() if line.startswith(f"{name} "))
