"""Characters that cannot be seen, as symbols: what is wrong with a text is often one of these."""

import re
import unicodedata

from markupsafe import Markup, escape

_UNSEEN = re.compile(
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
_KEPT = "\u200c\u200d"  # they shape the letters beside them, and change no direction


def visible(text: str, *, lines: bool = True) -> Markup:
    """Text as HTML, escaped; a symbol stands for each character that cannot be seen or that would steer the page.

    The symbols are drawn by the style sheet from ``data-c``: they are no part of the text that is searched or copied.

    Args:
        text: any text, lone surrogates included.
        lines: keep line feeds, for a block that breaks at them; else they are symbols, too.
    """
    return Markup(_UNSEEN.sub(lambda found: _symbol(found.group(), lines), str(escape(text))))


def plain(text: str) -> str:
    """Text for an attribute or a list of choices, where there is no room for elements: ``⟨U+202E⟩``."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", text)


def _symbol(character: str, lines: bool) -> str:
    if character == "\n" and lines:
        return character
    code = ord(character)
    name = _NAMES.get(character) or f"{code:02X}"
    title = f"U+{code:04X} {unicodedata.name(character, '')}".rstrip()
    kept = character if character in _KEPT else " " if character.isspace() else ""
    return f'<i class="c" data-c="{name}" title="{title}">{kept}</i>'
