"""Several questions at the same time, under one deadline: who does not answer in time is told, and waited for no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from infra.errors import UserError


def ask_at_once(
    questions: Mapping[str, Callable[[], Any]], without_deadline: Mapping[str, None], deadline: float
) -> dict[str, Any]:
    """All answers by the names of those who are asked. `deadline` is a time of `time.monotonic`.

    Threads of their own that nobody waits for: a pool's are joined when the interpreter ends, however long they take.

    Raises:
        UserError: what each of those who failed said, or that there was no answer.
    """
    begun = time.monotonic()
    asked = {name: _begin(ask) for name, ask in questions.items()}
    answers, problems = {}, []
    for name, answer in asked.items():
        try:
            left = None if name in without_deadline else max(0.0, deadline - time.monotonic())
            answers[name] = answer.result(left)
        except TimeoutError:
            problems.append(f"{name}: no answer in {deadline - begun:.0f} s. Check the network, and try again later.")
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    return answers


def _begin(ask: Callable[[], Any]) -> Future[Any]:
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer
