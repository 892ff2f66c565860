"""`quantctl drift`: what differs between what the stacks declare and what is really there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from quantctl.drift.finding import By, Class, EnvironmentDrift, Finding, Fix, Verdict, exit_status

__all__ = ["By", "Class", "EnvironmentDrift", "Finding", "Fix", "Verdict", "exit_status", "find"]


def find(
    envs: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds: float = 300.0,
    thorough: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> list[EnvironmentDrift]:
    """What differs in each environment between what was deployed and what is there. Nothing is changed, nothing hangs.

    `os.environ` must be `environ` (`quantctl.environment.enter`): the SDKs read it. `seconds` limits each run of the engine,
    `thorough` asks the engine about unchanged jobs too, `say` is told about progress.
    """
    from quantctl.drift.look import find as found  # the connector is slow to load

    return found(envs, environ, seconds=seconds, thorough=thorough, say=say)
