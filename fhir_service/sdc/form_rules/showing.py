"""Rules of what our patient's page can show: what it can not, bars the form from being offered.

Nothing is dropped in silence: each item that the page would show in part only is named.
http://hl7.org/fhir/uv/sdc/STU4/rendering.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fhir_service.fhir.issues import Issue
from fhir_service.sdc import extensions as ext
from fhir_service.sdc.form_rules.tree import ROOT, Place, Tree, finding

KEY: Final = "form-not-shown"

_MEDIA: Final = (ext.SDC + "itemMedia", ext.SDC + "itemAnswerMedia")
_CRITICAL: Final = ext.CORE + "rendering-criticalExtension"
_ONE_ONLY: Final = frozenset({"boolean", "date", "dateTime", "time", "quantity", "text"})
_FILES: Final = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/gif", "application/pdf"}
)
_NOT_QUESTIONS: Final = frozenset({"group", "display"})
_SHOWN: Final = frozenset(
    {
        ext.HIDDEN, ext.ITEM_CONTROL, ext.OPTION_EXCLUSIVE, ext.ENTRY_FORMAT, ext.SLIDER_STEP,
        ext.UNIT, ext.UNIT_OPTION, ext.MIN_OCCURS, ext.MAX_OCCURS, ext.TRANSLATION,
        ext.SDC + "openLabel",
    }
)  # fmt: skip
"""What a form may call critical, since the page heeds it."""


def several(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: several answers, of the types that the page takes several of."""
    if not place.raw.get("repeats") or place.type in _NOT_QUESTIONS or _is_hidden(place):
        return
    chosen = place.raw.get("answerOption") or place.raw.get("answerValueSet")
    if place.type in _ONE_ONLY and not chosen and not place.has(ext.ANSWER_EXPRESSION):
        yield place.tell(KEY, f"the page takes one answer of type {place.type}.", "repeats")
    if any(not _explains(item) for item in place.raw.get("item", ())):
        says = "the page asks no questions under each of several answers."
        yield place.tell(KEY, says, "item")


def media(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: pictures and sounds that belong to an item or to one of its options."""
    options = place.raw.get("answerOption", ())
    own = place.has(*_MEDIA)
    if own or any(one.get("url") in _MEDIA for each in options for one in _extensions(each)):
        yield place.tell(KEY, "the page shows no pictures and plays no sounds of a form.")


def critical(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: what the form says must be heeded where it is shown."""
    for url in ext.values(place.extensions, _CRITICAL):
        if url not in _SHOWN:
            yield place.tell(KEY, "the form calls something critical that the page does not heed.")


def units(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: units out of a value set, or of the patient's own."""
    if place.type != "quantity" or _is_hidden(place) or place.has(ext.UNIT, ext.UNIT_OPTION):
        return
    if place.has(ext.UNIT_VALUE_SET, ext.UNIT_OPEN):
        yield place.tell(KEY, "the page offers the units that the form lists; it lists none.")


def files(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: files of a kind that the page takes."""
    kinds = ext.values(place.extensions, ext.MIME_TYPE)
    if place.type == "attachment" and kinds and not _FILES.intersection(map(str, kinds)):
        yield place.tell(KEY, "the page takes pictures and PDF, and the form none of them.")


def own_words(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: options beside which an answer of one's own may stand, on what is no open-choice."""
    said = place.value(ext.ANSWER_CONSTRAINT)
    if said in ("optionsOrType", "optionsOrString") and place.type != "open-choice":
        yield place.tell(KEY, "the page offers own words beside options in an open-choice alone.")


def signature(place: Place, _: Tree) -> Iterator[Issue]:
    """Q37: nobody can sign on the page."""
    if place.has(ext.SIGNATURE_REQUIRED):
        yield place.tell(KEY, "nothing can be signed on the page.")


def signed_form(tree: Tree) -> Iterator[Issue]:
    """Q37: the same of the whole form."""
    if ext.SIGNATURE_REQUIRED in tree.extensions:
        yield finding(KEY, "Nothing can be signed on the patient's page.", ROOT)


def _is_hidden(place: Place) -> bool:
    return any(one.value(ext.HIDDEN) is True for one in (place, *place.around()))


def _explains(item: Mapping[str, object]) -> bool:
    return item.get("type") == "display"


def _extensions(element: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = element.get("extension")
    return found if isinstance(found, list) else []


RULES: Final[tuple[Callable[[Place, Tree], Iterator[Issue]], ...]] = (
    several,
    media,
    critical,
    units,
    files,
    own_words,
    signature,
)

FORM_RULES: Final[tuple[Callable[[Tree], Iterator[Issue]], ...]] = (signed_form,)
