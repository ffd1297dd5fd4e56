"""form check: the findings on forms for their authors, grouped, with places and how to mend them.

http://hl7.org/fhir/R4/questionnaire.html#invs
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fhir_service.fhir.canonical import read_canonical
from fhir_service.fhir.issues import Issue, NotUnderstood, operation_outcome

if TYPE_CHECKING:
    from fhir_service.sdc.form_keys import FormKey

_WRONG: Final = frozenset({"fatal", "error"})
_ORDER: Final = ("fatal", "error", "warning", "information")


class Files:
    """The forms among the files that are checked: what they say of each other can be decided."""

    def __init__(self, forms: Iterable[Mapping[str, Any]]) -> None:
        self._forms = tuple(forms)

    def questionnaire(self, canonical: str) -> Mapping[str, Any] | None:
        """The form with this canonical; None when it is in none of the files."""
        named = read_canonical(canonical)
        for form in self._forms:
            if named is not None and named.names(form.get("url"), form.get("version")):
                return form
        return None

    def value_set(self, canonical: str, within: Mapping[str, Any]) -> None:
        """None: files of value sets are not read here."""
        del canonical, within


def findings(body: bytes, known: Files, grade: float) -> tuple[Issue, ...]:
    """Every finding on the form in this file, and, where none is an error, advice on its texts."""
    from fhir_service.fhir.reading import read_json  # noqa: PLC0415  costs CPU
    from fhir_service.sdc.form_lints import lint_questionnaire  # noqa: PLC0415
    from fhir_service.sdc.form_rules import check_questionnaire  # noqa: PLC0415

    try:
        form = read_json(body)
    except NotUnderstood as refusal:
        return refusal.issues
    found = check_questionnaire(form, known)
    if is_broken(found):
        return found
    return (*found, *lint_questionnaire(form, grade))


def is_broken(found: Sequence[Issue]) -> bool:
    """Whether one of them is an error."""
    return any(issue.severity in _WRONG for issue in found)


def show(path: Path, found: Sequence[Issue]) -> None:
    """Print the findings on one form, key by key, the gravest first, and what they come to."""
    from fhir_service.sdc.form_keys import FORM_KEYS  # noqa: PLC0415  `--help` needs none of it

    groups: dict[tuple[int, str], list[Issue]] = defaultdict(list)
    for issue in found:
        groups[_ORDER.index(issue.severity), issue.key].append(issue)
    for grave_and_key in sorted(groups, key=lambda each: each[0]):
        key = grave_and_key[1]
        _show_group(key, groups[grave_and_key], FORM_KEYS.get(key))
    bars = any(issue.blocks_offer for issue in found)
    verdict = (
        "broken" if is_broken(found) else "good to store, not to be offered" if bars else "good"
    )
    click.echo(f"{path}: {verdict}{_counted(found)}")


def _show_group(key: str, issues: Sequence[Issue], known: FormKey | None) -> None:
    barred = ", bars an offer" if issues[0].blocks_offer else ""
    meaning = f": {known.meaning}" if known else ""
    click.echo(f"{issues[0].severity}{barred}: {key}{meaning}")
    if known:
        click.echo(f"  how to mend: {known.mend}")
    for issue in issues:
        place = f"{issue.expression}: " if issue.expression else ""
        click.echo(f"  {place}{issue.says}")


def _counted(found: Sequence[Issue]) -> str:
    counts = [(sum(one.severity == each for one in found), each) for each in _ORDER]
    told = ", ".join(
        f"{count} {severity}{'s' if count > 1 and severity in ('error', 'warning') else ''}"
        for count, severity in counts
        if count
    )
    return f" ({told})" if told else ""


def as_outcome(findings_of: Mapping[Path, Sequence[Issue]]) -> dict[str, Any]:
    """One OperationOutcome of all files; ``diagnostics`` of an issue names its file."""
    whole = operation_outcome(issue for found in findings_of.values() for issue in found)
    names = [str(path) for path, found in findings_of.items() for _ in found]
    for made, name in zip(whole["issue"], names, strict=False):  # "all ok" has no file
        made["diagnostics"] = name
    return whole
