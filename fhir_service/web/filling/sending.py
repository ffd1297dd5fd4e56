"""All answers to look through, and sending them."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request

from fhir_service.fhir.issues import Issue, NotValid
from fhir_service.web.filling import drafts, looking
from fhir_service.web.filling.doors import Clinic
from fhir_service.web.filling.judging import findings
from fhir_service.web.filling.page_of import Screen, View, to
from fhir_service.web.filling.problems import GRAVE, Problem, alone
from fhir_service.web.filling.stepping import version_sent
from fhir_service.web.filling.steps import step_with
from fhir_service.workflow import filling
from fhir_service.workflow.site import Site


def check_view(site: Site, clinic: Clinic) -> View:
    """What answers /forms/<id>/check."""

    def view(id_: str) -> Response:
        screen = Screen.of(site, clinic, id_)
        if screen.found.sent is not None and screen.found.draft is None:
            return to(screen, "sent")
        if request.method == "POST":
            return _send(screen)
        return _checked(screen, ())

    return view


def _send(screen: Screen) -> Response:
    go = request.form.get("go")
    if go == "later":
        return to(screen, "later")
    if go == "keep":
        filling.leave_unchanged(screen.site, screen.caller, screen.found)
        return to(screen, "sent")
    if version_sent(request.form.get("v")) != screen.found.version:
        return _checked(screen, ())  # something was changed elsewhere: look once more
    problems = _left(screen) or _problems(screen, findings(screen, screen.found.response))
    if problems:
        return _checked(screen, problems)
    status = "completed" if screen.found.sent is None else "amended"
    now, zone = screen.site.clock.now(), screen.site.zone
    sent = drafts.to_be_sent(screen.form, screen.found.response, status, now, zone)
    try:
        filling.send(screen.site, screen.caller, screen.session, screen.found, sent)
    except NotValid as refused:
        return _checked(screen, _problems(screen, refused.issues))
    return to(screen, "sent")


def _left(screen: Screen) -> list[Problem]:
    """What was typed and is no answer, and what was filled in and not confirmed."""
    lens = screen.lens()
    made = []
    typed = drafts.typed_in(screen.found.response)
    for node in lens.all():
        item = node.item
        if not node.enabled:
            continue
        says = None
        if any(_is_of(name, item.link_id) for name in typed):
            says = screen.words.get(f"typed-{item.type}") or screen.words["typed"]
        answers = (lens.at(node.place) or {}).get("answer", ()) if node.place else ()
        if any(drafts.is_unconfirmed(one) for one in answers):
            says = screen.words["unconfirmed"]
        step = step_with(screen.steps, item.link_id)
        if says and step:
            made.append(Problem(screen.address(step.number), item.text(screen.language), says))
    return made


def _is_of(name: str, link_id: str) -> bool:
    return name.partition("~")[0].rpartition("/")[2].partition("#")[0] == link_id


def _problems(screen: Screen, issues: Sequence[Issue]) -> list[Problem]:
    made = []
    for issue in issues:
        if issue.severity not in GRAVE:
            continue
        item = screen.form.by_link_id.get(issue.link_id or "")
        step = step_with(screen.steps, issue.link_id or "")
        label = item.text(screen.language) if item else screen.form.title_in(screen.language)
        says = screen.words.get(f"wrong-{issue.key}") or alone(
            issue.says, item.texts.values() if item else ()
        )
        address = screen.address(step.number) if step else screen.address("check")
        made.append(Problem(address, label, says))
    return made


def _checked(screen: Screen, problems: Sequence[Problem]) -> Response:
    lens = screen.lens()
    return screen.page(
        "check.html",
        sections=looking.sections(screen, lens),
        advice=looking.advice(screen, lens),
        problems=problems,
        changing=screen.found.sent is not None,
        version=screen.found.version,
        action=screen.address("check"),
        back=screen.address(len(screen.steps)),
    )
