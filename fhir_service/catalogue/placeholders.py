"""{clinicPhone} and {doctorName}: what stands in a form's sentences for what only a site knows.

http://hl7.org/fhir/R4/extension-translation.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACEHOLDERS = ("clinicPhone", "doctorName")

STAND_INS = {
    ("clinicPhone", "en"): "the number your clinic gave you",
    ("clinicPhone", "es"): "el número que le dio su clínica",
    ("doctorName", "en"): "your doctor",
    ("doctorName", "es"): "su médico",
}
"""The words where a site has set nothing, by placeholder and language."""

_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")
_OPENS_A_SENTENCE = re.compile(r"(?:^|[.!?]\s+)[«“\"(¿¡]*$")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f{}]")


@dataclass(frozen=True, slots=True)
class Site:
    """What a site tells its patients in every form; None where it has set nothing."""

    clinic_phone: str | None = None
    doctor_name: str | None = None

    @classmethod
    def of(cls, clinic_phone: str | None, doctor_name: str | None) -> Site:
        """The site with these values, blanks around them taken away; blank alone means not set.

        Raises ValueError for a control character or a brace: neither may reach a form.
        """
        return cls(_cleaned("clinicPhone", clinic_phone), _cleaned("doctorName", doctor_name))

    def value(self, placeholder: str) -> str | None:
        """What the site says for this placeholder, or None."""
        return self.clinic_phone if placeholder == "clinicPhone" else self.doctor_name

    def told(self, used: frozenset[str]) -> str:
        """The values set among ``used``, as one text, another when any differs; "" for none."""
        values = ((name, self.value(name)) for name in PLACEHOLDERS if name in used)
        return "\n".join(f"{name}={value}" for name, value in values if value is not None)


def _cleaned(name: str, value: str | None) -> str | None:
    if value is None or not value.strip():
        return None
    if _FORBIDDEN.search(value):
        raise ValueError(f"{name}: control characters and braces can not stand in a form.")
    return value.strip()


def placeholders_in(template: bytes) -> frozenset[str]:
    """The names of the placeholders that stand in a template."""
    return frozenset(name for name in PLACEHOLDERS if b"{%s}" % name.encode() in template)


def fill_text(text: str, language: str, site: Site) -> str:
    """``text`` with each placeholder replaced by the site's value, else by words of that language.

    Words that open a sentence get a capital; Spanish "al el" becomes "al". Raises KeyError where
    a language has no words yet: such a form is not ready to ship.
    """
    spoken = language.split("-", maxsplit=1)[0]

    def replaced(found: re.Match[str]) -> str:
        name = found.group(1)
        value = site.value(name)
        if value is not None:
            return value
        words = STAND_INS[name, spoken]
        before = text[: found.start()]
        if _OPENS_A_SENTENCE.search(before):
            return words[0].upper() + words[1:]
        if spoken == "es" and before.endswith(" al "):
            return words.removeprefix("el ")
        return words

    return _PLACEHOLDER.sub(replaced, text)
