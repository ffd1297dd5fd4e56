"""Every key of a finding on a form: its rule, what it bars, what it means, how to mend it.

The rule ids are those of SUPPORTED.md. http://hl7.org/fhir/R4/questionnaire.html#invs
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from fhir_service.fhir.issues import Severity

Gate = Literal["error", "offer", "warning", "information"]
"""``error`` bars the form from being stored, ``offer`` only from being offered to patients."""


@dataclass(frozen=True, slots=True)
class FormKey:
    """One finding on a form: the rule's id, what it bars, what it means and how to mend it.

    ``not_verified`` when the finding says that the rule could not be decided.
    """

    rule: str
    gate: Gate
    code: str
    meaning: str
    mend: str

    @property
    def severity(self) -> Severity:
        """As an issue has it: what only bars an offer is a warning."""
        return "warning" if self.gate == "offer" else self.gate

    @property
    def not_verified(self) -> bool:
        """Whether it says that something was not decided."""
        return "not decided" in self.meaning


def _keys() -> Mapping[str, FormKey]:
    made: dict[str, FormKey] = {}
    for line in _TABLE.strip().splitlines():
        key, rule, gate, code, meaning, mend = (part.strip() for part in line.split(" | "))
        made[key] = FormKey(rule, cast(Gate, gate), code, meaning, mend)
    return made


_TABLE = """
items-too-deep | Q36 | error | too-costly | items lie in each other too deep | Bring the inner items further up.
form-too-many-items | Q36 | error | too-costly | the form has more items than are taken here | Make several forms of it.
form-too-many-options | Q36 | error | too-costly | more options, conditions and extensions than are taken here | Put long lists of options into value sets.
form-url-missing | Q27 | offer | required | no response can name the form | Give the form a url.
form-url-shape | Q27 | offer | value | the url can not stand in a canonical | Take blanks, bars and number signs out of the url.
form-version-missing | Q27 | warning | business-rule | a response can not say which version it answers | Give the form a version.
form-version-shape | Q27 | offer | value | the version can not stand in a canonical | Take blanks, bars and number signs out of the version.
form-version-algorithm | Q27 | warning | business-rule | versions without a rule for which is newer | Add the extension artifact-versionAlgorithm.
form-version-style | Q27 | information | business-rule | the version is not of the kind 1.2.3 | Count versions as major.minor.patch.
form-name-style | Q27 | warning | invariant | que-0: programs can not use the name | Begin the name with a capital; letters, digits and _ may follow.
form-version-taken | Q28 | warning | conflict | other content is published under this url and version | Give the changed form a new version.
form-link-id-long | Q1 | error | invariant | a linkId is longer than 255 characters | Shorten the linkId.
form-link-id-twice | Q1 | error | invariant | que-2: two items have the same linkId | Give each item a linkId of its own.
form-group-empty | Q2 | error | invariant | que-1: a group without items | Put items into the group, or make it a display.
form-display | Q2 | error | invariant | que-1, que-3, que-6, que-9: a display has what only questions have | Take the element out, or make it a question.
form-initial-type | Q2 | error | invariant | que-8: a group or display with an initial value | Take the initial value out.
form-options-and-value-set | Q3 | error | invariant | que-4: options and a value set in one item | Keep one of the two.
form-options-type | Q3 | error | invariant | que-5: options on a type that has none | Make it a choice, or take the options out.
form-answer-expression-with-options | Q4 | error | invariant | answerExpression beside options or a value set | Keep one of them.
form-condition-exists | Q5 | error | invariant | que-7: exists without a boolean | Compare exists with true or false.
form-max-length-type | Q6 | error | invariant | que-10: maxLength on a type that has no length | Take maxLength out.
form-initial-options | Q7 | error | invariant | que-11: initial beside options | Mark the option with initialSelected.
form-initial-several | Q7 | error | invariant | que-13: several initial values without repeats | Leave one, or let the item repeat.
form-initial-kind | Q7 | offer | business-rule | an initial value of another type than the item | Give it the type of the item.
form-initial-selected-several | Q7 | offer | business-rule | several options selected at first where one may be chosen | Select one at most, or let the item repeat.
form-enable-behavior | Q8 | error | invariant | que-12: several conditions without enableBehavior | Add enableBehavior, all or any.
form-condition-unknown | Q9 | error | invariant | a condition names no item of the form | Name the linkId of a question.
form-condition-self | Q9 | error | invariant | a condition names its own item | Name another question.
form-condition-inside | Q9 | offer | business-rule | a condition names a question inside the item that it shows | Name a question outside.
form-condition-unanswerable | Q9 | offer | business-rule | a condition names a group or display | Name a question.
form-condition-later | Q10 | warning | business-rule | a condition names a question that comes later | Put the question before the item.
form-condition-operator | Q11 | offer | business-rule | the operator has no meaning for the question's type | Use =, != or exists.
form-condition-kind | Q11 | offer | business-rule | the condition's answer is of another type than the question | Compare with the question's type.
form-condition-option | Q11 | warning | business-rule | the condition's code is not one of the question's options | Name one of its options.
form-condition-unanswered | Q11 | warning | business-rule | != on a question that may stay unanswered, which players read differently | Add an exists condition on the same question, or require it.
form-question-abstract | Q11 | offer | business-rule | the type question is abstract | Choose the type of the answer.
form-enable-twice | Q12 | error | invariant | enableWhen and enableWhenExpression in one item | Keep one of the two.
form-initial-twice | Q12 | error | invariant | initial and initialExpression in one item | Keep one of the two.
form-circle-conditions | Q13 | offer | business-rule | items are shown depending on each other | Take one condition of the circle out.
form-circle-calculations | Q13 | offer | business-rule | values are calculated from each other | Take one expression of the circle out.
form-never-enabled | Q14 | warning | business-rule | the conditions can not be met together | Mend the conditions, or take the item out.
form-required-unanswerable | Q14 | warning | business-rule | required, and nobody can answer it | Let it be answered, or give it a value.
form-occurs-order | Q15 | offer | business-rule | minOccurs is over maxOccurs | Mend one of the two.
form-occurs-repeats | Q15 | offer | business-rule | a count over 1 on an item that does not repeat | Let the item repeat.
form-occurs-required | Q15 | warning | business-rule | minOccurs on an item that is not required | Make the item required.
form-limits-order | Q15 | offer | business-rule | the least value is over the greatest | Mend one of the two.
form-length-order | Q15 | offer | business-rule | minLength is over maxLength | Mend one of the two.
form-limit-type | Q16 | warning | business-rule | a limit on a type of item that it does not fit | Take the limit out, or change the type.
form-limit-kind | Q16 | offer | business-rule | a limit of another type than the item's answers | Give the limit the type of the answers.
form-limit-with-options | Q16 | warning | business-rule | a limit beside a list of options | Take the limit out, or the options beyond it.
form-option-kind | Q17 | offer | business-rule | an option of another type than the item | Give it the type of the item.
form-option-twice | Q17 | offer | business-rule | the same option stands twice | Take one out.
form-option-empty | Q17 | offer | business-rule | an option with neither code nor display | Give it a code and a display.
form-option-system | Q17 | warning | business-rule | an option's code without its system | Add the code system.
form-option-display | Q17 | warning | business-rule | an option's code without words | Add a display.
form-initial-outside | Q18 | offer | business-rule | an initial value breaks the item's own limits | Mend the value or the limit.
form-choice-empty | Q19 | offer | business-rule | nothing can be chosen | Add options, a value set or an answerExpression.
form-contained-missing | Q20 | offer | not-found | # names nothing that the form contains | Put the resource into contained, or mend the name.
form-value-set-unknown | Q20 | warning | incomplete | the value set is not known here: not decided | Publish the value set too.
form-value-set-unpinned | Q20 | warning | business-rule | the value set is named without its version | Add the version after a bar.
form-expression-language | Q21 | warning | incomplete | an expression in a language that is not read here: not decided | Write it in FHIRPath.
form-expression-empty | Q21 | offer | required | an expression without text | Write the expression.
form-expression-broken | Q21 | offer | business-rule | an expression that can not be read | Mend the expression.
form-variable-unnamed | Q21 | offer | required | a variable without name | Name the variable.
form-variable-twice | Q21 | offer | business-rule | two variables of one name in one place | Name them apart.
form-variable-reserved | Q21 | offer | business-rule | a variable with a name that has a meaning already | Choose another name.
form-variable-unknown | Q21 | offer | business-rule | an expression uses a variable that it does not know | Define it before, here or further out.
form-query-broken | Q22 | warning | business-rule | an x-fhir-query that can not be read | Write it as Type?name=value, with FHIRPath in {{ }}.
form-query-unfiltered | Q22 | warning | business-rule | an x-fhir-query without any filter | Narrow the query to the patient.
form-constraint-key | Q23 | offer | business-rule | a constraint without a key of its own | Give each constraint its own key.
form-constraint-incomplete | Q23 | offer | required | a constraint lacks its expression or its words | Add expression, severity and human.
form-constraint-severity | Q23 | offer | value | a constraint's severity is neither error nor warning | Write error or warning.
form-regex-broken | Q24 | offer | value | a regex that can not be read | Mend the regex.
form-regex-not-linear | Q24 | warning | incomplete | a regex that may take too long, so that it is not decided | Write it without look-around and back-references.
form-quantity-unit | Q25 | warning | business-rule | a quantity without any unit | Add unit, unitOption or unitValueSet.
form-page-place | Q26 | offer | business-rule | a page inside another item, or no group | Put the page at the root, as a group.
form-page-mixed | Q26 | offer | business-rule | pages beside items that are none | Put everything at the root into pages.
form-base-unknown | Q29 | warning | incomplete | the form it is derived from is not known here: not decided | Publish the other form too.
form-derived-differs | Q29 | offer | business-rule | answers to the one form do not fit the other, as the derivation promises | Keep what the other form asks for.
form-derived-extra | Q29 | offer | business-rule | an item that the form it is derived from does not allow | Take it out, or derive as extends.
form-derived-missing | Q29 | offer | business-rule | an item of the form it is derived from is missing | Add the item.
form-subform-unknown | Q30 | warning | incomplete | the form to be put in is not known here: not decided | Publish the other form too.
form-subform-type | Q30 | offer | business-rule | another form is put in where no display stands | Make the item a display.
form-not-assembled | Q30 | offer | business-rule | a form of forms is not whole before it is assembled | Offer the assembled form.
form-definition-shape | Q31 | warning | value | the definition names no element | Write the address of a StructureDefinition, # and the element.
form-code-missing | Q32 | warning | business-rule | extracted or filled in by code, and has none | Add a code.
form-extension-place | Q33 | warning | extension | an extension where it has no meaning | Move it to where it belongs.
form-extension-deprecated | Q33 | information | extension | an extension that has a successor | Use the successor, or both.
form-modifier-extension | Q33 | offer | extension | a modifier extension that is not understood here | Take it out.
form-text-missing | Q34 | warning | required | nothing to read | Give the item its text.
form-translation-missing | Q34 | warning | incomplete | words without translation into a language of the form | Add the translation.
form-binding-parameter | Q35 | offer | value | a parameter that the value set does not declare | Use the names that the value set declares.
form-not-shown | Q37 | offer | not-supported | our patient's page can not show it faithfully | Ask it in another way, or have the form filled elsewhere.
lint-reading-level | L1 | warning | informational | harder to read than the grade asked for | Use shorter sentences and shorter words.
lint-text-long | L2 | warning | informational | longer than a patient reads | Shorten it, or put part of it into a help text.
lint-help-without-question | L3 | warning | informational | a help text that belongs to no question | Put it inside the question that it explains.
"""  # noqa: E501

FORM_KEYS: Mapping[str, FormKey] = _keys()
"""What each key names."""
