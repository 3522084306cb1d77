"""Triggers and entities in formats that know one kind of labeled span.

A trigger is written with the label ``event:ASSAULT+COERCE``, so that it comes back as what it was. Files of other
tools say which of their labels are triggers through the reading option ``triggers``.
"""

from collections.abc import Collection, Sequence

_PREFIX = "event:"


def trigger_label(types: Sequence[str]) -> str | None:
    """The label of a trigger's span; None where a type holds a ``+`` or there is none, which would not come back.

    >>> trigger_label(["ASSAULT", "COERCE"])
    'event:ASSAULT+COERCE'
    """
    if not types or any(not name or "+" in name for name in types):
        return None
    return _PREFIX + "+".join(types)


def trigger_types(label: str, triggers: Collection[str] = ()) -> tuple[str, ...] | None:
    """The event types that a span's label stands for; None for the label of an entity.

    Args:
        label: as stored.
        triggers: labels that are event types without the prefix.

    >>> trigger_types("event:ASSAULT+COERCE"), trigger_types("Attack", {"Attack"}), trigger_types("PER")
    (('ASSAULT', 'COERCE'), ('Attack',), None)
    """
    if label.startswith(_PREFIX) and len(label) > len(_PREFIX):
        return tuple(dict.fromkeys(label.removeprefix(_PREFIX).split("+")))
    return (label,) if label in triggers else None


def is_entity_label(label: str) -> bool:
    """Whether a label comes back as that of an entity."""
    return not label.startswith(_PREFIX)
