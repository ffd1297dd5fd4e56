"""Every key of a finding on a response against its form: the rule it names, and what it means.

The rule ids are those of SUPPORTED.md. http://hl7.org/fhir/R4/valueset-issue-type.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

Family = Literal["structure", "required", "counts", "limits", "disabled", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Key:
    """One finding: FHIR's issue type, the rule's id, its family (the status policy asks for it).

    ``not_verified`` when the finding says that the rule could not be decided.
    """

    code: str
    rule: str
    family: Family
    meaning: str
    not_verified: bool = False


def _keys() -> Mapping[str, Key]:
    made: dict[str, Key] = {}
    for line in _TABLE.strip().splitlines():
        key, code, rule, family, meaning = (part.strip() for part in line.split(" | "))
        undecided = family != "structure" and "not decided" in meaning
        made[key] = Key(code, rule, cast(Family, family), meaning, undecided)
    return made


_TABLE = """
questionnaire-mismatch | conflict | A3 | structure | the response names another form or version than it is checked against
questionnaire-without-version | business-rule | A4 | warning | the response names its form without the version
questionnaire-other-type | value | A5 | structure | the canonical names a resource that is no Questionnaire
form-not-active | business-rule | A6 | warning | the form is a draft, retired or of unknown status
authored-outside-period | business-rule | A7 | warning | written outside the form's effective period
authored-missing | required | A8 | warning | the response does not say when it was written
authored-required | required | A8 | structure | a response that claims the SDC profile says when it was written
subject-missing | required | A9 | warning | the response does not say whom it is about
subject-type | value | A10 | structure | the subject is of a type that the form is not for
performer-type | value | A11 | structure | who recorded the answers is of a type that the form does not take
source-twice | business-rule | A12 | structure | the source stands both in its element and in the extension of R5
adaptive-form-not-contained | not-found | A13 | structure | an adaptive response contains its form
adaptive-form-without-origin | required | A13 | structure | the form in an adaptive response says what it is derived from
adaptive-form-with-url | value | A13 | structure | the form in an adaptive response has no url
signature-missing | required | A14 | required | a signature that the form asks for is not there
modifier-extension | extension | A16 | structure | a modifier extension that is not understood here
item-unknown | structure | B2 | structure | the form has no such linkId
item-wrong-place | structure | B3 | structure | the form has the linkId elsewhere
item-order | structure | B4 | structure | items stand in another order than in the form
item-twice | structure | B5 | structure | a group that does not repeat stands twice
question-twice | structure | B6 | structure | a question stands twice; several answers belong to one item
items-beside-answers | structure | B7 | structure | items stand both under the question and under its answers
items-outside-answer | structure | B8 | structure | items under a question belong under its answer
group-with-answer | structure | B9 | structure | a group has answers
display-with-content | structure | B10 | structure | a display has answers or items
question-abstract | structure | B11 | structure | an item of the abstract type question has answers
item-text | value | B12 | structure | the item's text is not the form's
item-definition | value | B13 | warning | the item's definition is not the form's
same-answer-twice | duplicate | B17 | warning | the same answer stands twice in one question
answer-while-disabled | business-rule | C1 | disabled | something was answered that the form's conditions disable
units-not-comparable | incomplete | C12 | warning | a condition compares units that can not be compared: not decided
conditions-in-circle | incomplete | H11 | warning | whether an item is asked hangs on itself, in a circle of conditions: not decided
answer-to-display-only | business-rule | C17 | warning | an answer to what is shown only where the response is read
required-missing | required | D1 | required | a required question is not answered
required-group-empty | required | D2 | required | nothing in a required group is answered
several-answers | business-rule | D4 | counts | a question that does not repeat has several answers
too-few | business-rule | D5 | required | fewer answers or instances than minOccurs
too-many | business-rule | D6 | counts | more answers or instances than maxOccurs
answer-type | structure | E1 | structure | the answer is of another type than the question
string-line-break | value | E3 | structure | a line break in an answer of one line
url-malformed | value | E4 | structure | the answer is no absolute url
answer-too-long | too-long | F1 | limits | the answer is longer than maxLength
answer-too-short | value | F2 | limits | the answer is shorter than minLength
date-too-rough | value | F2 | limits | a date of less precision than minLength asks for
answer-malformed | value | F3 | limits | the answer is not written as the pattern asks
answer-not-in-format | value | F3 | limits | the answer is not written as the pattern asks, and the form says how
pattern-unknown | incomplete | F3 | warning | a pattern that is not decided here
answer-below-min-value | business-rule | F4 | limits | the answer is under the least value
answer-above-max-value | business-rule | F4 | limits | the answer is over the greatest value
limit-not-comparable | incomplete | F8 | warning | the answer can not be compared with its limit: not decided
limit-unit-differs | business-rule | F8 | limits | the answer's unit measures something else than the limit's
comparator-open | incomplete | F10 | warning | a comparator leaves open whether the limit is kept: not decided
too-many-decimals | business-rule | F11 | limits | more decimal places than allowed
attachment-too-large | too-long | F12 | limits | the attachment is larger than maxSize
attachment-size-unknown | incomplete | F12 | warning | the attachment lies elsewhere and its size is not stated: not decided
attachment-type | value | F13 | limits | the attachment's media type is missing, or none of those allowed
attachment-size-differs | value | F14 | limits | the stated size is not that of the data
attachment-hash-differs | value | F14 | limits | the stated hash is not that of the data
reference-malformed | value | F15 | limits | the reference is no address of a resource
reference-resource | value | F15 | limits | the reference is to a type that the question does not take
reference-resource-unknown | incomplete | F15 | warning | the reference does not tell the type of its target: not decided
reference-type-differs | value | F16 | limits | the reference states another type than its address
reference-not-contained | not-found | F16 | limits | the reference is to a contained resource that is not there
reference-profile-unknown | incomplete | F17 | warning | whether the target keeps the profile: not decided
unit-not-offered | code-invalid | F18 | limits | the unit is not one of those offered
unit-not-in-value-set | code-invalid | F19 | limits | the unit is not in the value set of units
unit-without-code | code-invalid | F19 | limits | the unit has no code
unit-value-set-unknown | incomplete | F19 | warning | the value set of units is not known here: not decided
unit-terminology-server-silent | incomplete | F19 | warning | the terminology server was asked for the unit and gave no answer: not decided
unit-other-system | code-invalid | F20 | limits | a unit beside the list is of another code system than the form names
unit-fixed | code-invalid | F21 | limits | the unit is not the one of the question
quantity-without-value | required | F22 | limits | a quantity without a number
off-slider-step | business-rule | F23 | warning | the value lies between the steps of the slider
option-not-offered | code-invalid | G1 | limits | the answer is not one of the options
free-text-is-option | business-rule | G4 | warning | free text that says the same as an option
free-text-not-allowed | business-rule | G5 | limits | free text where only the options are allowed
exclusive-option-with-others | business-rule | G6 | limits | an option that stands alone was chosen with others
value-set-not-member | code-invalid | G9 | limits | the code is not in the question's value set
value-set-unknown | incomplete | G11 | warning | the value set is not known here: not decided
terminology-server-silent | incomplete | G11 | warning | the terminology server was asked and gave no answer: not decided
value-set-not-current | business-rule | G10 | warning | the value set was not in force when the response was written
coding-version-differs | business-rule | G10 | warning | the code is of another version of its system than the value set takes
text-not-in-value-set | code-invalid | G13 | limits | the text is no code of the question's value set
code-inactive | business-rule | G14 | warning | a code that is out of use
code-abstract | business-rule | G14 | warning | a code that only groups others
terminology-server-not-asked | incomplete | G17 | information | the form names a terminology server, which is not asked: not decided
display-wrong | value | G12 | limits | the display is not that of the option
coding-without-system | business-rule | G15 | warning | a code without its system
weight-differs | value | G18 | warning | the weight sent with an answer is not the option's
fixed-value-changed | business-rule | H9 | warning | a fixed value that can not be edited was changed
option-switched-off | business-rule | G7 | limits | an option that is not offered after the other answers
answer-not-from-expression | code-invalid | G8 | limits | the answer is not among those that an expression gives
constraint-broken | invariant | H1 | limits | an invariant of the form is broken
constraint-warning | invariant | H1 | warning | an invariant of the form is broken that only warns
constraint-open | incomplete | H1 | warning | an invariant of the form gives neither true nor false: not decided
calculated-value-differs | business-rule | H8 | information | a calculated value was sent that is not what the form calculates
calculated-value-changed | business-rule | H8 | warning | the same of a value that patients can not edit
expression-not-decided | incomplete | H4 | warning | an expression of the form that is broken, of another language, or asks for what is not known here: not decided
expression-too-costly | too-costly | H12 | warning | an expression of the form that takes more work than a check may: not decided
"""  # noqa: E501

KEYS: Mapping[str, Key] = _keys()
"""What each key names."""
