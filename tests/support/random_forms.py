"""Random Questionnaires: all types of item, groups, repeats, limits, conditions, translations.

Conditions name questions that stand before them. http://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from fhir_service.sdc import extensions as ext
from tests.support.random_questions import LIMITS, Json, an_answer, extended, extension

URL = "https://clinic.example.org/fhir/Questionnaire/random"
LEVELS = 4
_ORDERED = {"integer", "decimal", "date", "dateTime", "time", "quantity"}
_UNCOMPARED = {"attachment", "url"}
_NEVER_IN_QUESTIONS = {"group", "display"}


class _Maker:
    def __init__(self, random: Random, size: int) -> None:
        self.random = random
        self.left = size
        self.count = 0
        self.sources: list[Json] = []

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def items(self, level: int, most: int) -> list[Json]:
        made: list[Json] = []
        for _ in range(self.random.randint(1, most)):
            if self.left > 0 or not made:
                made.append(self.item(level))
        return made

    def item(self, level: int) -> Json:
        self.left -= 1
        self.count += 1
        kinds = [*LIMITS, "display", *(["group"] * 5 if level < LEVELS else [])]
        link_id = f"q{self.count}"
        made: Json = {"linkId": link_id, "type": self.random.choice(kinds)}
        if self.chance(0.8):
            self.name(made)
        if self.chance(0.1):
            made["definition"] = f"http://example.org/StructureDefinition/x#x.{link_id}"
        if self.sources and self.chance(0.3):
            self.conditions(made)
        if made["type"] == "group":
            self.group(made, level)
        elif made["type"] != "display":
            self.question(made, level)
        return made

    def name(self, made: Json) -> None:
        made["text"] = f"Question {made['linkId']}?"
        if self.chance(0.4):
            words = f"¿Pregunta {made['linkId']}?"
            parts = [extension("lang", "Code", "es"), extension("content", "String", words)]
            made["_text"] = {"extension": [{"url": ext.TRANSLATION, "extension": parts}]}

    def occurs(self, made: Json, most: int) -> None:
        """Required, repeating, and how often: minOccurs only where it is required as well."""
        if self.chance(0.35):
            made["required"] = True
        if not self.chance(0.35):
            return
        made["repeats"] = True
        if made.get("required") and self.chance(0.5):
            extended(made, extension(ext.MIN_OCCURS, "Integer", self.random.randint(1, 2)))
        if self.chance(0.5):
            extended(made, extension(ext.MAX_OCCURS, "Integer", self.random.randint(2, most)))

    def group(self, made: Json, level: int) -> None:
        self.occurs(made, 4)
        made["item"] = []
        if made.get("required"):  # something in it can be answered, always
            self.count += 1
            anchor: Json = {"linkId": f"q{self.count}", "type": "boolean", "required": True}
            made["item"].append(anchor)
            self.sources.append(anchor)
        made["item"] += self.items(level + 1, 5)

    def question(self, made: Json, level: int) -> None:
        # a boolean has two answers only: its counts would ask for more than there are
        if made["type"] == "boolean":
            made.update({"required": True} if self.chance(0.3) else {})
        else:
            self.occurs(made, 3)
        LIMITS[made["type"]](self.random, made)
        self.sources.append(made)
        if level < LEVELS and self.chance(0.12):
            made["item"] = self.items(level + 1, 3)

    def conditions(self, made: Json) -> None:
        chosen = self.random.sample(
            self.sources, min(len(self.sources), self.random.choice([1, 1, 2, 3]))
        )
        made["enableWhen"] = [self.condition(source) for source in chosen]
        if len(chosen) > 1 or self.chance(0.3):
            made["enableBehavior"] = self.random.choice(["all", "any"])

    def condition(self, source: Json) -> Json:
        type_ = source["type"]
        operators = ["exists", "exists"]
        if type_ not in _UNCOMPARED:
            operators += ["=", "="] + ["!="] * 2
        if type_ in _ORDERED:
            operators += [">", "<", ">=", "<="]
        operator = self.random.choice(operators)
        made: Json = {"question": source["linkId"], "operator": operator}
        if operator == "exists":
            return made | {"answerBoolean": self.chance(0.7)}
        value = an_answer(self.random, source)
        return made | {"answer" + key[len("value") :]: one for key, one in value.items()}


def a_form(random: Random, size: int = 25) -> Json:
    """A Questionnaire of about ``size`` items, with nothing in it that a form must not have."""
    maker = _Maker(random, size)
    items: list[Json] = []
    while maker.left > 0:
        items.append(maker.item(1))
    return {
        "resourceType": "Questionnaire",
        "url": URL,
        "version": "1.0.0",
        "name": "RandomForm",
        "title": "A random form",
        "status": "active",
        "subjectType": ["Patient"],
        "item": items,
    }


def walk(items: list[Json]) -> list[Json]:
    """Every item of a form, parents first."""
    return [one for item in items for one in (item, *walk(item.get("item", [])))]


def sources_of(form: Json) -> set[str]:
    """The linkIds of the questions that some condition names."""
    return {when["question"] for item in walk(form["item"]) for when in item.get("enableWhen", ())}


def randoms() -> st.SearchStrategy[Random]:
    """What a random form is made with, when hypothesis shall find and shrink the cases."""
    return st.randoms(use_true_random=False)


def forms(size: int = 8) -> st.SearchStrategy[Any]:
    """Random forms as a strategy."""
    return randoms().map(lambda random: a_form(random, size))
