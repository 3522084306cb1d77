"""Text for HTML, with invisible characters shown as symbols."""

import re
import unicodedata

from markupsafe import Markup, escape

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3000\u3164\ufeff\uffa0\ufff0-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\uf8ff"
    "\U000e0000-\U0010ffff]"
)
_NAMES = {
    "\t": "⇥",
    "\n": "↵",
    "\r": "CR",
    "\x7f": "DEL",
    "\xa0": "NBSP",
    "\xad": "SHY",
    "\u061c": "ALM",
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u2028": "LS",
    "\u2029": "PS",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u202f": "NNBSP",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
    "\ufeff": "BOM",
}
_KEPT = "\u200c\u200d"  # they join or separate letters, and do not change the direction


def visible(text: str, *, lines: bool = True) -> Markup:
    """Text as escaped HTML, with a symbol for each character that is invisible or changes the direction of text.

    The style sheet draws the symbols from ``data-c``, so that they are not part of the text that is searched or copied.

    Args:
        text: any text, including lone surrogates.
        lines: keep line feeds; else they become symbols too.
    """
    return Markup(_INVISIBLE.sub(lambda match: _symbol(match.group(), lines), str(escape(text))))


def plain(text: str) -> str:
    """Text for an attribute or an option, which cannot contain elements: invisible characters as ``⟨U+202E⟩``."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text)


def _symbol(character: str, lines: bool) -> str:
    if character == "\n" and lines:
        return character
    code = ord(character)
    name = _NAMES.get(character) or f"{code:02X}"
    title = f"U+{code:04X} {unicodedata.name(character, '')}".rstrip()
    kept = character if character in _KEPT else " " if character.isspace() else ""
    return f'<i class="c" data-c="{name}" title="{title}">{kept}</i>'
