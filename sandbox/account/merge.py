"""MERGE: for each branch the rows that it takes are found first, then all changes are made.

https://docs.snowflake.com/en/sql-reference/sql/merge
"""

from __future__ import annotations

from sqlglot import exp

from sandbox.account import translate
from sandbox.account.errors import SqlError, unsupported
from sandbox.account.queries import Statement, assignments, check_chosen, insertion, only, quoted, rows_of, set_to, table
from sandbox.account.rows import Connection
from sandbox.account.sources import columns_of, data_name
from sandbox.account.state import Object
from sandbox.account.values import INTEGER
from sandbox.account.wire import UPDATE, Result

_SAID = {"insert": "inserted", "update": "updated", "delete": "deleted"}
_PRIVILEGES = {"insert": "INSERT", "update": "UPDATE", "delete": "DELETE"}


def merge(statement: Statement, tree: exp.Merge, connection: Connection) -> Result:
    """MERGE INTO target USING source ON condition WHEN ... THEN ..."""
    only(tree, "this", "using", "on", "whens", "with_")
    whens = tree.args["whens"].expressions
    actions = [_action(when) for when in whens]
    sources = statement.sources()
    for action in dict.fromkeys(actions):
        item = table(sources, tree.this, _PRIVILEGES[action])
    done = dict.fromkeys(actions, 0)
    for at, when in enumerate(whens):
        earlier = [each for each in whens[:at] if bool(each.args["matched"]) == bool(when.args["matched"])]
        sql = _taken(statement, tree, when, earlier, item)
        connection.write(f"CREATE OR REPLACE TEMP TABLE SF_BRANCH_{at} AS {sql}")
    _check_once(connection, [at for at, when in enumerate(whens) if when.args["matched"]])
    for at, (when, action) in enumerate(zip(whens, actions, strict=True)):
        done[action] += _change(statement, connection, item, when, action, f"SF_BRANCH_{at}")
    told = [action for action in _SAID if action in done]
    return Result([(f"number of rows {_SAID[a]}", INTEGER) for a in told], [[done[a] for a in told]], UPDATE)


def _action(when: exp.When) -> str:
    then = when.args["then"]
    if when.args.get("source"):
        raise unsupported(when.sql("snowflake"))
    if isinstance(then, exp.Insert):
        return "insert"
    if isinstance(then, exp.Update):
        return "update"
    if then.name.upper() == "DELETE":
        return "delete"
    raise unsupported(when.sql("snowflake"))


def _taken(statement: Statement, tree: exp.Merge, when: exp.When, earlier: list[exp.When], item: Object) -> str:
    """The query of the rows that a branch takes, without those of earlier branches, with what it makes of them."""
    then, on = when.args["then"], tree.args["on"]
    sources = statement.sources()
    mine = [when.args["condition"].copy()] if when.args.get("condition") else []
    for each in earlier:
        said = each.args.get("condition")
        mine.append(exp.not_(exp.Coalesce(this=exp.paren(said.copy()), expressions=[exp.false()])) if said else exp.false())
    if when.args["matched"]:
        values = assignments(columns_of(item), then)[1] if isinstance(then, exp.Update) else []
        where = exp.Where(this=exp.and_(on.copy(), *mine))
        return rows_of(item, tree.this, sources, values, others=[tree.args["using"]], where=where)
    alias = tree.this.args.get("alias") or exp.TableAlias(this=exp.to_identifier(item.last_name, quoted=True))
    target = exp.Table(this=exp.to_identifier(data_name(item), quoted=True), alias=alias.copy())
    found = exp.Exists(
        this=exp.Select(expressions=[exp.Literal.number(1)], from_=exp.From(this=target), where=exp.Where(this=on.copy()))
    )
    values = [exp.alias_(value.copy(), f"C{at}", quoted=True) for at, value in enumerate(then.expression.expressions)]
    made = exp.Select(expressions=values, from_=exp.From(this=tree.args["using"].copy()))
    made.set("where", exp.Where(this=exp.and_(exp.Not(this=found), *mine, copy=False)))
    sources.tables[data_name(item)] = columns_of(item)
    return translate.query(made, sources, target).sql


def _check_once(connection: Connection, matched: list[int]) -> None:
    """Snowflake refuses a merge in which several rows of the source would change one row of the target."""
    if not matched:
        return
    keys = " UNION ALL ".join(f"SELECT c0 FROM SF_BRANCH_{at}" for at in matched)
    if connection.read(f"SELECT c0 FROM ({keys}) GROUP BY c0 HAVING count(*) > 1 LIMIT 1")[1]:
        raise SqlError("100090", "42P18", "Duplicate row detected during DML action")


def _change(statement: Statement, connection: Connection, item: Object, when: exp.When, action: str, source: str) -> int:
    then = when.args["then"]
    if action == "delete":
        return connection.write(f"DELETE FROM {data_name(item)} WHERE rowid IN (SELECT c0 FROM {source})")
    columns = columns_of(item)
    if action == "update":
        return set_to(connection, item, assignments(columns, then)[0], source)
    chosen = (
        [each.name if each.this.args.get("quoted") else each.name.upper() for each in then.this.expressions]
        if then.this
        else list(columns)
    )
    check_chosen(columns, chosen)
    return connection.write(insertion(statement, connection, item, chosen, f"SELECT * FROM {quoted(source)}"))
