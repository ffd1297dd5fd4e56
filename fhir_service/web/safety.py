"""The headers that keep a browser safe: for every answer, and for our pages.

https://owasp.org/www-project-secure-headers/ and https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]

_YEAR = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class Safety:
    """Headers of every answer, and those that a page has besides."""

    always: Headers
    of_pages: Headers

    @classmethod
    def of(cls, base_url: str, frame_ancestors: tuple[str, ...]) -> Safety:
        """Those of a service at this public address, shown in frames of these origins alone."""
        always: Headers = (
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
        )
        if base_url.startswith("https:"):
            always += (("Strict-Transport-Security", _YEAR),)
        return cls(always, _of_pages(frame_ancestors))


def policy(frame_ancestors: tuple[str, ...]) -> str:
    """The Content-Security-Policy of our pages: nothing from elsewhere, no script in the page."""
    framed_by = " ".join(("'self'", *frame_ancestors)) if frame_ancestors else "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {framed_by}; require-trusted-types-for 'script'"
    )


def _of_pages(frame_ancestors: tuple[str, ...]) -> Headers:
    made: Headers = (
        ("Content-Security-Policy", policy(frame_ancestors)),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Vary", "Cookie"),
    )
    return made if frame_ancestors else (*made, ("X-Frame-Options", "DENY"))
