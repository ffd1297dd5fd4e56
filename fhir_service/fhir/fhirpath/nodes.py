"""The items of a collection: values of FHIR data with their type, and plain values of FHIRPath.

A plain value is a bool, int, Decimal, str, Temporal or Quantity. What comes from a resource is a
Node. http://hl7.org/fhir/R4/fhirpath.html#types, http://hl7.org/fhirpath/N1/#model-information
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from fhir_service.fhir.fhirpath.dates_times import Temporal, read_moment, read_time
from fhir_service.fhir.fhirpath.quantity import Quantity, of_fhir, to_fhir
from fhir_service.fhir.fhirpath.types import UNKNOWN, Choice, Kind, kinds, value_suffixes

Collection = list[Any]


class Node:
    """A value of FHIR data.

    ``value`` is as JSON has it; None where a primitive has extensions alone. ``beside`` is what
    stands in the property with the underscore. ``parent`` is the object it stands in; where it is
    given as a function, this is called when somebody asks.
    """

    __slots__ = ("_parent", "beside", "kind", "value")

    def __init__(
        self,
        value: Any,
        kind: Kind,
        parent: Node | Callable[[], Node] | None = None,
        beside: Any = None,
    ) -> None:
        self.value = value
        self.kind = kind
        self._parent = parent
        self.beside = beside

    @property
    def parent(self) -> Node | None:
        """The object it stands in; None for a resource, or a value by itself."""
        found = self._parent
        if found is None or type(found) is Node:
            return found
        made: Node = found()  # type: ignore[operator]
        self._parent = made
        return made


_ITEM_OF_FORM: Final = "Questionnaire.item"
_ITEM_OF_RESPONSE: Final = "QuestionnaireResponse.item"


def node(value: Any, type_name: str | None = None, parent: Node | None = None) -> Any:
    """A JSON value as an item: objects become a Node of their type, other values stay plain.

    The type is ``type_name``, else the resource's own. An object with a linkId is an item: of a
    form where it has a ``type``, of a response where it has none.
    """
    if isinstance(value, Node | Temporal | Quantity):
        return value
    if type_name is not None:
        return Node(value, kinds().get(type_name, UNKNOWN), parent)
    if not isinstance(value, Mapping):
        return Decimal(str(value)) if isinstance(value, float) else value
    return Node(value, _kind_of(value), parent)


def _kind_of(value: Mapping[str, Any]) -> Kind:
    name = value.get("resourceType")
    if isinstance(name, str):
        return kinds().get(name, UNKNOWN)
    if isinstance(value.get("linkId"), str):
        return kinds()[_ITEM_OF_FORM if "type" in value else _ITEM_OF_RESPONSE]
    return UNKNOWN


def nodes(values: Any) -> Collection:
    """A JSON value, or a list of them, as a collection."""
    given = values if isinstance(values, list | tuple) else [values]
    return [node(one) for one in given if one is not None]


def members(parent: Node, name: str, into: Collection) -> None:
    """Append the children of this name, ``value`` for any ``value[x]``."""
    value = parent.value
    if not isinstance(value, dict):
        if parent.beside and name in _OF_PRIMITIVES:
            _append(parent.beside, name, kinds()["Element"].children[name], parent, into)
        return
    kind = parent.kind
    if kind is UNKNOWN:
        _members_of_unknown(value, name, parent, into)
        return
    of = kind.children.get(name)
    if of is None:
        return
    if type(of) is Choice:
        for key in value:
            plain = key[1:] if key[:1] == "_" else key
            if plain in of and (plain is key or plain not in value):
                _append(value, plain, of[plain], parent, into)
        return
    _append(value, name, of, parent, into)


_OF_PRIMITIVES: Final = frozenset({"extension", "id"})


def _members_of_unknown(value: dict[str, Any], name: str, parent: Node, into: Collection) -> None:
    if name == "extension":
        _append(value, name, kinds()["Extension"], parent, into)
    elif name in value or "_" + name in value:
        _append(value, name, UNKNOWN, parent, into)
    else:
        suffixes = value_suffixes()
        for key in value:
            if key.startswith(name) and key[len(name) :] in suffixes:
                _append(value, key, suffixes[key[len(name) :]], parent, into)


def _append(
    value: Mapping[str, Any], key: str, of: Kind | Choice, parent: Node, into: Collection
) -> None:
    found = value.get(key)
    kind = of if type(of) is Kind else UNKNOWN
    if kind.primitive or kind is UNKNOWN:
        beside = value.get("_" + key)
        if beside is not None:
            _append_pairs(found, beside, kind, parent, into)
            return
    if found is None:
        return
    if kind.name == "Resource":
        into.extend(node(one, None, parent) for one in _as_list(found) if isinstance(one, dict))
    elif isinstance(found, list):
        into.extend(Node(one, kind, parent) for one in found if one is not None)
    else:
        into.append(Node(found, kind, parent))


def _append_pairs(found: Any, beside: Any, kind: Kind, parent: Node, into: Collection) -> None:
    values, besides = _as_list(found), _as_list(beside)
    for number in range(max(len(values), len(besides))):
        one = values[number] if number < len(values) else None
        other = besides[number] if number < len(besides) else None
        if one is not None or other is not None:
            into.append(Node(one, kind, parent, other))


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def children(parent: Any) -> Collection:
    """All children of an item, in the order of the document; a plain value has none."""
    made: Collection = []
    if type(parent) is not Node:
        return made
    value, kind = parent.value, parent.kind
    if type(value) is not dict:
        value, kind = parent.beside, kinds()["Element"]
        if type(value) is not dict:
            return made
    properties = kind.properties
    for key, found in value.items():
        of = properties.get(key, UNKNOWN)
        if of.primitive and type(found) is not list and "_" + key not in value:
            made.append(Node(found, of, parent))
        elif key[:1] == "_":
            if key[1:] not in value:
                _append(value, key[1:], properties.get(key[1:], UNKNOWN), parent, made)
        elif key != "resourceType":
            if of is UNKNOWN and key == "extension":
                of = kinds()["Extension"]
            _append(value, key, of, parent, made)
    return made


def _decimal(item: Node) -> Any:
    value = item.value
    return Decimal(value) if type(value) is int else value


def _moment(as_type: Any) -> Callable[[Node], Any]:
    def read(item: Node) -> Any:
        value = item.value
        return (read_moment(value, as_type) or value) if isinstance(value, str) else value

    return read


def _time(item: Node) -> Any:
    value = item.value
    return (read_time(value) or value) if isinstance(value, str) else value


def _quantity(item: Node) -> Any:
    return of_fhir(item.value) or item


def _as_it_is(item: Node) -> Any:
    return item if isinstance(item.value, dict | list) else item.value


_READERS: Final[Mapping[str, Callable[[Node], Any]]] = {
    "decimal": _decimal,
    "date": _moment("Date"),
    "dateTime": _moment("DateTime"),
    "time": _time,
    "quantity": _quantity,
}


def plain(item: Any) -> Any:
    """The value of an item as FHIRPath's own types have it; None where it has none.

    A Node that stands for no such type is given back itself.
    """
    if type(item) is not Node:
        return item
    family = item.kind.family
    if family in ("string", ""):
        return item.value if type(item.value) is str else _as_it_is(item)
    read = _READERS.get(family)
    return item.value if read is None else read(item)


def to_json(item: Any) -> Any:
    """The item as JSON: data as it is there, a computed date as text, a Quantity as object."""
    if type(item) is Node:
        return item.value
    if type(item) is Temporal:
        return item.written()
    if type(item) is Quantity:
        return to_fhir(item)
    return item


def type_of(item: Any) -> tuple[str, str]:
    """(namespace, name) of its type; ("FHIR", "") where it is not known."""
    if type(item) is Node:
        if item.kind.name or type(item.value) not in _SYSTEM:
            return "FHIR", item.kind.name
        item = item.value
    if isinstance(item, Temporal):
        return "System", item.type
    return "System", _SYSTEM[type(item)]


_SYSTEM: Final[Mapping[type, str]] = {
    bool: "Boolean",
    int: "Integer",
    Decimal: "Decimal",
    str: "String",
    Quantity: "Quantity",
}
