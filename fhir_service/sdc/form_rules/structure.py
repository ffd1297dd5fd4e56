"""Rules of form structure: linkIds, groups and displays, pages, words, sizes.

http://hl7.org/fhir/R4/questionnaire.html#invs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import Place, Tree

_LONGEST_LINK_ID = 255


def link_id(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q1, que-2: every item has a linkId of its own, of 255 characters at most."""
    name = place.link_id
    if len(name) > _LONGEST_LINK_ID:
        yield place.tell("form-link-id-long", "the linkId is too long.", "linkId")
    elif tree.by_link_id[name] is not place:
        yield place.tell("form-link-id-twice", "another item has the same linkId.", "linkId")


def group_or_display(place: Place, _: Tree) -> Iterator[Issue]:
    """Q2, que-1, que-3, que-6, que-8, que-9: what groups and displays may have."""
    raw, type_ = place.raw, place.type
    if type_ == "group" and not raw.get("item"):
        yield place.tell("form-group-empty", "a group without items has nothing to show.")
    if type_ == "display":
        for name in ("item", "code", "required", "repeats", "readOnly"):
            if name in raw:
                yield place.tell("form-display", f"a display has no {name}.", name)
    if type_ in ("group", "display") and "initial" in raw:
        says = "groups and displays have no initial value."
        yield place.tell("form-initial-type", says, "initial")


def abstract(place: Place, _: Tree) -> Iterator[Issue]:
    """Q11: the type question is abstract."""
    if place.type == "question":
        yield place.tell(
            "form-question-abstract", "the type question can not be answered.", "type"
        )


_BESIDE_PAGES = frozenset({"page", "header", "footer"})


def page(place: Place, tree: Tree) -> Iterator[Issue]:
    """Q26: pages are groups at the root, and then all there is are pages, header and footer.

    http://hl7.org/fhir/uv/sdc/STU4/rendering.html#page
    """
    control = place.control()
    if control == "page" and (place.parent is not None or place.type != "group"):
        yield place.tell("form-page-place", "a page is a group at the root of the form.")
    elif control not in _BESIDE_PAGES and place.parent is None and tree.paged:
        yield place.tell("form-page-mixed", "it stands beside pages and is none.")


def text(place: Place, _: Tree) -> Iterator[Issue]:
    """Q34: there is something to read, unless the item is hidden or a group that only orders."""
    hidden = place.value(ext.HIDDEN) is True
    has_words = "text" in place.raw or "_text" in place.raw or "prefix" in place.raw
    if not has_words and not hidden and place.type != "group":
        yield place.tell("form-text-missing", "the item has no text.")


def modifier(place: Place, _: Tree) -> Iterator[Issue]:
    """Q33: no modifier extension is understood here, and one may change what the item asks."""
    if "modifierExtension" in place.raw:
        says = "a modifier extension stands here that is not understood."
        yield place.tell("form-modifier-extension", says, "modifierExtension")


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    link_id,
    group_or_display,
    abstract,
    page,
    text,
    modifier,
)
