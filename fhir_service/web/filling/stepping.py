"""One step of a form: shown, and taken when it comes back.

It is saved first, whatever is wrong with it; what comes next is decided only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response, request

from fhir_service.fhir.issues import Issue, NotHere, NotUnderstood, NotValid, Stale
from fhir_service.web import pages
from fhir_service.web.filling import drafts, hinting, looking
from fhir_service.web.filling.doors import FORMS, Clinic
from fhir_service.web.filling.fields import Entries
from fhir_service.web.filling.files import Files, Sent
from fhir_service.web.filling.judging import findings
from fhir_service.web.filling.lens import Lens
from fhir_service.web.filling.merging import merge
from fhir_service.web.filling.page_of import Screen, View, to
from fhir_service.web.filling.problems import Problem, tell
from fhir_service.web.filling.reading import Reading
from fhir_service.web.filling.showing import Showing, Shown
from fhir_service.web.filling.steps import Step
from fhir_service.workflow import filling
from fhir_service.workflow.site import Site

_ANSWERABLE: Final = frozenset({"group", "repeat", "instance", "display", "readonly"})
_LONGEST_VERSION: Final = 9
_TOLD: Final = "told"
_NO_ANSWERS: Final = frozenset({"csrf", "v", "go", _TOLD})


def step_view(site: Site, clinic: Clinic) -> View:
    """What answers /forms/<id>/<number>."""

    def view(id_: str, number: int) -> Response:
        screen = Screen.of(site, clinic, id_)
        if not 1 <= number <= len(screen.steps):
            raise NotHere("There is no such step.")
        if screen.found.sent is not None and screen.found.draft is None:
            return to(screen, "sent")
        step = screen.steps[number - 1]
        if request.method == "POST":
            return _answered(screen, step)
        typed = drafts.typed_in(screen.found.response)
        return _shown(screen, step, screen.found.response, screen.found.version, typed, ())

    return view


def _answered(screen: Screen, step: Step) -> Response:
    """A step that came back: saved first, then what comes next."""
    auto = request.form.get("go") == "autosave"
    began = version_sent(request.form.get("v"))
    base = filling.version_of(screen.site, screen.caller, screen.found, began)
    lens = screen.lens(base)
    files = _files()
    reading = Reading(
        lens, step, Entries(request.form.to_dict(flat=False)), files, screen.offer(lens),
        screen.language, screen.site.zone,
    )  # fmt: skip
    mine = reading.draft()
    conflicts: list[str] = []
    response = mine
    if began != screen.found.version:
        response, conflicts = merge(screen.form.items, base, screen.found.response, mine)
    if auto and conflicts:
        return Response(status=409)
    now, zone = screen.site.clock.now(), screen.site.zone
    response = drafts.calculated(screen.form, response, now, zone)
    try:
        kept = filling.save(screen.site, screen.caller, screen.session, screen.found, response)
    except Stale:  # another device was quicker by a moment: begin again with what it saved
        if auto:
            return Response(status=409)
        return _answered(Screen.of(screen.site, screen.clinic, screen.found.id), step)
    except NotValid as refused:
        return _kept_as_typed(screen, step, refused, auto=auto)
    if auto:
        return Response(status=204, headers={"X-Version": str(kept.stored.version)})
    return _go_on(screen, step, response, kept.stored.version, files, conflicts)


def _kept_as_typed(screen: Screen, step: Step, refused: NotValid, *, auto: bool) -> Response:
    """What the record would not take as answers stays as it was typed; the rest is as before."""
    names = [name for name in request.form if name not in _NO_ANSWERS and name[0] != "~"]
    own = Entries(request.form.to_dict(flat=False)).some(names)
    response = drafts.with_typed(
        screen.found.response, {**drafts.typed_in(screen.found.response), **own}
    )
    kept = filling.save(screen.site, screen.caller, screen.session, screen.found, response)
    if auto:
        return Response(status=204, headers={"X-Version": str(kept.stored.version)})
    typed = drafts.typed_in(response)
    return _shown(screen, step, response, kept.stored.version, typed, refused.issues)


def _go_on(
    screen: Screen,
    step: Step,
    response: dict[str, Any],
    version: int,
    files: Files,
    conflicts: list[str],
) -> Response:
    go = request.form.get("go", "")
    typed = drafts.typed_in(response)
    opened = next((n for n in request.form if n.endswith(("~add", "~remove"))), None)
    if conflicts:
        return _shown(screen, step, response, version, typed, (), conflicts=conflicts)
    if opened is not None or go == "update":
        return pages.go(f"{FORMS}{screen.found.id}/{step.number}{_anchor(opened)}")
    if go == "later":
        return to(screen, "later")
    if go != "anyway":
        found = findings(screen, response)
        mine = [one for one in found if one.link_id in {*step.link_ids, *step.within}]
        late = any(_is_on(step, name) for name in typed) or files.refused
        if mine or late or _unconfirmed(screen, step, response):
            return _shown(screen, step, response, version, typed, mine, files=files)
    if _not_yet_told(screen, step, screen.lens(response)):
        return _shown(screen, step, response, version, typed, ())
    following = screen.beside(step, screen.lens(response), 1)
    return to(screen, following.number if following is not None else "check")


def _not_yet_told(screen: Screen, step: Step, lens: Lens) -> list[str]:
    """The messages of this step that were not there when the page was made.

    Nobody goes on without having had them at the top of the page, whatever her screen shows.
    """
    told = request.form.get(_TOLD, "").split()
    return [
        item.text(screen.language)
        for item in looking.advised(screen, lens)
        if item.link_id in step.link_ids and str(screen.form.order[item.link_id]) not in told
    ]


def _anchor(opened: str | None) -> str:
    """Where the page is to stand after an instance was added or taken away."""
    return "" if opened is None else f"?at={opened.rpartition('~')[2]}"


def _is_on(step: Step, name: str) -> bool:
    own = name.partition("~")[0].rpartition("/")[2].partition("#")[0]
    return own in step.link_ids


def _unconfirmed(screen: Screen, step: Step, response: dict[str, Any]) -> bool:
    lens = screen.lens(response)
    return any(
        drafts.is_unconfirmed(answer)
        for node in lens.all()
        if node.enabled and node.item.link_id in step.link_ids and node.place
        for answer in (lens.at(node.place) or {}).get("answer", ())
    )


def _shown(
    screen: Screen,
    step: Step,
    response: dict[str, Any],
    version: int,
    typed: dict[str, list[str]],
    found: Sequence[Issue],
    *,
    files: Files | None = None,
    conflicts: list[str] | None = None,
) -> Response:
    lens = screen.lens(response)
    showing = Showing(
        lens, step, screen.offer(lens), screen.language, typed, screen.by_style, screen.is_advice
    )
    shown = showing.shown()
    asked = request.method == "POST"
    problems: list[Problem] = []
    if asked:
        _refused_files(screen, shown, files)
        _conflicting(screen, shown, conflicts or [])
        problems = tell(shown, found, screen.words)
    before = screen.beside(step, lens, -1)
    questions = [q for top in shown for q in top.all() if q.kind not in _ANSWERABLE]
    return screen.page(
        "step.html",
        title=looking.title_of(screen, step),
        progress=screen.words["step-of"]
        .replace("{number}", str(step.number))
        .replace("{count}", str(len(screen.steps))),
        number=step.number,
        count=len(screen.steps),
        hints=hinting.hints(screen, step),
        shown=shown,
        problems=problems,
        fresh=_not_yet_told(screen, step, lens) if asked else [],
        told=" ".join(
            str(screen.form.order[one.link_id]) for one in looking.advised(screen, lens)
        ),
        version=version,
        action=screen.address(step.number),
        back=screen.address(before.number) if before is not None else screen.address(),
        style=screen.style(),
        enctype=_enctype(questions),
        optional=[q for q in questions if not q.required and not q.conditional],
        update=_needs_update(screen, step),
    )


def _enctype(questions: list[Shown]) -> str:
    has_file = any(q.kind == "file" for q in questions)
    return "multipart/form-data" if has_file else "application/x-www-form-urlencoded"


def _needs_update(screen: Screen, step: Step) -> bool:
    """Whether something on this step hangs on another answer of it that no style sheet decides."""
    plans = screen.form.plans
    return any(
        source.condition.question in step.link_ids
        for link_id in step.link_ids - screen.by_style
        for source in plans[link_id].sources
    ) or any(plans[link_id].asking for link_id in step.link_ids)


def _refused_files(screen: Screen, shown: list[Shown], files: Files | None) -> None:
    for top in shown:
        for one in top.all():
            key = files.refused.get(one.name) if files is not None else None
            if key is not None:
                one.errors.append(screen.words[key])


def _conflicting(screen: Screen, shown: list[Shown], conflicts: list[str]) -> None:
    """Say at a question what it says on the other device."""
    theirs = {
        row.label: ", ".join(row.answers)
        for section in looking.sections(screen, screen.lens())
        for row in section.rows
    }
    for top in shown:
        for one in top.all():
            if one.item.link_id in conflicts and one.kind != "instance":
                words = (
                    theirs.get(one.item.text(screen.language)) or screen.words["conflict-empty"]
                )
                one.errors.append(screen.words["conflict"].replace("{theirs}", words))


def _files() -> Files:
    return Files(
        {
            name: [Sent(one.filename or "", one.read()) for one in request.files.getlist(name)]
            for name in request.files
        }
    )


def version_sent(text: str | None) -> int:
    """The version that a page was made of, as it says. Raises NotUnderstood."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_VERSION:
        raise NotUnderstood("The page did not say which version it was made of.")
    return int(text)
