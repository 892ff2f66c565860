"""Asking many things at once, so that one that does not answer hides nothing else, and asking each thing once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from infra.errors import UserError as InfraError
from infra.outside.workspace_connection import reach_databricks
from quantctl.errors import UserError
from quantctl.forge import Answer, Forge
from quantctl.promotion.gates import Unknown
from quantctl.workspace import Workspace

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Say = Callable[[str], None]
_SILENT_SECONDS = 10.0  # an answer that failed after so long was none: the host is not asked again


def attempt(ask: Callable[[], T]) -> T | Unknown:
    """The answer, or on one line why there is none."""
    try:
        return ask()
    except InfraError as error:
        return Unknown(" ".join(str(error).split()))
    except (KeyError, TypeError, ValueError) as error:  # an answer without what the API promises
        return Unknown(f"an answer has another form than the API's: {type(error).__name__}: {error}"[:300])


def at_once(asks: Mapping[K, Callable[[], T]], threads: int = 16) -> dict[K, T | Unknown]:
    """All answers, by the keys of the questions."""
    with ThreadPoolExecutor(max(1, min(threads, len(asks)))) as pool:
        running = {key: pool.submit(attempt, ask) for key, ask in asks.items()}
        return {key: future.result() for key, future in running.items()}


class Memory:
    """Answers and refusals by question: who asks what is being asked already waits for that answer."""

    def __init__(self) -> None:
        self._answers: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def ask(self, question: str, ask: Callable[[], Any]) -> Any:
        """The answer, asked for once."""
        with self._lock:
            first = question not in self._answers
            answer = self._answers.setdefault(question, Future())
        if first:
            try:
                answer.set_result(ask())
            except BaseException as error:
                answer.set_exception(error)
        return answer.result()


class PatientWorkspace(Workspace):
    """Every question is asked once, whoever wants to know; none after `seconds`.

    None at all where nobody answers the door, and once the first has failed or one took so long that there was no answer.
    """

    def __init__(self, seconds: float, environ: Mapping[str, str], say: Say) -> None:
        super().__init__(environ, say=say)
        self._for, self._end = seconds, time.monotonic() + seconds
        self._silent: InfraError | None = None
        self._answered = False
        self._memory = Memory()

    def knock(self) -> None:
        """Refuse in seconds where nobody answers; asked once, whoever comes first."""
        self._memory.ask("knock", lambda: reach_databricks(self._environ))

    def _exchange(self, method: str, path: str, query: Any = None, *more: Any) -> Any:
        key = json.dumps([method, path, query], sort_keys=True)
        return self._memory.ask(key, lambda: self._in_time(method, path, query, *more))

    def _in_time(self, method: str, path: str, query: Any, *more: Any) -> Any:
        self.knock()
        if self._silent:
            raise self._silent
        begun = time.monotonic()
        if begun > self._end:
            raise UserError(f"Databricks: not everything was answered in {self._for:.0f} s.")
        try:
            answer = super()._exchange(method, path, query, *more)
        except InfraError as error:
            if not self._answered or time.monotonic() - begun > _SILENT_SECONDS:
                self._silent = error
            raise
        self._answered = True
        return answer


class PatientForge:
    """A forge that is asked once about who promotes, whatever the number of edges; one that cannot be asked says why."""

    def __init__(self, forge: Forge | Unknown, workspace: PatientWorkspace) -> None:
        self._forge, self._workspace, self._memory = forge, workspace, Memory()

    def is_release_manager(self) -> Answer:
        """As the forge says; a plain Git remote asks the workspace."""
        answer: Answer = self._memory.ask("release manager", self._is_release_manager)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._known(), name)

    def _is_release_manager(self) -> Answer:
        forge = self._known()
        if not forge.merge_requests:
            self._workspace.knock()
        return forge.is_release_manager()

    def _known(self) -> Forge:
        if isinstance(self._forge, Unknown):
            raise UserError(self._forge.why)
        return self._forge


class Patience:
    """Tells on standard error what is still being read: first after 2 seconds, then every 5."""

    def __init__(self, say: Say) -> None:
        self._say, self._what, self._done = say, "the settings", threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def reading(self, what: str) -> None:
        """What is read from now on."""
        self._what = what

    def __enter__(self) -> Patience:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _tell(self) -> None:
        pause = 2.0
        while not self._done.wait(pause):
            self._say(f"reading {self._what} ...")
            pause = 5.0
