"""`quantctl drift`: what differs between what the stacks declare and what is really there."""

from __future__ import annotations

from quantctl.drift.finding import By, Class, EnvironmentDrift, Finding, Mend, Verdict, exit_status
from quantctl.drift.look import find

__all__ = ["By", "Class", "EnvironmentDrift", "Finding", "Mend", "Verdict", "exit_status", "find"]
