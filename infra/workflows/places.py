"""Where a job points to files: made absolute, in the environment's Git folder, and nowhere else. Pure.

A relative path is one of the repository: from its root or, with ./ and ../, from the file that says it; in a bundle from the
file that says it, as the bundle tool has it. An absolute one lies in the environment's own folder, or the settings name it.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.allowed import within
from infra.workflows.document import Map, Seq, mark_of, place
from infra.workflows.format import Way, Wrong
from infra.workflows.problems import one_of, quoted
from infra.workflows.rules import clusters, tasks
from infra.workflows.scene import Scene

_NOTEBOOK = re.compile(r"\.(py|sql|ipynb|scala|r)$", re.I)
_NOTEBOOKS = (".py", ".ipynb", ".sql", ".scala", ".r", ".R")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LIBRARIES = ("whl", "jar", "egg", "requirements")
_BUILT = (".whl", ".jar", ".egg", ".tar.gz")
# Task -> the keys of it that name code, and what lies there.
_OF_TASKS: dict[str, dict[str, str]] = {
    "spark_python_task": {"python_file": "file"},
    "notebook_task": {"notebook_path": "notebook"},
    "dbt_task": {"project_directory": "folder"},
    "spark_jar_task": {"jar_uri": "file"},
    "gen_ai_compute_task": {"training_script_path": "file", "yaml_parameters_file_path": "file"},
    "ai_runtime_task": {"code_source_path": "any"},
    "alert_task": {"workspace_path": "any"},
}


@dataclass(frozen=True)
class From:
    """From where relative paths are read: a workflow file from the root first, a bundle from the saying file."""

    bundle: str | None = None  # the bundle's folder
    pasted: bool = False  # a piece of a bundle in a workflow file: from the root too
    exported: bool = False  # a job that ran from Git

    @property
    def takes_git_source(self) -> bool:
        """Whether `source: GIT` may stand there: the paths are then from the repository's root."""
        return self.bundle is not None or self.exported

    def meant(self, file: str, written: str, from_root: bool) -> Iterator[str]:
        """The paths from the repository's root that `written` may mean."""
        too = (self.bundle is None or self.pasted) and not written.startswith(("./", "../"))
        if from_root or too:
            yield posixpath.normpath(written)
        yield posixpath.normpath(posixpath.join(posixpath.dirname(file), written))
        if self.bundle is not None:
            yield posixpath.normpath(posixpath.join(self.bundle, written))


def settle(job: Any, scene: Scene, start: From) -> list[Wrong]:
    """Make every path of the job absolute, in place; what cannot be is returned."""
    return list(_Settling(job, scene, start).all())


class _Settling:
    def __init__(self, job: Any, scene: Scene, start: From) -> None:
        self._job, self._scene, self._start = job, scene, start

    def all(self) -> Iterator[Wrong]:
        for way, task in tasks(self._job):
            yield from self._task(way, task)
        for way, cluster in clusters(self._job):
            for index, script in enumerate(cluster.get("init_scripts") or ()):
                for kind, holder in script.items():
                    there = (*way, "init_scripts", index, kind)
                    yield from self._path(
                        there, holder, "destination", "file", also=self._scene.settings.allowed.init_scripts
                    )
        for index, one in enumerate(self._job.get("environments") or ()):
            yield from self._environment(("environments", index, "spec"), one.get("spec") or {})

    def _task(self, way: Way, task: Any) -> Iterator[Wrong]:
        for kind, keys in _OF_TASKS.items():
            if holder := task.get(kind):
                yield from self._git_source((*way, kind), holder)
                for key, lies in keys.items():
                    yield from self._path((*way, kind), holder, key, lies)
        if "profiles_directory" in (task.get("dbt_task") or {}):
            yield from self._profiles((*way, "dbt_task"), task["dbt_task"])
        if file := (task.get("sql_task") or {}).get("file"):
            yield from self._git_source((*way, "sql_task", "file"), file)
            yield from self._path((*way, "sql_task", "file"), file, "path", "file")
        for index, one in enumerate((task.get("ai_runtime_task") or {}).get("deployments") or ()):
            yield from self._path((*way, "ai_runtime_task", "deployments", index), one, "command_path", "file")
        yield from self._libraries(way, task)
        parameters = (task.get("spark_submit_task") or {}).get("parameters") or ()
        yield from self._submitted((*way, "spark_submit_task", "parameters"), parameters)

    def _git_source(self, way: Way, holder: Any) -> Iterator[Wrong]:
        if holder.get("source") != "GIT":
            return
        if not self._start.takes_git_source:
            yield Wrong(
                (*way, "source"), "GIT is not kept: jobs run the files of the environment's Git folder; leave source out."
            )

    def _libraries(self, way: Way, task: Any) -> Iterator[Wrong]:
        expanded = Seq(mark_of(task.get("libraries")))
        for index, library in enumerate(task.get("libraries") or ()):
            files = self._globbed((*way, "libraries", index), library)
            expanded.extend(files)
            expanded.marks.extend(place(task, ("libraries", index), expanded.mark) for _ in files)
            if not files:
                expanded.append(library)
                expanded.marks.append(place(task, ("libraries", index), expanded.mark))
                for key in _LIBRARIES:
                    yield from self._path((*way, "libraries", index), library, key, "file")
        if "libraries" in task:
            task["libraries"] = expanded

    def _globbed(self, way: Way, library: Any) -> list[Map]:
        """`../dist/*.whl` is every file of the commit that it matches."""
        key = next((key for key in _LIBRARIES if key in library), None)
        written = library.get(key) if key else None
        if not isinstance(written, str) or "*" not in written or written.startswith("/") or _SCHEME.match(written):
            return []
        mark = place(self._job, way, self._job.mark)
        found: list[Map] = []
        for pattern in self._start.meant(mark.file, written, from_root=False):
            for path in sorted(fnmatch.filter(self._scene.present, pattern)):
                if path.count("/") == pattern.count("/"):
                    made = Map(mark)
                    made.put(str(key), f"{self._scene.folder}/{path}", mark)
                    found.append(made)
            if found:
                break
        return found

    def _path(self, way: Way, holder: Any, key: str, lies: str, also: list[str] | None = None) -> Iterator[Wrong]:
        written = holder.get(key)
        if not isinstance(written, str):
            return
        from_root = holder.get("source") == "GIT"
        settled, text = self._settled((*way, key), written, lies, from_root, also or [])
        if text:
            yield Wrong((*way, key), text)
        else:
            holder[key] = settled
            if from_root:
                del holder["source"]

    def _settled(self, way: Way, written: str, lies: str, from_root: bool, also: list[str]) -> tuple[str, str | None]:
        """The absolute path, or what is wrong."""
        scene = self._scene
        if written in scene.variables:
            return written, None
        if _SCHEME.match(written) or written.startswith("/"):
            return self._absolute(written, lies, also)
        mark = place(self._job, way, self._job.mark)
        for path in self._start.meant(mark.file, written, from_root):
            found = self._there(path, lies)
            if len(found) > 1:
                return "", f"{quoted(written)} is two files that become one notebook: {', '.join(found)}; rename one."
            if found:
                return self._in_folder(found[0], lies), None
        return "", self._missing(written, mark.file)

    def _absolute(self, written: str, lies: str, also: list[str]) -> tuple[str, str | None]:
        scene = self._scene
        if not _SCHEME.match(written):
            normal = posixpath.normpath("/" + written.lstrip("/"))
            somewhere = normal if normal.startswith(("/Workspace/", "/Volumes/", "/dbfs/")) else f"/Workspace{normal}"
            if somewhere == scene.folder or somewhere.startswith(f"{scene.folder}/"):
                inside = somewhere.removeprefix(scene.folder).lstrip("/")
                found = self._there(inside or ".", lies)
                if len(found) > 1:
                    return "", f"{quoted(written)} is two files that become one notebook: {', '.join(found)}; rename one."
                if not found:
                    return "", self._missing(written, "")
                return self._in_folder(found[0], lies), None
        else:
            somewhere = written
        listed = within(somewhere, [*scene.settings.allowed.paths, *also])
        if listed or (scene.elsewhere and not scene.forbids(somewhere)):
            return written, None
        return "", (
            f"{quoted(written)} is outside the environment's Git folder; write a path of the repository,"
            " or name it in quant:allowed (docs/workflows.md)."
        )

    def _there(self, path: str, lies: str) -> list[str]:
        present, folders = self._scene.present, self._scene.folders
        folder = "" if path == "." else path
        if lies == "folder":
            return [path] if folder in folders else []
        if lies == "any":
            return [path] if path in present or folder in folders else []
        if lies == "file":
            return [path] if path in present else []
        bare = _NOTEBOOK.sub("", path) if path in present else path
        found = [bare + ending for ending in _NOTEBOOKS if bare + ending in present]
        return found or ([path] if path in present else [])

    def _in_folder(self, path: str, lies: str) -> str:
        # A notebook is a .py file in Git and has no extension in the workspace.
        inside = _NOTEBOOK.sub("", path) if lies == "notebook" else path
        return self._scene.folder if inside == "." else f"{self._scene.folder}/{inside}"

    def _missing(self, written: str, file: str) -> str:
        if written.endswith(_BUILT):
            return (
                f"{quoted(written)} is not in the commit; what is built is put into a volume by the pipeline that builds it,"
                " and named by its path there (docs/workflows.md)."
            )
        name = posixpath.basename(written)
        near = [path for path in self._scene.present if posixpath.basename(path) == name or path.startswith(f"{written}.")]
        hint = f" Did you mean {sorted(near)[0]}?" if near else ""
        if not near and (said := one_of(written, sorted(self._scene.present))).startswith("did"):
            hint = f" D{said[1:]}"
        return f"{quoted(written)} is not in the commit.{hint} {_RELATIVE[self._start.bundle is None or self._start.pasted]}"

    def _profiles(self, way: Way, holder: Any) -> Iterator[Wrong]:
        """Relative to the project's directory, where it stays."""
        written = holder["profiles_directory"]
        if _SCHEME.match(written) or written.startswith("/"):
            yield from self._path(way, holder, "profiles_directory", "folder")
            return
        project = str(holder.get("project_directory") or "")
        whole = posixpath.normpath(posixpath.join(project, written))
        if project and not (whole == self._scene.folder or whole.startswith(f"{self._scene.folder}/")):
            yield Wrong((*way, "profiles_directory"), f"{quoted(written)} leads out of the environment's Git folder.")

    def _environment(self, way: Way, spec: Any) -> Iterator[Wrong]:
        base = spec.get("base_environment")
        if isinstance(base, str) and (base.startswith(("/", "./", "../")) or base.endswith((".yml", ".yaml"))):
            yield from self._path(way, spec, "base_environment", "file")
        for key in ("dependencies", "java_dependencies"):
            made = Seq(self._job.mark)
            for index, one in enumerate(spec.get(key) or ()):
                there = (*way, key, index)
                changed, text = self._dependencies(there, str(one).strip())
                if text:
                    yield Wrong(there, text)
                made.extend(changed)
                made.marks.extend(place(self._job, there, self._job.mark) for _ in changed)
            if key in spec:
                spec[key] = made

    def _dependencies(self, way: Way, one: str) -> tuple[list[str], str | None]:
        if "*" in one and one.endswith(_BUILT) and not one.startswith("/") and not _SCHEME.match(one):
            library = Map(self._job.mark)
            library.put("whl", one, self._job.mark)
            if files := self._globbed(way, library):
                return [file["whl"] for file in files], None
        changed, text = self._dependency(way, one)
        return [changed], text

    def _dependency(self, way: Way, one: str) -> tuple[str, str | None]:
        """A line of a requirements file. https://pip.pypa.io/en/stable/reference/requirements-file-format"""
        option = re.match(r"(-[A-Za-z]|--[a-z-]+)(?:\s*=\s*|\s+|(?<=^-[A-Za-z]))(.*)", one)
        if option:
            name, value = option[1], option[2].strip()
            if name in ("-r", "--requirement", "-c", "--constraint"):
                settled, text = self._settled(way, value, "file", False, [])
                return f"{name} {settled}", text
            if name in ("-e", "--editable") and not _SCHEME.match(value):
                settled, text = self._settled(way, value, "folder", False, [])
                return f"{name} {settled}", text
            return one, self._elsewhere(one, value)
        if one.startswith("-"):
            return one, f"found {quoted(one)}: options of the installer are not kept."
        address = re.search(r"(?:^|@\s*)((?:git\+|hg\+|svn\+|bzr\+)?[A-Za-z][A-Za-z0-9+.-]*:/\S*)", one)
        if address:
            if address[1].startswith(("dbfs:", "file:")):
                return one, self._absolute(address[1], "file", [])[1]
            return one, self._elsewhere(one, address[1])
        looks_like_a_path = one.startswith(("/", "./", "../")) or one in (".", "..")
        bare, bracket, extras = one.partition("[") if looks_like_a_path else (one, "", "")
        if looks_like_a_path or "*" in one.split(";")[0].split("=")[0] or one.endswith((*_BUILT, ".txt")):
            lies = "any" if bare in (".", "..") or not bare.endswith((*_BUILT, ".txt")) else "file"
            settled, text = self._settled(way, bare, lies, False, [])
            return f"{settled}{bracket}{extras}", text
        mark = place(self._job, way, self._job.mark)
        meant = next((path for path in self._start.meant(mark.file, one, False) if path in self._scene.present), None)
        return (f"{self._scene.folder}/{meant}" if meant else one), None

    def _elsewhere(self, one: str, address: str) -> str | None:
        bare = re.sub(r"^(git|hg|svn|bzr)\+", "", address)
        if address and (one in self._scene.variables or within(bare, self._scene.settings.allowed.package_indexes)):
            return None
        return (
            f"{quoted(one)} installs from elsewhere than the workspace's package index; name the address in"
            " quant:allowed.packageIndexes (docs/workflows.md)."
        )

    def _submitted(self, way: Way, parameters: Any) -> Iterator[Wrong]:
        """spark-submit's own arguments name code: the application, and what --py-files and its like bring.

        https://spark.apache.org/docs/latest/submitting-applications.html
        """
        entries = iter(enumerate(map(str, parameters)))
        for index, one in entries:
            option, equals, value = one.partition("=")
            if not one.startswith("--"):
                yield from self._code((*way, index), one)
                return  # what follows the application are its arguments
            if one in _FLAGS:
                continue
            if not equals:
                index, value = next(entries, (index, ""))
            if option in _CODE:
                for part in value.split(","):
                    yield from self._code((*way, index), part)
            if option in _ADDRESSES and (text := self._elsewhere(value, value)):
                yield Wrong((*way, index), text)

    def _code(self, way: Way, path: str) -> Iterator[Wrong]:
        text = None if path in self._scene.variables else self._absolute(path, "file", [])[1]
        if text:
            yield Wrong(way, text)


_CODE = ("--py-files", "--jars", "--files", "--archives")
_ADDRESSES = ("--repositories",)
_FLAGS = ("--verbose", "--supervise")
_RELATIVE = {
    True: "Paths are from the repository's root, for example src/factor_returns.py, or begin with ./ or ../ and are from"
    " this file.",
    False: "Paths of a bundle are from the file that says them, for example ../src/factor_returns.py.",
}
