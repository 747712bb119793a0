"""The configuration format of the paper's authors, read without executing it.

Such a file is JSON. ``environment.global_agent`` and ``environment.local_agent`` list the numbers that are states and
actions; ``environment.functions`` holds four Python functions, each a list of source lines; the discount is
``simulation.discount_factor``, and what else ``simulation`` and other tables hold does not change the model.

Each function is parsed, translated into closures over rationals, and tabulated: every random draw forks the run, so a
transition becomes its exact law. What the translation does not know is refused by line; nothing is ever compiled,
imported or called by name. The language: assignments to names, ``if``/``elif``/``else``, ``return``, ``pass``,
``import random``; ``+ - * / // % **``, comparisons, ``and``/``or``/``not``, conditional expressions; ``abs``, ``min``,
``max``, ``round``, ``int``; ``random.random() < p`` (any of ``< <= > >=``, either side) and ``random.choice([...])``.

Numbers are rationals with Python's rules: a decimal is the rational it denotes (``0.1`` is 1/10, so ``0.1 + 0.2 == 0.3``
holds here and not in doubles), ``round`` goes half to even, ``int`` towards zero, ``//`` and ``%`` floor, ``True`` is 1.
``random.random()`` is uniform on [0, 1) and every evaluation is a new independent draw.
"""

from __future__ import annotations

import ast
import io
import math
import operator
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any, Final, TypeAlias, TypeVar

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.rationals import from_text, shown

_SIGNATURES: Final = {
    "global_agent_reward": ("global_state", "global_action"),
    "local_agent_reward": ("local_state", "global_state", "local_action"),
    "global_agent_transition": ("global_state", "global_action"),
    "local_agent_transition": ("local_state", "global_state", "local_action"),
}
_Entry = TypeVar("_Entry")

_LARGEST_SOURCE = 32_768
_MOST_LINES = 500
_MOST_TOKENS = 1000
"""Of one logical line. With the two bounds on depth it keeps the parser, which recurses, far from the end of its stack."""
_DEEPEST_NESTING = 50
_DEEPEST_EXPRESSION = 60
_LARGEST_NUMBER_BITS = 1024
"""Of a numerator or denominator anywhere in a computation."""
_LARGEST_PROBABILITY_BITS = 4096
"""Of the probability of a run or of a value; the kernels of a model hold no longer numbers either."""
_MOST_DIGITS = 100
"""Of ``round(x, digits)``."""
_MOST_ENTRIES = 1_000_000
"""Of one transition kernel."""
_MOST_WORK = 5_000_000
"""Nodes of a function times runs of it, over all arguments and all outcomes of its random draws: some seconds."""

_CALLS = "abs, min, max, round, int, random.random() < p and random.choice([...])"
_NOT_IN_A_LINE = re.compile("[\n\r\f\v\0\ufeff\ud800-\udfff]")


def model_from_config(document: dict[str, Any], name: str) -> Model:
    """The model that a configuration in the authors' format describes; its functions are translated, never executed.

    ``document`` is the parsed JSON; its numbers may be ints, Fractions or floats (a float is the decimal it is printed
    as). States and actions keep the order of their lists: ``global_kernel[g, b, g']`` is the probability that
    ``global_agent_transition`` of the ``g``-th state and ``b``-th action gives the ``g'``-th state, and
    ``local_kernel[s, g, a, s']`` likewise. Raises :class:`ModelError`, and nothing else, naming the JSON path or the
    function and its line, for anything that is missing, outside the language above, or too large to tabulate.
    """
    issues: list[str] = []
    if not isinstance(document, dict):
        raise ModelError(f"found a document that is {_found(document)}, expected a table with the keys environment and simulation")
    environment = _table(document, "environment", issues)
    _check_keys(environment, "environment", ("global_agent", "local_agent", "functions"), issues)
    spaces: dict[str, list[Fraction]] = {}
    for agent in ("global", "local"):
        path = f"environment.{agent}_agent"
        table = _table(environment, path, issues)
        _check_keys(table, path, ("state_space", "action_space"), issues)
        for kind in ("state", "action"):
            spaces[f"{agent}_{kind}"] = _space(table, f"{path}.{kind}_space", issues)
    sources = _table(environment, "environment.functions", issues)
    _check_keys(sources, "environment.functions", tuple(_SIGNATURES), issues)
    functions = [_function(sources, name, issues) for name in _SIGNATURES]
    discount = _discount(_table(document, "simulation", issues), issues)
    if not issues:
        _check_sizes(spaces, issues)
    if issues or discount is None:
        raise ModelError(*issues)
    tables: dict[str, Any] = {function.name: _tabulate(function, spaces, issues) for function in functions if function is not None}
    if issues:
        raise ModelError(*issues)
    return Model(
        tables["global_agent_transition"],
        tables["local_agent_transition"],
        tables["global_agent_reward"],
        tables["local_agent_reward"],
        discount=discount,
        name=name,
        documentation=_documentation(spaces),
    )


def _documentation(spaces: dict[str, list[Fraction]]) -> str:
    """Sizes and values of the four sets, in the order of the axes."""
    sets = (f"{len(values)} {axis.replace('_', ' ')}s ({', '.join(map(str, values))})" for axis, values in spaces.items())
    return f"Read from a configuration in the format of the paper's authors: {', '.join(sets)}."


# The tables and numbers of the JSON document.


def _entry(table: dict[str, Any] | None, path: str, kind: type[_Entry], wanted: str, issues: list[str]) -> _Entry | None:
    """The entry at a JSON path, of the expected type; ``table`` contains it, and is None if a fault of it is reported already."""
    if table is None:
        return None
    key = path.rpartition(".")[2]
    if key not in table:
        issues.append(f"{path}: missing key, expected {wanted}")
        return None
    entry = table[key]
    if not isinstance(entry, kind):
        issues.append(f"{path}: found {_found(entry)}, expected {wanted}")
        return None
    if not entry and kind is list:
        issues.append(f"{path}: found an empty list, expected {wanted}")
    return entry


def _table(parent: dict[str, Any] | None, path: str, issues: list[str]) -> dict[str, Any] | None:
    return _entry(parent, path, dict, "a table of keys", issues)


def _check_keys(table: dict[str, Any] | None, path: str, known: tuple[str, ...], issues: list[str]) -> None:
    """A key that is not known could be meant to change the model, so it is refused; missing ones are reported where they are read."""
    issues.extend(f"{path}: unknown key {_found(key)}; the keys are {', '.join(known)}" for key in table or () if key not in known)


def _space(table: dict[str, Any] | None, path: str, issues: list[str]) -> list[Fraction]:
    """The distinct numbers listed at a JSON path."""
    values: dict[Fraction, int] = {}
    for i, entry in enumerate(_entry(table, path, list, "a list of one number or more", issues) or ()):
        number = _number(entry, f"{path}[{i}]", issues)
        if number is not None and values.setdefault(number, i) != i:
            issues.append(f"{path}[{i}]: found {shown(number)}, which is already listed at [{values[number]}]; list every number once")
    return list(values)


def _discount(simulation: dict[str, Any] | None, issues: list[str]) -> Fraction | None:
    path, wanted = "simulation.discount_factor", "a number strictly between 0 and 1"
    if simulation is None:
        return None
    if "discount_factor" not in simulation:
        issues.append(f"{path}: missing key, expected {wanted}")
        return None
    discount = _number(simulation["discount_factor"], path, issues)
    if discount is not None and not 0 < discount < 1:
        issues.append(f"{path}: found {shown(discount)}, expected {wanted}")
    return discount


def _check_sizes(spaces: dict[str, list[Fraction]], issues: list[str]) -> None:
    for agent, axes in (("global", "global states^2 * global actions"), ("local", "local states^2 * global states * local actions")):
        entries = len(spaces[f"{agent}_state"]) * math.prod(len(spaces[axis]) for axis in _SIGNATURES[f"{agent}_agent_transition"])
        if entries > _MOST_ENTRIES:
            issues.append(
                f"environment.{agent}_agent: the kernel has {entries} entries ({axes}), at most {_MOST_ENTRIES} are read; list fewer"
            )


def _number(value: Any, path: str, issues: list[str]) -> Fraction | None:
    """A JSON number as the rational it denotes."""
    number: Fraction | None = None
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        number = Fraction(value)
    elif isinstance(value, float) and math.isfinite(value):
        number = from_text(float.__repr__(value))
    if number is None:
        issues.append(f"{path}: found {_found(value)}, expected a finite number")
    elif _bits(number) > _LARGEST_NUMBER_BITS:
        issues.append(f"{path}: found a number of more than {_LARGEST_NUMBER_BITS} bits, expected a shorter one")
        return None
    return number


def _found(value: Any) -> str:
    """A value of the document, in a few characters and on one line."""
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return type(value).__name__


def _bits(number: Fraction) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


# One run of a function, and the enumeration of all its runs.


class _Refusal(Exception):
    """A function that cannot be read or run: the line of it, and what is wrong there."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line
        self.text = text


@dataclass
class _Run:
    """One run of a function: its variables, and the outcomes of its random draws.

    The outcomes are those of ``prefix`` and then the first of each draw. The prefixes of the runs that take another
    outcome after ``prefix`` are left in ``untaken``; running those too, and theirs, meets every outcome once.
    """

    variables: dict[str, Fraction]
    prefix: tuple[int, ...]
    taken: list[int] = field(default_factory=list)
    untaken: list[tuple[int, ...]] = field(default_factory=list)
    probability: Fraction = Fraction(1)

    def draw(self, weights: Sequence[Fraction], line: int) -> int:
        """The index of this run's outcome of the draw on a line, given the probabilities of all, each positive."""
        position = len(self.taken)
        if position < len(self.prefix):
            outcome = self.prefix[position]
        else:
            outcome = 0
            self.untaken.extend((*self.taken, other) for other in range(1, len(weights)))
        self.taken.append(outcome)
        self.probability *= weights[outcome]
        if _bits(self.probability) > _LARGEST_PROBABILITY_BITS:
            raise _Refusal(line, f"the probability of a run has more than {_LARGEST_PROBABILITY_BITS} bits; draw less often")
        return outcome


_Expression: TypeAlias = Callable[[_Run], Fraction]


@dataclass(frozen=True)
class _Assign:
    names: tuple[str, ...]
    value: _Expression


@dataclass(frozen=True)
class _Branch:
    condition: _Expression
    then: tuple[_Statement, ...]
    otherwise: tuple[_Statement, ...]


@dataclass(frozen=True)
class _Return:
    value: _Expression


_Statement: TypeAlias = _Assign | _Branch | _Return


@dataclass(frozen=True)
class _Function:
    """A translated function; ``draws`` are the lines of its random draws, ``nodes`` its size for the bound on work."""

    name: str
    body: tuple[_Statement, ...]
    last_line: int
    draws: tuple[int, ...]
    nodes: int


def _value(function: _Function, run: _Run) -> Fraction:
    """Run a function to its ``return``. There are no loops, so a run visits a statement at most once."""
    pending = list(reversed(function.body))
    while pending:
        match pending.pop():
            case _Assign(names, value):
                run.variables.update(dict.fromkeys(names, value(run)))
            case _Branch(condition, then, otherwise):
                pending.extend(reversed(then if condition(run) else otherwise))
            case _Return(value):
                return value(run)
    raise _Refusal(function.last_line, "the function ends without a return; return a number on every path")


def _laws(function: _Function, domains: Sequence[Sequence[Fraction]]) -> Iterator[tuple[tuple[Fraction, ...], dict[Fraction, Fraction]]]:
    """For all arguments, last argument fastest: the arguments, and the probability of every value the function can give."""
    place, names = f"environment.functions.{function.name}", _SIGNATURES[function.name]
    runs = 0
    for arguments in product(*domains):
        law: dict[Fraction, Fraction] = {}
        pending: list[tuple[int, ...]] = [()]
        while pending:
            runs += 1
            if runs * function.nodes > _MOST_WORK:
                raise ModelError(
                    f"{place}: more than {runs - 1} combinations of arguments and random outcomes; list fewer states or draw less often"
                )
            run = _Run(dict(zip(names, arguments, strict=True)), pending.pop())
            try:
                value = _value(function, run)
            except _Refusal as refusal:
                raise ModelError(f"{place}, line {refusal.line}: {refusal.text} (for {_with(function, arguments)})") from None
            law[value] = law.get(value, Fraction(0)) + run.probability
            if _bits(law[value]) > _LARGEST_PROBABILITY_BITS:
                raise ModelError(
                    f"{place}: a probability has more than {_LARGEST_PROBABILITY_BITS} bits; draw less often or with simpler numbers"
                )
            pending.extend(run.untaken)
        yield arguments, law


def _with(function: _Function, arguments: tuple[Fraction, ...]) -> str:
    return ", ".join(f"{name}={shown(value)}" for name, value in zip(_SIGNATURES[function.name], arguments, strict=True))


def _tabulate(function: _Function, spaces: dict[str, list[Fraction]], issues: list[str]) -> list[Any]:
    """Nested lists over the arguments, in their order; a transition's innermost lists are over the next state."""
    domains = [spaces[axis] for axis in _SIGNATURES[function.name]]
    agent, _, kind = function.name.partition("_agent_")
    states = spaces[f"{agent}_state"]
    known = frozenset(states)
    flat: list[Any] = []
    try:
        for arguments, law in _laws(function, domains):
            if kind == "reward":
                flat.extend(law)  # a function without draws has one value
                continue
            for value in law:
                if value not in known:
                    listed = ", ".join(map(shown, states[:10])) + (", ..." if len(states) > 10 else "")
                    raise ModelError(
                        f"environment.functions.{function.name}: the next state for {_with(function, arguments)} is {shown(value)},"
                        f" which is not in environment.{agent}_agent.state_space ({listed}); clamp or round it to one of these"
                    )
            flat.append([law.get(state, Fraction(0)) for state in states])
    except ModelError as error:
        issues.extend(error.issues)
        return []
    for domain in reversed(domains[1:]):
        flat = [flat[i : i + len(domain)] for i in range(0, len(flat), len(domain))]
    return flat


# From source lines to closures.


def _function(sources: dict[str, Any] | None, name: str, issues: list[str]) -> _Function | None:
    """One of the four functions, or None and an issue."""
    path = f"environment.functions.{name}"
    lines = _entry(sources, path, list, "a list of source lines", issues)
    if not lines:
        return None
    try:
        function = _translate(name, lines)
    except _Refusal as refusal:
        issues.append(f"{path}, line {refusal.line}: {refusal.text}")
        return None
    if name.endswith("_reward") and function.draws:
        issues.append(f"{path}, line {function.draws[0]}: a random reward is not supported; return its expected value")
        return None
    return function


def _translate(name: str, lines: list[Any]) -> _Function:
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, str):
            raise _Refusal(number, f"found {_found(line)}, expected one line of source text")
        if _NOT_IN_A_LINE.search(line):
            raise _Refusal(number, "the entry holds a line break or a character that is no text; give every source line its own entry")
    source = "\n".join(lines) + "\n"
    if len(lines) > _MOST_LINES or len(source) > _LARGEST_SOURCE:
        raise _Refusal(1, f"the function has more than {_MOST_LINES} lines or {_LARGEST_SOURCE} characters; shorten it")
    try:
        _check_nesting(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser's advice on style
            tree = ast.parse(source)
    except SyntaxError as error:
        raise _Refusal(min(error.lineno or 1, len(lines)), f"is not Python ({error.msg})") from None
    except (ValueError, RecursionError, MemoryError):
        raise _Refusal(1, "the function is nested too deeply to be read; simplify it") from None
    return _Translator(name, lines).function(tree)


def _check_nesting(source: str) -> None:
    """Bound what the parser would recurse on, with a tokenizer that does not recurse."""
    depth = tokens = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            tokens = 0 if token.type == tokenize.NEWLINE else tokens + 1
            depth += token.type == tokenize.INDENT or (token.type == tokenize.OP and token.string in "([{")
            depth -= token.type == tokenize.DEDENT or (token.type == tokenize.OP and token.string in ")]}")
            if depth > _DEEPEST_NESTING or tokens > _MOST_TOKENS:
                raise _Refusal(
                    token.start[0],
                    f"more than {_DEEPEST_NESTING} nested brackets and blocks or {_MOST_TOKENS} tokens in a statement; simplify it",
                )
    except tokenize.TokenError as error:
        raise SyntaxError(error.args[0], ("", error.args[1][0], 0, "")) from None


class _Translator:
    """Turns the syntax tree of one function into a :class:`_Function`; refuses every node that it does not know."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self.variables: set[str] = set(_SIGNATURES[name])
        self.draws: list[int] = []

    def function(self, tree: ast.Module) -> _Function:
        signature = f"def {self.name}({', '.join(_SIGNATURES[self.name])}):"
        match tree.body:
            case [ast.FunctionDef(name=name) as definition] if name == self.name:
                self.check_arguments(definition, signature)
            case [ast.FunctionDef(name=name), other, *_] if name == self.name:
                raise _Refusal(
                    other.lineno, f"found {self.text(other)}, expected nothing but the function; 'import random' belongs inside it"
                )
            case [other, *_]:
                raise _Refusal(
                    other.lineno, f"found {self.text(other)}, expected {signature!r}; 'import random' belongs inside the function"
                )
            case _:
                raise _Refusal(1, f"found no code, expected {signature!r}")
        nodes = 0
        for node in ast.walk(definition):
            nodes += 1
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                if node.id in (*_CALLABLE, "random"):
                    raise _Refusal(node.lineno, f"{node.id!r} may not be assigned; choose another name")
                self.variables.add(node.id)
        body = definition.body
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            body = body[1:]  # the docstring
        return _Function(self.name, self.block(body), definition.end_lineno or len(self.lines), tuple(self.draws), nodes)

    def check_arguments(self, definition: ast.FunctionDef, signature: str) -> None:
        given = definition.args
        special = (given.posonlyargs, given.kwonlyargs, given.defaults, given.vararg, given.kwarg, definition.decorator_list)
        if any(special) or tuple(argument.arg for argument in given.args) != _SIGNATURES[self.name]:
            raise _Refusal(
                definition.lineno, f"found {self.text(definition)}, expected {signature!r} without defaults, stars or decorators"
            )

    def text(self, node: ast.stmt | ast.expr) -> str:
        """The first line of a node's source, quoted; offsets count UTF-8 bytes."""
        end = node.end_col_offset if node.end_lineno == node.lineno else None
        return _found(self.lines[node.lineno - 1].encode()[node.col_offset : end].decode())

    def block(self, statements: Sequence[ast.stmt]) -> tuple[_Statement, ...]:
        return tuple(translated for statement in statements for translated in self.statement(statement))

    def statement(self, node: ast.stmt) -> tuple[_Statement, ...]:
        match node:
            case ast.Pass() | ast.AnnAssign(target=ast.Name(), value=None):
                return ()
            case ast.Import(names=[ast.alias(name="random", asname=None)]):
                return (_Assign(("random",), lambda run: Fraction(1)),)
            case ast.Import() | ast.ImportFrom():
                raise _Refusal(node.lineno, f"{self.text(node)} is not allowed; the only import is 'import random'")
            case ast.Assign(targets=targets, value=value):
                return (_Assign(tuple(map(self.target, targets)), self.expression(value)),)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                return (_Assign((self.target(target),), self.expression(value)),)
            case ast.AugAssign(target=target, op=operation, value=value):
                name = self.target(target)
                return (_Assign((name,), self.arithmetic(node, operation, _variable(name, node.lineno), self.expression(value))),)
            case ast.If():
                return (self.branches(node),)
            case ast.Return(value=ast.expr() as value):
                return (_Return(self.expression(value)),)
            case ast.Return():
                raise _Refusal(node.lineno, "a return without a value; return a number")
        raise _Refusal(
            node.lineno, f"{self.text(node)} is not allowed; allowed are assignments to names, if/elif/else, return, pass and import random"
        )

    def target(self, node: ast.expr) -> str:
        if not isinstance(node, ast.Name):
            raise _Refusal(node.lineno, f"{self.text(node)} may not be assigned; assign to plain names")
        return node.id

    def branches(self, node: ast.If) -> _Branch:
        """An ``if`` with its chain of ``elif``, which the syntax tree nests and which may be long: in a loop, not recursively."""
        chain = [node]
        while len(chain[-1].orelse) == 1 and isinstance(following := chain[-1].orelse[0], ast.If):
            chain.append(following)
        parts = [(self.expression(link.test), self.block(link.body)) for link in chain]
        otherwise = self.block(chain[-1].orelse)
        for condition, then in reversed(parts[1:]):
            otherwise = (_Branch(condition, then, otherwise),)
        return _Branch(*parts[0], otherwise)

    def expression(self, node: ast.expr, depth: int = 1) -> _Expression:
        """A closure that gives the expression's value in a run; ``depth`` counts the expressions from the outermost to this one."""
        if depth > _DEEPEST_EXPRESSION:
            raise _Refusal(node.lineno, f"an expression more than {_DEEPEST_EXPRESSION} levels deep; split it with assignments")
        inner = depth + 1
        match node:
            case ast.Constant():
                number = self.literal(node)
                return lambda run: number
            case ast.Name(id=name):
                if name not in self.variables:
                    raise _Refusal(
                        node.lineno, f"{name!r} is not a variable; variables are the arguments and the names that the function assigns"
                    )
                return _variable(name, node.lineno)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() | ast.Not() as operation, operand=operand):
                return _unary(operation, self.expression(operand, inner))
            case ast.BinOp(left=left, op=operator_, right=right):
                return self.arithmetic(node, operator_, self.expression(left, inner), self.expression(right, inner))
            case ast.BoolOp(op=junction, values=values):
                return _junction(junction, [self.expression(value, inner) for value in values])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                condition, then, otherwise = self.expression(test, inner), self.expression(body, inner), self.expression(orelse, inner)
                return lambda run: then(run) if condition(run) else otherwise(run)
            case ast.Compare():
                return self.comparison(node, inner)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="random")):
                raise _Refusal(
                    node.lineno,
                    "random.random() may only be compared with a number, as in random.random() < 0.2: its own law is not finite",
                )
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="choice")):
                return self.choice(node, inner)
            case ast.Call():
                return self.call(node, inner)
        raise _Refusal(
            node.lineno,
            f"{self.text(node)} is not allowed; allowed are numbers, variables, arithmetic, comparisons, and/or/not, x if c else y,"
            f" {_CALLS}",
        )

    def literal(self, node: ast.Constant) -> Fraction:
        """The rational that a literal denotes: of a decimal its text, not the double that the parser made of it."""
        if isinstance(node.value, int):
            return _bounded(Fraction(node.value), node.lineno)
        if not isinstance(node.value, float):
            raise _Refusal(node.lineno, f"{self.text(node)} is not a number; the functions compute with numbers only")
        text = self.lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()
        try:
            return _bounded(from_text(text.replace("_", "")), node.lineno)
        except ValueError:
            raise _Refusal(node.lineno, f"the exponent of {self.text(node)} is too large") from None

    def arithmetic(self, node: ast.BinOp | ast.AugAssign, operation: ast.operator, left: _Expression, right: _Expression) -> _Expression:
        compute, line = _ARITHMETIC.get(type(operation)), node.lineno
        if compute is None:
            raise _Refusal(line, f"{self.text(node)} is not allowed; arithmetic is + - * / // % **")

        def value(run: _Run) -> Fraction:
            try:
                return _bounded(Fraction(compute(left(run), right(run))), line)
            except ArithmeticError as error:
                raise _Refusal(line, "division by zero" if isinstance(error, ZeroDivisionError) else str(error)) from None

        return value

    def comparison(self, node: ast.Compare, depth: int) -> _Expression:
        sides = [node.left, *node.comparators]
        relations = [_RELATIONS[type(relation)] for relation in node.ops if type(relation) in _RELATIONS]
        if len(relations) < len(node.ops):
            raise _Refusal(node.lineno, f"{self.text(node)} is not allowed; comparisons are == != < <= > >=")
        match sides:
            case [ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="random")) as draw, threshold]:
                true_below = isinstance(node.ops[0], (ast.Lt, ast.LtE))
            case [threshold, ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="random")) as draw]:
                true_below = isinstance(node.ops[0], (ast.Gt, ast.GtE))
            case _:
                return _chain(relations, [self.expression(side, depth) for side in sides])
        if draw.args or draw.keywords or isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            raise _Refusal(node.lineno, f"{self.text(node)} is not allowed; compare random.random() with a number by < <= > or >=")
        self.draws.append(node.lineno)
        below, above = (Fraction(true_below), Fraction(not true_below))
        return _uniform(self.expression(threshold, depth), below, above, node.lineno)

    def choice(self, node: ast.Call, depth: int) -> _Expression:
        match node:
            case ast.Call(args=[ast.List(elts=[_, *_] as options)], keywords=[]):
                self.draws.append(node.lineno)
                return _choice([self.expression(option, depth) for option in options], node.lineno)
        raise _Refusal(node.lineno, f"{self.text(node)} has the wrong arguments; write random.choice([x, y, ...]) with the list in place")

    def call(self, node: ast.Call, depth: int) -> _Expression:
        line = node.lineno
        match node:
            case ast.Call(func=ast.Name(id="min" | "max" as name), args=[ast.List(elts=[_, *_] as parts)], keywords=[]):
                pass
            case ast.Call(func=ast.Name(id="min" | "max" as name), args=[_, _, *_] as parts, keywords=[]):
                pass
            case ast.Call(func=ast.Name(id="round" as name), args=[_] | [_, _] as parts, keywords=[]):
                pass
            case ast.Call(func=ast.Name(id="abs" | "int" as name), args=[_] as parts, keywords=[]):
                pass
            case ast.Call(func=ast.Name(id=name)) if name in _CALLABLE:
                raise _Refusal(
                    line,
                    f"{self.text(node)} has the wrong arguments;"
                    " write abs(x), int(x), round(x), round(x, digits), min(x, y) or min([x, y])",
                )
            case _:
                raise _Refusal(line, f"{self.text(node.func)} may not be called; allowed are {_CALLS}")
        values = [self.expression(part, depth) for part in parts]
        compute = _CALLABLE[name]
        return lambda run: compute([value(run) for value in values], line)


# The closures.


def _bounded(number: Fraction, line: int) -> Fraction:
    if _bits(number) > _LARGEST_NUMBER_BITS:
        raise _Refusal(line, f"a number of more than {_LARGEST_NUMBER_BITS} bits; keep the numbers shorter")
    return number


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """``base ** exponent`` where that is a rational, its size bounded before it is computed."""
    if exponent.denominator != 1:
        raise ArithmeticError(f"the exponent {shown(exponent)} is not an integer, and the power not a rational")
    if abs(exponent) * _bits(base) > 2 * _LARGEST_NUMBER_BITS:  # the power of a base of b >= 2 bits has at least e (b - 1) >= e b / 2
        raise ArithmeticError(f"the exponent {shown(exponent)} is too large")
    return Fraction(base ** int(exponent))


def _rounded(values: list[Fraction], line: int) -> Fraction:
    if len(values) == 1:
        return Fraction(round(values[0]))
    if values[1].denominator != 1 or abs(values[1]) > _MOST_DIGITS:
        raise _Refusal(line, f"cannot round to {shown(values[1])} digits, expected an integer from -{_MOST_DIGITS} to {_MOST_DIGITS}")
    return Fraction(round(values[0], int(values[1])))


_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction | int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_RELATIONS: Final[dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_CALLABLE: Final[dict[str, Callable[[list[Fraction], int], Fraction]]] = {
    "abs": lambda values, line: abs(values[0]),
    "min": lambda values, line: min(values),
    "max": lambda values, line: max(values),
    "round": _rounded,
    "int": lambda values, line: Fraction(math.trunc(values[0])),
}


def _variable(name: str, line: int) -> _Expression:
    def value(run: _Run) -> Fraction:
        if name not in run.variables:
            raise _Refusal(line, f"{name!r} is used before it is assigned")
        return run.variables[name]

    return value


def _unary(operation: ast.unaryop, operand: _Expression) -> _Expression:
    match operation:
        case ast.Not():
            return lambda run: Fraction(not operand(run))
        case ast.USub():
            return lambda run: -operand(run)
    return operand


def _junction(junction: ast.boolop, operands: list[_Expression]) -> _Expression:
    """``and`` / ``or`` as in Python: the first operand that decides, or the last; what follows is not evaluated."""
    decisive = isinstance(junction, ast.Or)

    def value(run: _Run) -> Fraction:
        for operand in operands[:-1]:
            number = operand(run)
            if bool(number) is decisive:
                return number
        return operands[-1](run)

    return value


def _chain(relations: list[Callable[[Fraction, Fraction], bool]], sides: list[_Expression]) -> _Expression:
    """``a < b <= c`` as in Python: every side is evaluated once, and none after the first comparison that fails."""

    def value(run: _Run) -> Fraction:
        left = sides[0](run)
        for relation, side in zip(relations, sides[1:], strict=True):
            right = side(run)
            if not relation(left, right):
                return Fraction(0)
            left = right
        return Fraction(1)

    return value


def _uniform(threshold: _Expression, below: Fraction, above: Fraction, line: int) -> _Expression:
    """``below`` with the probability that a uniform number on [0, 1) is below the threshold, otherwise ``above``."""

    def value(run: _Run) -> Fraction:
        _check_imported(run, line)
        p = min(max(threshold(run), Fraction(0)), Fraction(1))
        outcomes = [(truth, weight) for truth, weight in ((below, p), (above, 1 - p)) if weight > 0]
        return outcomes[run.draw([weight for _, weight in outcomes], line)][0]

    return value


def _choice(options: list[_Expression], line: int) -> _Expression:
    """One of the options, each with the same probability; like Python, all are evaluated."""

    def value(run: _Run) -> Fraction:
        _check_imported(run, line)
        values = [option(run) for option in options]
        return values[run.draw([Fraction(1, len(values))] * len(values), line)]

    return value


def _check_imported(run: _Run, line: int) -> None:
    if "random" not in run.variables:
        raise _Refusal(line, "random is used before it is imported; put 'import random' on a line of the function above")
