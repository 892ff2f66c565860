"""Values of one type as values of another, in DuckDB's terms.

https://docs.snowflake.com/en/sql-reference/data-type-conversion
"""

from __future__ import annotations

from sqlglot import exp

from sandbox.account import values
from sandbox.account.errors import unsupported
from sandbox.account.numeric import is_number, is_real, is_semi_structured, scale_of

DATE, TEXTS = exp.DType.DATE, exp.DataType.TEXT_TYPES
TIMES = (*exp.DataType.TEMPORAL_TYPES,)


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of one of `macros` or of a function of DuckDB's."""
    return exp.Anonymous(this=name, expressions=[each.copy() for each in arguments])


def cast(node: exp.Expr, duck: str, *, safe: bool = False) -> exp.Expr:
    """CAST or TRY_CAST to a type of DuckDB's."""
    kind = exp.TryCast if safe else exp.Cast
    made = kind(this=node.copy(), to=exp.DataType.build(duck, dialect="duckdb"))
    made.type = made.to
    return made


def text(node: exp.Expr) -> exp.Expr:
    """A value as Snowflake's text of it."""
    if node.is_type(*TEXTS) and not isinstance(node, exp.Null):
        return node
    plain = (is_number(node) and not is_real(node)) or node.is_type(DATE, exp.DType.BOOLEAN)
    made = cast(node, "VARCHAR") if plain else call("SF_TEXT", node)
    made.type = exp.DataType.build("VARCHAR")
    return made


def whole(node: exp.Expr) -> exp.Expr:
    """A number as a place or a count."""
    return node if node.is_int or not is_number(node) else cast(node, "BIGINT")


def exact(node: exp.Expr) -> exp.Expr:
    """A number with all its digits and room for more; one that has more after the point than is known is refused."""
    scale = scale_of(node)
    held = node if isinstance(node, exp.Literal | exp.Cast) else call("SF_EXACT", node, exp.convert(scale))
    return cast(held, f"DECIMAL(38, {scale})")


def number(value: int) -> exp.Expr:
    """A literal that keeps its sign and all its digits."""
    return cast(exp.Literal.string(str(value)), "DECIMAL(38, 0)")


def variant(node: exp.Expr) -> exp.Expr:
    """A value as a semi-structured one; a time is a text in it."""
    if is_semi_structured(node):
        return node
    made = call("TO_JSON", text(node) if node.is_type(*TIMES) else node)
    made.type = exp.DataType.build("VARIANT", dialect="snowflake")
    return made


def convert(node: exp.Expr, to: values.Type, *, safe: bool = False) -> exp.Expr:
    """A value of a type that is known as one of another type."""
    if to.family in values.SEMI_STRUCTURED:
        return variant(node)
    if to.family == "text":
        made = text(node)
        return made if to.length >= values.TEXT.length else call("SF_FIT", made, exp.convert(to.length))
    source = text(node) if is_semi_structured(node) else node
    if to.family == "boolean" and not source.is_type(exp.DType.BOOLEAN):
        return call("SF_TRY_BOOLEAN" if safe else "SF_BOOLEAN", source)
    if to.family.startswith("timestamp") and (source.is_type(*TEXTS) or source is not node):
        source = call("SF_WALL" if to.family == "timestamp_ntz" else "SF_ZONED", source)
    if to.family == "fixed" and source.is_type(*TIMES):
        raise unsupported(f"a conversion of {node.type} to {to.sql}")
    return cast(source, to.duck, safe=safe)


def quotient(one: exp.Expr, other: exp.Expr, typed: exp.Expr) -> exp.Expr:
    """one / other, exact unless the result is a FLOAT."""
    if not (is_number(one) and is_number(other)):
        raise unsupported(f"a quotient of {one.type} and {other.type}")
    if is_real(typed):
        return call("SF_DIVIDE_REAL", one, other)
    scale = scale_of(typed)
    powers = [number(10 ** scale_of(each)) for each in (one, other)]
    whole_number = call("SF_DIVIDE", exact(one), exact(other), *powers, number(10**scale))
    unit = cast(exp.Literal.string("0." + "0" * (scale - 1) + "1" if scale else "1"), f"DECIMAL(38, {scale})")
    made = cast(exp.Mul(this=cast(whole_number, "DECIMAL(38, 0)"), expression=unit), f"DECIMAL(38, {scale})")
    made.type = typed.type
    return made


def check_alike(parts: list[exp.Expr], node: exp.Expr) -> None:
    """Refuse what DuckDB would make text of and Snowflake something else."""
    families = set()
    for part in parts:
        if part.is_type(exp.DType.UNKNOWN, exp.DType.NULL) or part.type is None:
            continue
        family = "a number" if is_number(part) else "a text" if part.is_type(*TEXTS) else ""
        family = family or ("semi-structured" if is_semi_structured(part) else "a time" if part.is_type(*TIMES) else "")
        families.add(family or str(part.type))
    if len(families) > 1:
        raise unsupported(f"{' and '.join(sorted(families))} as one value: {node.sql('snowflake')}")
