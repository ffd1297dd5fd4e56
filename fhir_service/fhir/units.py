"""Units of UCUM as exact factors of base units: the atoms and prefixes that medicine uses.

https://ucum.org/ucum (tables 1 to 12); what is not listed here is not known, and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

Dimensions = tuple[tuple[str, int], ...]
"""Base units with their exponents, sorted, none of them 0."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``factor`` times the base units in ``dimensions``.

    A temperature scale not from 0 K has an ``offset``: K = (value + offset) * factor.
    """

    factor: Fraction
    dimensions: Dimensions
    offset: Fraction = Fraction(0)


_PREFIXES: Final[Mapping[str, Fraction]] = {
    name: Fraction(10) ** power
    for name, power in {
        "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
        "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21,
        "y": -24,
    }.items()
}  # fmt: skip

# Atoms that take a prefix ("metric"), each said in other atoms. mol, and with it eq and osm, is a
# base unit here: UCUM makes it a number, but nobody wants 1 mol compared with a count.
_METRIC: Final = (
    "m= s= g= rad= K= C= cd= mol= [iU]= [arb'U]= [CFU]= sr=rad2 Hz=s-1 N=kg.m/s2 Pa=N/m2 "
    "J=N.m W=J/s A=C/s V=J/C F=C/V Ohm=V/A S=Ohm-1 Wb=V.s T=Wb/m2 H=Wb/A lm=cd.sr lx=lm/m2 "
    "Bq=s-1 Gy=J/kg Sv=J/kg Cel=K l=dm3 L=l ar=100.m2 t=1000.kg bar=100000.Pa "
    "eV=0.0000000000000000001602176634.J u=0.00000000000000000000000166053906660.g eq=mol "
    "osm=mol kat=mol/s U=umol/min m[Hg]=133.3220.kPa m[H2O]=9.80665.kPa cal=4.184.J "
    "cal_th=4.184.J dyn=g.cm/s2 erg=dyn.cm P=dyn.s/cm2 gf=9.80665.m.g/s2 Ci=37000000000.Bq "
    "RAD=0.01.Gy REM=0.01.Sv By= bit=By/8 [IU]=[iU] st=m3"
)
_PLAIN: Final = (
    "%=1/100 [ppth]=1/1000 [ppm]=1/1000000 [ppb]=1/1000000000 10*=10 10^=10 min=60.s h=60.min "
    "d=24.h wk=7.d a_j=365.25.d a=a_j mo_j=a_j/12 mo=mo_j a_g=365.2425.d mo_g=a_g/12 "
    "deg=0.0174532925199433.rad '=deg/60 ''='/60 [in_i]=2.54.cm [ft_i]=12.[in_i] "
    "[yd_i]=3.[ft_i] [mi_i]=5280.[ft_i] [sin_i]=[in_i]2 [sft_i]=[ft_i]2 [cin_i]=[in_i]3 "
    "[gr]=64.79891.mg [lb_av]=7000.[gr] [oz_av]=[lb_av]/16 [dr_av]=[oz_av]/16 "
    "[stone_av]=14.[lb_av] [lb_tr]=5760.[gr] [gal_us]=231.[cin_i] [qt_us]=[gal_us]/4 "
    "[pt_us]=[qt_us]/2 [cup_us]=[pt_us]/2 [gil_us]=[pt_us]/4 [foz_us]=[gil_us]/4 "
    "[tbs_us]=[foz_us]/2 [tsp_us]=[tbs_us]/3 [gal_br]=4.54609.l [pt_br]=[gal_br]/8 "
    "[foz_br]=[pt_br]/20 [cup_m]=240.ml [tsp_m]=5.ml [tbs_m]=15.ml [foz_m]=30.ml [drp]=ml/20 "
    "[Cal]=kcal [lbf_av]=4.4482216152605.N [psi]=[lbf_av]/[in_i]2 atm=101325.Pa [degF]=5.K/9 "
    "[pi]=3.1415926535897932 [HPF]=1 [LPF]=100 [g]=9.80665.m/s2 [degR]=5.K/9"
)
_OFFSETS: Final = {"Cel": Fraction(27315, 100), "[degF]": Fraction(45967, 100)}

_MAX_CODE: Final = 80
_MAX_BRACKETS: Final = 8
_MAX_POWER: Final = 30
_TERM = re.compile(r"10[*^][+-]?[0-9]*|[0-9]+(?:\.[0-9]+)?|[()/.]|\{[^{}]*\}|[^()/.{}]+")
_POWER = re.compile(r"(?P<atom>.*?[^0-9+-]|10[*^])(?P<power>[+-]?[0-9]+)?")
_DECIMAL_ATOM = re.compile(r"[0-9]+\.[0-9]+")


def _table() -> tuple[dict[str, str], frozenset[str]]:
    told: dict[str, str] = {}
    for each in f"{_METRIC} {_PLAIN}".split(" "):
        name, _, of = each.partition("=")
        told[name] = of
    return told, frozenset(each.split("=", maxsplit=1)[0] for each in _METRIC.split(" "))


_ATOMS, _TAKES_PREFIX = _table()


@lru_cache(maxsize=2000)
def unit(code: str) -> Unit | None:
    """The unit that a UCUM code says; None where it says none, or one that is not known here."""
    if len(code) > _MAX_CODE:
        return None
    try:
        if code in _OFFSETS:
            made = _parse(_ATOMS[code])
            return Unit(made.factor, made.dimensions, _OFFSETS[code])
        return _parse(code)
    except ValueError:
        return None


def _parse(code: str) -> Unit:
    words = _TERM.findall(code)
    if not words or "".join(words) != code:
        raise ValueError("not a unit")
    made, rest = _product(words, 0)
    if rest:
        raise ValueError("not a unit")
    return made


def _product(words: list[str], depth: int) -> tuple[Unit, list[str]]:
    """A product or quotient up to the closing bracket; and the words after it."""
    if depth > _MAX_BRACKETS:
        raise ValueError("not a unit")
    made = Unit(Fraction(1), ())
    sign, due, first = 1, True, True
    while words and words[0] != ")":
        word, words = words[0], words[1:]
        if word in "./":
            if due and not (first and word == "/"):
                raise ValueError("not a unit")
            sign, due = (1 if word == "." else -1), True
        elif due:
            part, words = _part(word, words, depth)
            made, due = times(made, part, sign), False
        elif word[0] != "{":  # an annotation may follow a unit
            raise ValueError("not a unit")
        first = False
    if due:
        raise ValueError("not a unit")
    return made, words


def _part(word: str, words: list[str], depth: int) -> tuple[Unit, list[str]]:
    if word[0] == "{":
        return Unit(Fraction(1), ()), words
    if word != "(":
        return _simple(word), words
    part, words = _product(words, depth + 1)
    if not words:
        raise ValueError("not a unit")
    return part, words[1:]


def _simple(word: str) -> Unit:
    if word.isdigit() or _DECIMAL_ATOM.fullmatch(word):
        number = Fraction(word)
        if number == 0:
            raise ValueError("not a unit")
        return Unit(number, ())
    match = _POWER.fullmatch(word)
    if match is None:
        raise ValueError("not a unit")
    power = int(match["power"] or 1)
    if abs(power) > _MAX_POWER:
        raise ValueError("not a unit")
    return times(Unit(Fraction(1), ()), _atom(match["atom"]), power)


@lru_cache(maxsize=2000)
def _atom(name: str) -> Unit:
    if name in _ATOMS:
        told = _ATOMS[name]
        return _parse(told) if told else Unit(Fraction(1), ((name, 1),))
    for length in (1, 2):
        prefix, rest = name[:length], name[length:]
        if prefix in _PREFIXES and rest in _TAKES_PREFIX:
            of = _atom(rest)
            return Unit(of.factor * _PREFIXES[prefix], of.dimensions)
    raise ValueError("not a unit")


def times(left: Unit, right: Unit, power: int = 1) -> Unit:
    """``left`` times ``right`` to a power."""
    dimensions = dict(left.dimensions)
    for name, exponent in right.dimensions:
        dimensions[name] = dimensions.get(name, 0) + exponent * power
    kept = tuple(sorted((name, exponent) for name, exponent in dimensions.items() if exponent))
    return Unit(left.factor * right.factor**power, kept)
