"""The requests and answers that the vendor recorded in the tests of its Terraform provider, read from the Go module cache.

A test there is a list of `qa.HTTPFixture{Method: ..., Resource: ..., Response: ...}`: Go literals, which are evaluated here.
Nothing of them is kept in this repository.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tree_sitter_go
from tree_sitter import Language, Node, Parser

PROVIDER = "github.com/databricks/terraform-provider-databricks"
FOLDERS = ("repos", "jobs", "permissions", "scim", "secrets", "workspace")
_METHODS = {f"http.Method{name}": name.upper() for name in ("Get", "Post", "Put", "Patch", "Delete", "Head")}
_STATUS = {"http.StatusOK": 200, "http.StatusCreated": 201, "http.StatusNoContent": 204, "http.StatusNotFound": 404,
           "http.StatusInternalServerError": 500, "http.StatusTeapot": 418, "http.StatusBadRequest": 400}  # fmt: skip


class Unreadable(Exception):
    """Made by code, not by a literal."""


@dataclass(frozen=True)
class Recorded:
    """One request of the vendor's, and the answer to it."""

    where: str  # file:line
    method: str
    path: str
    request: Any
    status: int | None  # None is a success, of whatever number
    response: Any


def module(name: str) -> Path | None:
    """Where the newest version of a Go module lies in the module cache, None where there is none."""
    go = shutil.which("go")
    if go is None:
        return None
    done = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=False)
    folder = Path(done.stdout.strip()) / Path(name).parent
    found = folder.glob(f"{Path(name).name}@v*") if done.returncode == 0 else iter(())
    return max(found, key=lambda one: [int(part) for part in re.findall(r"\d+", one.name)], default=None)


def recorded(root: Path) -> Iterator[tuple[str, list[Recorded | str]]]:
    """Each of the vendor's tests with its requests in their order; in place of an unreadable one is why."""
    for folder in FOLDERS:
        for file in sorted((root / folder).glob("*_test.go")):
            source = _Source(root, file)
            for function in source.tree.children:
                if function.type == "function_declaration":
                    found = list(source.fixtures(function))
                    if found:
                        yield f"{folder}/{file.name}:{_text(function.child_by_field_name('name'))}", found


class _Source:
    """One Go file, and what its literals' types are."""

    def __init__(self, root: Path, file: Path) -> None:
        self.root, self.file, self.tree = root, file, _parse(file)
        self.imports = dict(self._imports())
        self.bound: dict[str, Any] = {}

    def fixtures(self, function: Node) -> Iterator[Recorded | str]:
        for node in _walk(function):
            if node.type != "composite_literal":
                continue
            kind, body = (node.child_by_field_name(name) for name in ("type", "body"))
            name = _text(kind).removeprefix("[]")
            if name not in ("qa.HTTPFixture", "HTTPFixture") or body is None:
                continue
            items = [body] if not _text(kind).startswith("[]") else [
                part.named_children[0] for part in body.named_children
                if part.type == "literal_element" and part.named_children[0].type == "literal_value"
            ]  # fmt: skip
            for item in items:
                where = f"{self.file.parent.name}/{self.file.name}:{item.start_point.row + 1}"
                try:
                    yield self._fixture(item, function, where)
                except Unreadable as why:
                    yield f"{where}: {why}"

    def _fixture(self, body: Node, function: Node, where: str) -> Recorded:
        said = {_text(key): value for key, value in _pairs(body)}

        def read(name: str) -> Any:
            return self._value(said[name], function, "") if name in said else None

        method, path = read("Method"), read("Resource")
        if not method or not path:
            raise Unreadable("matches any request")
        return Recorded(where, method, path, read("ExpectedRequest"), read("Status"), read("Response"))

    def _value(self, node: Node, scope: Node, wanted: str) -> Any:
        """The value of an expression; `wanted` is the type of a literal that does not say its own."""
        text = _text(node)
        match node.type:
            case "literal_element" | "parenthesized_expression":
                return self._value(node.named_children[0], scope, wanted)
            case "interpreted_string_literal":
                return _unescaped(text[1:-1])
            case "raw_string_literal":
                return text[1:-1]
            case "int_literal":
                return int(text)
            case "float_literal":
                return float(text)
            case "true" | "false":
                return text == "true"
            case "nil":
                return None
            case "unary_expression":
                operand = node.child_by_field_name("operand")
                assert operand is not None
                value = self._value(operand, scope, wanted)
                return -value if text.startswith("-") else value
            case "binary_expression":
                left, right = (node.child_by_field_name(side) for side in ("left", "right"))
                assert left is not None and right is not None
                return self._value(left, scope, "") + self._value(right, scope, "")
            case "composite_literal":
                kind, body = (node.child_by_field_name(name) for name in ("type", "body"))
                assert body is not None
                return self._literal(body, scope, _text(kind))
            case "literal_value":
                return self._literal(node, scope, wanted.lstrip("*"))
            case "call_expression":
                return self._call(node, scope)
            case "selector_expression":
                return self._selected(node, scope)
            case "identifier":
                return self._named(text, scope)
        raise Unreadable(f"{node.type} {text[:40]}")

    def _literal(self, body: Node, scope: Node, kind: str) -> Any:
        if kind.startswith("[]"):
            return [self._value(part, scope, kind[2:]) for part in body.named_children if part.type == "literal_element"]
        if kind.startswith("map["):
            inner = kind.partition("]")[2]
            return {self._value(key, scope, ""): self._value(value, scope, inner) for key, value in _pairs(body)}
        if (listed := _lists(self.file.parent).get(kind)) is not None:
            return self._literal(body, scope, listed)
        fields = self._struct(kind)
        made: dict[str, Any] = {}
        in_order = [part for part in body.named_children if part.type == "literal_element"]
        pairs = zip(fields, in_order, strict=True) if in_order else ((_text(key), value) for key, value in _pairs(body))
        for own, value in pairs:
            if own not in fields:
                raise Unreadable(f"no field {own} in {kind}")
            name, type_, optional = fields[own]
            read = self._value(value, scope, self._qualified(type_, kind))
            if isinstance(read, dict) and not name:
                made |= read  # embedded
            elif name and not (optional and read in (None, 0, "", [], {})):
                made[name] = read
        return made

    def _call(self, node: Node, scope: Node) -> Any:
        function, arguments = (node.child_by_field_name(name) for name in ("function", "arguments"))
        assert arguments is not None
        name, given = _text(function), arguments.named_children
        if name == "fmt.Sprintf":
            template, *filled = [self._value(one, scope, "") for one in given]
            return re.sub(r"%[dsv]", "{}", template).replace("%%", "%").format(*filled)
        values = [self._value(one, scope, "") for one in given]
        if name in ("url.QueryEscape", "url.PathEscape"):
            return quote(values[0], safe="")
        if name in ("string", "int", "int64", "float64"):
            return values[0]
        for file in sorted(self.file.parent.glob("*.go")):
            for one in _parse(file).children:
                if one.type == "function_declaration" and _text(one.child_by_field_name("name")) == name:
                    return self._returned(one, values)
        raise Unreadable(f"call of {name}")

    def _returned(self, function: Node, values: list[Any]) -> Any:
        """What a function of the same package gives back."""
        parameters = function.child_by_field_name("parameters")
        assert parameters is not None
        names = [_text(one) for part in parameters.named_children for one in part.children_by_field_name("name")]
        returns = [node for node in _walk(function) if node.type == "return_statement"]
        if len(returns) != 1 or len(names) != len(values):
            raise Unreadable(f"call of {_text(function.child_by_field_name('name'))}")
        before, self.bound = self.bound, dict(zip(names, values, strict=True))
        try:
            return self._value(returns[0].named_children[0].named_children[0], function, "")
        finally:
            self.bound = before

    def _selected(self, node: Node, scope: Node) -> Any:
        text = _text(node)
        if text in _METHODS or text in _STATUS:
            return _METHODS.get(text) or _STATUS[text]
        operand, field = (node.child_by_field_name(name) for name in ("operand", "field"))
        package = self.imports.get(_text(operand))
        if package is not None:
            found = _constants(package).get(_text(field))
            if found is not None:
                return found
        raise Unreadable(f"value of {text}")

    def _named(self, name: str, scope: Node) -> Any:
        """A parameter or variable of the function, else one of the package's tests."""
        if name in self.bound:
            return self.bound[name]
        for within in (scope, *(_parse(file) for file in (self.file, *sorted(self.file.parent.glob("*.go"))))):
            for node in _walk(within) if within is scope else within.children:
                for left, right in _assigned(node):
                    if _text(left) == name:
                        return self._value(right, scope, "")
        raise Unreadable(f"value of {name}")

    def _struct(self, kind: str) -> dict[str, tuple[str, str, bool]]:
        package, _, name = kind.rpartition(".")
        folder = self.imports.get(package) if package else self.file.parent
        if package.startswith("/"):
            folder = Path(package)
        found = _structs(folder).get(name) if folder else None
        if found is None:
            raise Unreadable(f"type {kind}")
        return found

    def _qualified(self, type_: str, holder: str) -> str:
        """A field's type as it is called from this file."""
        prefix, base = "", type_
        while match := re.match(r"\*|\[\]|map\[\w+\]", base):
            prefix += "" if match[0] == "*" else match[0]
            base = base[match.end() :]
        package = holder.rpartition(".")[0]
        folder = Path(package) if package.startswith("/") else self.imports.get(package, self.file.parent)
        if "." in base:
            alias, _, base = base.partition(".")
            places = [self._imports_of(self.root, _parse(source)) for source in sorted(folder.glob("*.go"))]
            folder = next((at for place in places for name, at in place if name == alias), folder)
        return f"{prefix}{folder}.{base}" if folder != self.file.parent else prefix + base

    def _imports(self) -> Iterator[tuple[str, Path]]:
        yield from self._imports_of(self.root, self.tree)

    @staticmethod
    def _imports_of(root: Path, tree: Node) -> Iterator[tuple[str, Path]]:
        for node in _walk(tree):
            if node.type == "import_spec":
                path = _text(node.child_by_field_name("path")).strip('"')
                alias = _text(node.child_by_field_name("name")) or path.rpartition("/")[2]
                if path.startswith(PROVIDER + "/"):
                    yield alias, root / path.removeprefix(PROVIDER + "/")
                elif path.startswith("github.com/databricks/databricks-sdk-go/"):
                    sdk = module("github.com/databricks/databricks-sdk-go")
                    if sdk is not None:
                        yield alias, sdk / path.removeprefix("github.com/databricks/databricks-sdk-go/")
            elif node.type in ("function_declaration", "type_declaration"):
                return


def _parse(file: Path) -> Node:
    root: Node = _tree(file).root_node
    return root


@cache
def _tree(file: Path) -> Any:
    return Parser(Language(tree_sitter_go.language())).parse(file.read_bytes())


@cache
def _structs(folder: Path) -> dict[str, dict[str, tuple[str, str, bool]]]:
    """Struct -> field -> JSON name ("" where it is embedded), type, whether it is left out when empty."""
    found: dict[str, dict[str, tuple[str, str, bool]]] = {}
    for file in sorted(folder.glob("*.go")):
        for node in _walk(_parse(file)):
            body = node.child_by_field_name("type") if node.type == "type_spec" else None
            if body is None or body.type != "struct_type":
                continue
            fields: dict[str, tuple[str, str, bool]] = {}
            for field in (one for part in body.named_children for one in part.named_children):
                tag = re.search(r'json:"([^"]*)"', _text(field.child_by_field_name("tag")))
                name, _, options = (tag[1] if tag else "").partition(",")
                type_ = _text(field.child_by_field_name("type"))
                names = [_text(one) for one in field.children_by_field_name("name")]
                for own in names or [type_.lstrip("*").rpartition(".")[2]]:
                    fields[own] = ("" if name == "-" or not names else name or own, type_, "omitempty" in options)
            found[_text(node.child_by_field_name("name"))] = fields
    return found


@cache
def _lists(folder: Path) -> dict[str, str]:
    """Named types of a package that are lists."""
    specs = [node for file in sorted(folder.glob("*.go")) for node in _walk(_parse(file)) if node.type == "type_spec"]
    named = [(_text(one.child_by_field_name("name")), _text(one.child_by_field_name("type"))) for one in specs]
    return {name: type_ for name, type_ in named if type_.startswith("[]")}


@cache
def _constants(folder: Path) -> dict[str, str]:
    """Constants of a package that are plain strings."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.go")):
        for match in re.finditer(r'^\s*(?:const )?(\w+)\s+(?:\w+\s*)?=\s*["`]([^"`]*)["`]', file.read_text(), re.M):
            found.setdefault(match[1], match[2])
    return found


def _assigned(node: Node) -> Iterator[tuple[Node, Node]]:
    """Name and value of a declaration with values."""
    if node.type in ("short_var_declaration", "assignment_statement"):
        left, right = (node.child_by_field_name(side) for side in ("left", "right"))
        if left is not None and right is not None and len(left.named_children) == len(right.named_children):
            yield from zip(left.named_children, right.named_children, strict=True)
    elif node.type in ("var_declaration", "const_declaration"):
        for spec in (one for one in _walk(node) if one.type in ("var_spec", "const_spec")):
            names, values = spec.children_by_field_name("name"), spec.child_by_field_name("value")
            if values is not None and len(names) == len(values.named_children):
                yield from zip(names, values.named_children, strict=True)


def _pairs(body: Node) -> Iterator[tuple[Node, Node]]:
    for pair in body.named_children:
        if pair.type == "keyed_element":
            key, value = pair.named_children
            yield key, value


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.named_children:
        yield from _walk(child)


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text is not None else ""


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)
