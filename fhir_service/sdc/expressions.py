"""The expressions of a form: what each one decides, and which variables it knows.

Each is compiled once per form version, when it is first asked for: a form of thousands is read at
once. https://hl7.org/fhir/uv/sdc/STU4/expressions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fhir_service.sdc import extensions as ext

if TYPE_CHECKING:
    from datetime import date

    from fhir_service.fhir.fhirpath import Expression
    from fhir_service.sdc.plans import Plan

Json = Mapping[str, Any]

FHIRPATH: Final = "text/fhirpath"
LAUNCH_CONTEXT: Final = ext.SDC + "launchContext"
RESERVED: Final = frozenset(
    {"resource", "rootResource", "context", "questionnaire", "qitem", "ucum", "sct", "loinc"}
)
"""Names with a meaning of their own, which a variable can not take."""


class NotDecided(Exception):
    """An expression can not tell: ``says`` is why, for the form's author, without any answer.

    ``costly`` when it is a matter of our limits.
    """

    def __init__(self, says: str, *, costly: bool = False) -> None:
        super().__init__(says)
        self.says = says
        self.costly = costly


class Scope:
    """The names that an expression knows: those of its own element, then those around it.

    A variable knows of its own element only those that stand before it.
    http://hl7.org/fhir/R4/extension-variable.html
    """

    __slots__ = ("before", "names", "outer")

    def __init__(
        self, names: Mapping[str, Variable], outer: Scope | None = None, before: int | None = None
    ) -> None:
        self.names = names
        self.outer = outer
        self.before = before

    def find(self, name: str) -> Variable | None:
        """The variable of this name; None where there is none.

        Raises NotDecided for one that is only defined later, which is how circles begin.
        """
        scope: Scope | None = self
        later = False
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                if scope.before is None or found.number < scope.before:
                    return found
                later = True
            scope = scope.outer
        if later:
            raise NotDecided(f"%{name} is used before it is defined, or in a circle.")
        return None

    def with_variables(self, element: Json, level: int) -> Scope:
        """What is known inside an element that may define variables of its own."""
        given = [one for one in element.get("extension", ()) if one.get("url") == ext.VARIABLE]
        if not given:
            return self
        names: dict[str, Variable] = {}
        inner = Scope(names, self)
        for number, one in enumerate(given):
            raw = one.get("valueExpression")
            name = raw.get("name") if isinstance(raw, Mapping) else None
            if isinstance(name, str) and name not in RESERVED and name not in names:
                known = Scope(names, self, number)
                formula = Formula("variable", raw, known, element)
                names[name] = Variable(name, formula, level, number)
        return inner


class Formula:
    """One expression. ``rule`` is what it decides; ``element`` is the item (or form) it is of.

    ``of_day`` is what it gave last, with the day, where it hangs on the day alone.
    """

    __slots__ = ("_compiled", "_grounded", "element", "of_day", "raw", "rule", "scope")

    def __init__(self, rule: str, raw: Any, scope: Scope, element: Json) -> None:
        self.rule = rule
        self.raw = raw
        self.scope = scope
        self.element = element
        self._compiled: Expression | NotDecided | None = None
        self._grounded: bool | None = None
        self.of_day: tuple[date | None, list[Any]] | None = None

    @property
    def compiled(self) -> Expression:
        """The expression, ready to be evaluated. Raises NotDecided for one that can not be."""
        found = self._compiled
        if found is None:
            found = self._compiled = self._compile()
        if isinstance(found, NotDecided):
            raise NotDecided(found.says, costly=found.costly)
        return found

    @property
    def grounded(self) -> bool:
        """Whether its value is the same wherever it stands, or none at all."""
        if self._grounded is None:
            try:
                self._grounded = self._is_grounded()
            except (NotDecided, RecursionError):
                self._grounded = False
        return self._grounded

    def _is_grounded(self) -> bool:
        """Whether the variables it uses are of the form, and grounded themselves."""
        compiled = self.compiled
        if compiled.closed or not compiled.grounded:
            return compiled.closed
        variables = (self.scope.find(name) for name in compiled.names)
        return all(one is None or (one.level == 0 and one.formula.grounded) for one in variables)

    def _compile(self) -> Expression | NotDecided:
        from fhir_service.fhir.fhirpath import (  # noqa: PLC0415  only a form with one needs it
            ExpressionError,
            TooCostly,
            compile_expression,
        )

        raw = {"expression": self.raw} if isinstance(self.raw, str) else self.raw
        if not isinstance(raw, Mapping) or not isinstance(raw.get("expression"), str):
            return NotDecided("The expression has no text.")
        language = raw.get("language", FHIRPATH)
        if language != FHIRPATH:
            return NotDecided(f"The language {str(language)[:60]} is not evaluated here.")
        try:
            return compile_expression(raw["expression"])
        except ExpressionError as error:
            return NotDecided(error.says, costly=isinstance(error, TooCostly))


class Variable:
    """A variable. ``level`` is how many items lie around what it is of, itself counted."""

    __slots__ = ("formula", "level", "name", "number")

    def __init__(self, name: str, formula: Formula, level: int, number: int) -> None:
        self.name = name
        self.formula = formula
        self.level = level
        self.number = number


class Constraint:
    """An invariant, by the old extension or the new one.

    http://hl7.org/fhir/extensions/StructureDefinition-targetConstraint.html,
    http://hl7.org/fhir/R4/extension-questionnaire-constraint.html
    """

    __slots__ = ("formula", "grave", "human", "key", "locations")

    def __init__(self, url: str, parts: ext.Extensions, scope: Scope, element: Json) -> None:
        rule = url.rsplit("/", maxsplit=1)[-1]
        self.key = str(ext.value(parts, "key") or "")
        self.grave = ext.value(parts, "severity") != "warning"
        self.human = _words(parts["human"][0]) if "human" in parts else {}
        self.formula = Formula(rule, ext.value(parts, "expression"), scope, element)
        self.locations = tuple(
            Formula(rule, text, scope, element) for text in ext.values(parts, "location")
        )


def _words(extension: Json) -> Mapping[str, str]:
    name = next((key for key in extension if key.startswith("value")), "valueString")
    return ext.words_of(extension, name)


class Toggle:
    """Options (type, value) that are offered only where an expression is true."""

    __slots__ = ("formula", "options")

    def __init__(self, parts: ext.Extensions, scope: Scope, element: Json) -> None:
        from fhir_service.sdc.item_reading import choice  # noqa: PLC0415  a circle otherwise

        found = (choice(one, "value") for one in parts.get("option", ()))
        self.options = tuple(one for one in found if one is not None)
        raw = ext.value(parts, "expression")
        self.formula = Formula("answerOptionsToggleExpression", raw, scope, element)


class Computed:
    """An element of an item whose value an expression gives.

    ``name`` is the element; for an extension its url, with its ``number`` among those of this url
    and the ``key`` (valueDate) that its value has.
    """

    __slots__ = ("formula", "key", "name", "number")

    def __init__(self, name: str, number: int, key: str, formula: Formula) -> None:
        self.name = name
        self.number = number
        self.key = key
        self.formula = formula


class ItemExpressions:
    """The expressions of one item, or of the form.

    ``effective`` is the item as its computed values made it last, with these values: most often
    they are those of the response before. ``told`` names those that rules evaluate.
    """

    __slots__ = (
        "_grounded",
        "answers",
        "calculated",
        "computed",
        "constraints",
        "effective",
        "enable",
        "toggles",
        "told",
        "unread",
    )  # fmt: skip

    def __init__(self, element: Json, scope: Scope) -> None:
        extensions = ext.by_url(element.get("extension"))

        def formulas(url: str, rule: str) -> tuple[Formula, ...]:
            given = extensions.get(url, ())
            return tuple(Formula(rule, ext.value_of(one), scope, element) for one in given)

        self.enable = formulas(ext.ENABLE_WHEN_EXPRESSION, "enableWhenExpression")
        self.calculated = formulas(ext.CALCULATED_EXPRESSION, "calculatedExpression")
        self.answers = formulas(ext.ANSWER_EXPRESSION, "answerExpression")
        self.toggles = tuple(
            Toggle(ext.by_url(one.get("extension")), scope, element)
            for one in extensions.get(ext.OPTIONS_TOGGLE, ())
        )
        self.constraints = tuple(
            Constraint(url, ext.by_url(one.get("extension")), scope, element)
            for url in (ext.CONSTRAINT, ext.TARGET_CONSTRAINT)
            for one in extensions.get(url, ())
        )
        self.computed = (*_elements(element, scope), *_limits(extensions, scope, element))
        self.unread = tuple(_unread(element, extensions))
        self.effective: tuple[list[Any], Plan] | None = None
        names = ("answers", "toggles", "calculated", "constraints", "unread")
        self.told = tuple(name for name in names if getattr(self, name))
        self._grounded: bool | None = None

    @property
    def enabled_alike(self) -> bool:
        """Whether its enableWhenExpressions say the same of every instance."""
        if self._grounded is None:
            self._grounded = all(one.grounded for one in self.enable)
        return self._grounded


COMPUTED_ELEMENTS: Final = frozenset(
    {"required", "repeats", "readOnly", "maxLength", "answerValueSet"}
)
_WORDS: Final = frozenset({"text", "prefix", "title"})
"""Elements whose computed value no rule asks for."""

COMPUTED_LIMITS: Final = (
    ext.MIN_VALUE,
    ext.MAX_VALUE,
    ext.MIN_QUANTITY,
    ext.MAX_QUANTITY,
    ext.MAX_DECIMAL_PLACES,
    ext.MIN_LENGTH,
    ext.REGEX,
    ext.SLIDER_STEP,
    ext.MAX_SIZE,
    ext.MIN_OCCURS,
    ext.MAX_OCCURS,
)
_EXPRESSION_URLS: Final = (ext.CQF_EXPRESSION, ext.CQF_CALCULATED_VALUE)


def computed_by(extension: Json) -> tuple[str, Any] | None:
    """(name of its value, Expression) of an extension whose value is computed; None for others.

    The expression stands on the value, or on the extension itself.
    """
    for key, value in extension.items():
        if key.startswith("_value"):
            raw = _expression(value)
            if raw is not None:
                return key[1:], raw
    raw = _expression(extension)
    if raw is None:
        return None
    return next((key for key in extension if key.startswith("value")), ""), raw


def _expression(element: Any) -> Any:
    """The Expression that gives an element its value, by the new extension or the old one."""
    given = ext.by_url(element.get("extension")) if isinstance(element, Mapping) else {}
    return next((ext.value(given, url) for url in _EXPRESSION_URLS if url in given), None)


def _elements(element: Json, scope: Scope) -> Iterator[Computed]:
    for name, sibling in element.items():
        if name[:1] == "_" and name[1:] in COMPUTED_ELEMENTS:
            raw = _expression(sibling)
            if raw is not None:
                formula = Formula(f"computed {name[1:]}", raw, scope, element)
                yield Computed(name[1:], 0, "", formula)


def _limits(extensions: ext.Extensions, scope: Scope, element: Json) -> Iterator[Computed]:
    for url in COMPUTED_LIMITS:
        for number, one in enumerate(extensions.get(url, ())):
            found = computed_by(one)
            if found is not None:
                rule = "computed " + url.rsplit("/", maxsplit=1)[-1]
                yield Computed(url, number, found[0], Formula(rule, found[1], scope, element))


def _unread(element: Json, extensions: ext.Extensions) -> Iterator[str]:
    """The expressions of an element that no rule of this service reads."""
    for url in _EXPRESSION_URLS:
        if url in extensions:
            yield url.rsplit("/", maxsplit=1)[-1]
    for name, sibling in element.items():
        known = name[1:] in COMPUTED_ELEMENTS or name[1:] in _WORDS
        if name[:1] == "_" and not known and _expression(sibling) is not None:
            yield f"computed {name[1:]}"


def launched(questionnaire: Json) -> frozenset[str]:
    """The names of what a form is given where it is launched, which is not known on the server.

    https://hl7.org/fhir/uv/sdc/STU4/StructureDefinition-sdc-questionnaire-launchContext.html
    """
    found = set()
    for one in questionnaire.get("extension", ()):
        if one.get("url") == LAUNCH_CONTEXT:
            name = ext.value(ext.by_url(one.get("extension")), "name")
            code = name.get("code") if isinstance(name, Mapping) else name
            if isinstance(code, str):
                found.add(code)
    return frozenset(found)
