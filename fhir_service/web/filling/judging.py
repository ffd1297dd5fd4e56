"""What the checker says of a draft, as if it were sent now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_service.fhir.issues import Issue
from fhir_service.sdc.responses import decode
from fhir_service.web.filling import drafts
from fhir_service.web.filling.page_of import Screen
from fhir_service.web.filling.problems import GRAVE
from fhir_service.web.filling.steps import everything
from fhir_service.workflow import filling
from fhir_service.workflow.checking import findings_of


def findings(screen: Screen, response: dict[str, Any]) -> list[Issue]:
    """What the checker would say if this were sent now, each question of a required group asked.

    The checker demands the group and says no more where all of it is left out; here each question
    in it that must be answered is told.
    """
    now, zone = screen.site.clock.now(), screen.site.zone
    sent = drafts.to_be_sent(screen.form, response, "completed", now, zone)
    decoded = decode(filling.encoded(drafts.opened(screen.form, sent, now, zone)))
    found = findings_of(screen.site, decoded, screen.form, screen.language)
    return [
        one for one in found if one.severity in GRAVE and not _is_told_within(screen, one, found)
    ]


def _is_told_within(screen: Screen, issue: Issue, found: Sequence[Issue]) -> bool:
    if issue.key != "required-group-empty":
        return False
    group = screen.form.by_link_id.get(issue.link_id or "")
    inside = {item.link_id for item in everything(group)} if group is not None else set()
    return any(
        one.link_id in inside and one is not issue for one in found if one.severity in GRAVE
    )
