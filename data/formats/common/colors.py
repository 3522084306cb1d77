"""Colors of labels in the configurations of annotation tools. A color is ``#rrggbb``."""

import colorsys

_GOLDEN = 0.618  # steps of the hue by the golden ratio: neighbors differ most
_READABLE = 4.5  # contrast of text that anyone can read, WCAG 2.1, 1.4.3
_STEPS = 20


def palette(number: int) -> str:
    """A light color; colors of neighboring numbers differ clearly."""
    return _hexadecimal(colorsys.hls_to_rgb(number * _GOLDEN % 1, 0.8, 0.7))


def text_color(background: str) -> str:
    """Black or white, whichever has more contrast.

    >>> text_color("#fff0c8")
    '#000000'
    """
    return "#000000" if contrast(background, "#000000") > contrast(background, "#ffffff") else "#ffffff"


def darkened(color: str) -> str:
    """The color with as much black as it needs to be readable as text on white.

    >>> darkened("#000080")
    '#000080'
    """
    for step in range(_STEPS + 1):
        part = 1 - step / _STEPS
        dark = _hexadecimal(tuple(part * value for value in _parts(color)))
        if contrast(dark, "#ffffff") >= _READABLE:
            return dark
    return "#000000"


def contrast(one: str, two: str) -> float:
    """The contrast of two colors, from 1 to 21 (WCAG 2.1)."""
    dark, light = sorted((_luminance(one), _luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def _parts(color: str) -> tuple[float, float, float]:
    """Red, green and blue, from 0 to 1."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hexadecimal(parts: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _luminance(color: str) -> float:
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(color))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
