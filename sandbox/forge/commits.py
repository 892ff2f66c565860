"""Branches, commits, tags and comparisons."""

from __future__ import annotations

from sandbox.forge import access
from sandbox.forge.call import Call
from sandbox.forge.errors import ApiError, forbidden, missing
from sandbox.forge.repository import DEFAULT_BRANCH, Commit
from sandbox.forge.store import Json
from sandbox.forge.users import DEVELOPER

_NONE = "0" * 40


def shown(call: Call, commit: Commit) -> Json:
    """A commit: https://docs.gitlab.com/api/commits/#get-a-single-commit"""
    author, committer = commit.author, commit.committer
    return {
        "id": commit.sha, "short_id": commit.sha[:8], "title": commit.message.partition("\n")[0], "message": commit.message,
        "author_name": author[0], "author_email": author[1], "authored_date": author[2],
        "committer_name": committer[0], "committer_email": committer[1], "committed_date": committer[2],
        "created_at": committer[2], "parent_ids": list(commit.parents), "web_url": f"{call.web}/-/commit/{commit.sha}",
    }  # fmt: skip


def diffs(call: Call, older: str, newer: str) -> list[Json]:
    """Changed files with their diffs: https://docs.gitlab.com/api/repositories/#compare-branches-tags-or-commits"""
    raw = call.repository.git("diff-tree", "-r", "-M", "-z", "--no-commit-id", older, newer) or ""
    parts, found = iter(raw.split("\0")), []
    for head in parts:
        if not head:
            continue
        old_mode, new_mode, _, _, status = head.lstrip(":").split(" ")
        old = next(parts)
        new = next(parts) if status[0] in "RC" else old
        text = call.repository.git("diff", "-M", older, newer, "--", *{old, new}) or ""
        found.append({
            "old_path": old, "new_path": new, "a_mode": old_mode, "b_mode": new_mode, "diff": _hunks(text),
            "new_file": status == "A", "renamed_file": status[0] == "R", "deleted_file": status == "D",
        })  # fmt: skip
    return found


def _hunks(text: str) -> str:
    start = text.find("\n@@")
    return text[start + 1 :] if start >= 0 else ""


def branches(call: Call) -> list[Json]:
    """GET /projects/:id/repository/branches: https://docs.gitlab.com/api/branches/"""
    search = call.query.get("search", "")
    return [_branch(call, name, sha) for name, sha in call.repository.refs("refs/heads") if search in name]


def branch(call: Call) -> Json:
    """GET /projects/:id/repository/branches/:branch"""
    sha = call.repository.head(call.path["branch"])
    if sha is None:
        raise missing("Branch")
    return _branch(call, call.path["branch"], sha)


def create_branch(call: Call) -> Json:
    """POST /projects/:id/repository/branches"""
    name, ref = call.text("branch"), call.text("ref")
    call.require(DEVELOPER)
    if not access.may_merge(call.store, call.who, name):
        raise forbidden()
    sha = call.repository.resolve(ref)
    if sha is None:
        raise ApiError(400, "Invalid reference name: " + ref)
    with call.world.refs:
        if not call.repository.move(f"refs/heads/{name}", sha, _NONE):
            raise ApiError(400, "Branch already exists" if call.repository.head(name) else "Branch name is invalid")
    return _branch(call, name, sha)


def delete_branch(call: Call) -> None:
    """DELETE /projects/:id/repository/branches/:branch: never a protected one"""
    name = call.path["branch"]
    call.require(DEVELOPER)
    with call.world.refs:
        sha = call.repository.head(name)
        if sha is None:
            raise missing("Branch")
        if name == DEFAULT_BRANCH or access.protections(call.store, "branch", name):
            raise ApiError(405, "Protected branch")
        call.repository.delete(f"refs/heads/{name}", sha)


def _branch(call: Call, name: str, sha: str) -> Json:
    commit = call.repository.commit(sha)
    guards = access.protections(call.store, "branch", name)
    return {
        "name": name, "commit": shown(call, commit) if commit else None, "merged": False, "protected": bool(guards),
        "default": name == DEFAULT_BRANCH, "can_push": access.may_push(call.store, call.who, name),
        "developers_can_push": any(level["access_level"] == DEVELOPER for one in guards for level in one["push"]),
        "developers_can_merge": any(level["access_level"] == DEVELOPER for one in guards for level in one["merge"]),
        "web_url": f"{call.web}/-/tree/{name}",
    }  # fmt: skip


def commits(call: Call) -> list[Json]:
    """GET /projects/:id/repository/commits?ref_name="""
    wanted = call.query.get("ref_name") or DEFAULT_BRANCH
    older, dots, newer = wanted.partition("..")
    ends = [call.repository.resolve(name) for name in ((older, newer) if dots else (wanted,))]
    if None in ends:
        raise missing("Commit")
    found = call.repository.log("..".join(str(end) for end in ends))
    return [shown(call, commit) for commit in found]


def commit(call: Call) -> Json:
    """GET /projects/:id/repository/commits/:sha, also by branch or tag"""
    return shown(call, _commit(call, call.path["sha"]))


def _commit(call: Call, name: str) -> Commit:
    sha = call.repository.resolve(name)
    found = call.repository.commit(sha) if sha else None
    if found is None:
        raise missing("Commit")
    return found


def compare(call: Call) -> Json:
    """GET /projects/:id/repository/compare?from=&to=&straight="""
    older, newer = _commit(call, call.text("from")), _commit(call, call.text("to"))
    found = call.repository.log(f"{older.sha}..{newer.sha}")
    start = older.sha if call.flag("straight") else call.repository.base(older.sha, newer.sha) or older.sha
    return {
        "commit": shown(call, newer) if found else None, "commits": [shown(call, commit) for commit in reversed(found)],
        "diffs": diffs(call, start, newer.sha), "compare_timeout": False, "compare_same_ref": older.sha == newer.sha,
        "web_url": f"{call.web}/-/compare/{older.sha}...{newer.sha}",
    }  # fmt: skip


def tags(call: Call) -> list[Json]:
    """GET /projects/:id/repository/tags?search=: newest first; `search` may begin with ^"""
    search = call.query.get("search", "")
    inside = (lambda name: name.startswith(search[1:])) if search.startswith("^") else (lambda name: search in name)
    found = [_tag(call, name) for name, _ in call.repository.refs("refs/tags") if inside(name)]
    return sorted(found, key=lambda tag: str(tag["created_at"] or tag["commit"]["committed_date"]), reverse=True)


def tag(call: Call) -> Json:
    """GET /projects/:id/repository/tags/:tag"""
    return _tag(call, call.path["tag"])


def create_tag(call: Call) -> Json:
    """POST /projects/:id/repository/tags: annotated when it has a message; the tagger is the caller"""
    name, ref, message = call.text("tag_name"), call.text("ref"), call.text("message", "")
    call.require(DEVELOPER)
    if not access.may_create_tag(call.store, call.who, name):
        raise ApiError(400, "You are not allowed to create this tag as it is protected.")
    sha = call.repository.resolve(ref)
    if sha is None:
        raise ApiError(400, f"Target {ref} is invalid")
    arguments = ["--annotate", "--cleanup=verbatim", "--file=-", name, sha] if message else [name, sha]
    with call.world.refs:
        made = call.repository.git("tag", *arguments, text=message, environ=call.identity())
    if made is None:
        raise ApiError(400, f"Tag {name} already exists" if _has(call, name) else "Tag name invalid")
    return _tag(call, name)


def delete_tag(call: Call) -> None:
    """DELETE /projects/:id/repository/tags/:tag: never evidence of a promotion"""
    name = call.path["tag"]
    call.require(DEVELOPER)
    _tag(call, name)
    if access.is_kept(name) or not access.may_create_tag(call.store, call.who, name):
        raise forbidden()
    call.repository.git("tag", "--delete", name)


def _has(call: Call, name: str) -> bool:
    return call.repository.git("show-ref", "--verify", "--quiet", f"refs/tags/{name}") is not None


def _tag(call: Call, name: str) -> Json:
    format = "%(objecttype)%00%(objectname)%00%(taggerdate:iso8601-strict)%00%(contents)"
    if not _has(call, name):
        raise missing("Tag")
    told = call.repository.git("for-each-ref", f"--format={format}", f"refs/tags/{name}") or ""
    kind, target, date, contents = told.split("\0", 3)
    commit = _commit(call, f"refs/tags/{name}")
    return {
        "name": name, "target": target, "message": contents.removesuffix("\n").removesuffix("\n") if kind == "tag" else "",
        "commit": shown(call, commit), "created_at": date or None, "release": None,
        "protected": access.is_kept(name) or bool(access.protections(call.store, "tag", name)),
    }  # fmt: skip
