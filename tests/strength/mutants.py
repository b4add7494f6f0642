"""Mutants of a file: the same code with one thing wrong in it.

A site is a place in the syntax tree and what is done to it. Declarations of parameters are left
out, since every bound and default stands in ``docs/reference/``, which a test compares; so are
annotations, messages, decorators, and what only guards against the impossible: ``raise`` and
``zip(..., strict=True)``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
#: Roundings are numbers; which one is meant is a rule.
ROUNDINGS = {"FLOOR": 1, "CEIL": 0}


class Mutant(NamedTuple):
    """One change: where, in which words, and how it is made in a fresh syntax tree."""

    path: Path
    line: int
    last_line: int
    number: int  # of the site in its file
    change: str


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of a file, in order of the walk through it."""
    found = []
    for number, (node, change, _) in enumerate(_sites(ast.parse(path.read_text()))):
        found.append(Mutant(path, node.lineno, node.end_lineno, number, change))
    return found


def mutated(mutant: Mutant) -> ast.Module:
    """Return the syntax tree of a mutant."""
    tree = ast.parse(mutant.path.read_text())
    for number, (_, _, act) in enumerate(_sites(tree)):
        if number == mutant.number:
            act()
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{mutant.path} has no site {mutant.number}")


Site = tuple[ast.AST, str, Callable[[], None]]


def _sites(tree: ast.Module) -> Iterator[Site]:
    for node, parent, name in _walk(tree):
        yield from _of_expression(node, parent, name)
        yield from _of_statement(node, parent, name)


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, tuple[str, int | None]]]:
    """Return every node that may be mutated, with its parent and its place there."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        children = value if isinstance(value, list) else [value]
        for place, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_left_out(child):
                continue
            yield child, tree, (name, place if isinstance(value, list) else None)
            yield from _walk(child)


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "param"
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.keyword):
        return node.arg == "strict"
    return isinstance(node, ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom)


def _of_expression(node: ast.AST, parent: ast.AST, name: tuple[str, int | None]) -> Iterator[Site]:
    words = ast.unparse(node)
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            yield node, f"{words}: comparison", _item(node.ops, place, _swapped(operator))
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield node, f"{words}: operator", _field(node, "op", _swapped(node.op))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node, f"{words}: no sign", _replace(parent, name, node.operand)
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield node, f"{words}: the other", _field(node, "id", NAMES[node.id])
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield node, f"{words}: the other", _field(node, "attr", NAMES[node.attr])
    elif isinstance(node, ast.Name) and node.id in ROUNDINGS:
        other = ast.copy_location(ast.Constant(ROUNDINGS[node.id]), node)
        yield node, f"{words}: the other", _replace(parent, name, other)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield (
            node,
            f"{words} in {ast.unparse(parent)}: one more",
            _field(node, "value", node.value + 1),
        )
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield node, f"{words} in {ast.unparse(parent)}: not", _field(node, "value", not node.value)


def _of_statement(node: ast.AST, parent: ast.AST, name: tuple[str, int | None]) -> Iterator[Site]:
    words = ast.unparse(node).split("\n")[0]
    if _has_effect(node):
        gone = ast.copy_location(ast.Pass(), node)
        yield node, f"{words}: left out", _replace(parent, name, gone)
    elif isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Constant):
        nothing = ast.BinOp(ast.Constant(0), ast.Mult(), node.value)
        yield node, f"{words}: zero times", _field(node, "value", nothing)
    elif isinstance(node, ast.If | ast.While | ast.IfExp) and isinstance(
        node.test, ast.Name | ast.Call | ast.Attribute | ast.Subscript
    ):
        yield node, f"{words}: not", _field(node, "test", ast.UnaryOp(ast.Not(), node.test))


def _has_effect(node: ast.AST) -> bool:
    """Tell whether a statement only changes something, so that leaving it out still runs."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Subscript | ast.Attribute) for target in node.targets)
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return is_call or isinstance(node, ast.AugAssign | ast.Continue | ast.Break)


def _swapped(operator: ast.AST) -> ast.AST:
    return SWAPS[type(operator)]()


def _field(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _item(items: list, place: int, value: object) -> Callable[[], None]:
    return lambda: items.__setitem__(place, value)


def _replace(parent: ast.AST, name: tuple[str, int | None], value: ast.AST) -> Callable[[], None]:
    field, place = name
    if place is None:
        return _field(parent, field, value)
    return _item(getattr(parent, field), place, value)
