"""Triggers and entities in formats with one kind of labeled span.

A trigger is written with a label such as ``event:ASSAULT+COERCE``, by which it is recognized in reading. For files of
other tools the reading option ``triggers`` names the labels that are triggers.
"""

from collections.abc import Collection, Iterable

_PREFIX = "event:"


def trigger_label(types: Iterable[str]) -> str:
    """The label of a trigger's span. `trigger_types` gives the types back, unless one is empty, repeated or has a plus.

    >>> trigger_label(["ASSAULT", "COERCE"])
    'event:ASSAULT+COERCE'
    """
    return _PREFIX + "+".join(types)


def trigger_types(label: str, triggers: Collection[str] = ()) -> tuple[str, ...] | None:
    """The event types that a span's label encodes; None for the label of an entity.

    Args:
        label: stored label.
        triggers: further labels that are event types.

    >>> trigger_types("event:ASSAULT+COERCE"), trigger_types("Attack", {"Attack"}), trigger_types("PER")
    (('ASSAULT', 'COERCE'), ('Attack',), None)
    """
    if label.startswith(_PREFIX) and len(label) > len(_PREFIX):
        return tuple(dict.fromkeys(label.removeprefix(_PREFIX).split("+")))
    return (label,) if label in triggers else None
