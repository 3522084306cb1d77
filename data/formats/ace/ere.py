"""Entities, Relations, Events of DEFT (light and rich ERE): reads the element ``deft_ere``.

``offset`` and ``length`` count every character of the source, tags included.
"""

from collections.abc import Iterator

from ....errors import shown
from ..common.xml_tree import XmlElement
from .standoff import CharSeq, EntityMention, EventMention, Standoff, number, parted


def read_ere(root: XmlElement, *, extent: str, event_types: str) -> Standoff:
    """The annotations of the file; fillers are values.

    Args:
        root: element ``deft_ere``.
        extent: ``head`` takes the ``nom_head`` of a mention that has one, ``extent`` the whole mention.
        event_types: ``full``, ``subtype`` or ``type``.
    """
    standoff = Standoff(id=root.get("doc_id"), source=root.get("source_type"))
    for entity in root.all("entity"):
        standoff.mentions += _mentions(entity, extent)
    for filler in root.all("filler"):
        mention = EntityMention(
            id=filler.get("id"),
            label=filler.get("type"),
            level="",
            value=True,
            charseq=_charseq(filler, filler),
            group="",
            line=filler.line,
        )
        standoff.mentions.append(mention)
    for event in root.all("hopper", "event"):
        standoff.events += _events(event, event_types)
        standoff.ignored["attributes of events"] += any(
            mention.get("realis") not in ("", "actual") for mention in event.all("event_mention")
        )
    standoff.ignored["relations"] = sum(1 for _ in root.all("relation"))
    return standoff


def _mentions(entity: XmlElement, extent: str) -> Iterator[EntityMention]:
    for mention in entity.all("entity_mention"):
        head = mention.first("nom_head") if extent == "head" else None
        yield EntityMention(
            id=mention.get("id"),
            label=entity.get("type"),
            level=mention.get("noun_type"),
            value=False,
            charseq=_charseq(head, head) if head else _charseq(mention, mention.first("mention_text") or mention),
            group=entity.get("id"),
            line=mention.line,
        )


def _events(event: XmlElement, event_types: str) -> Iterator[EventMention]:
    for mention in event.all("event_mention"):
        trigger = mention.first("trigger")
        yield EventMention(
            id=mention.get("id"),
            label=parted(mention.get("type"), mention.get("subtype"), event_types),
            charseq=trigger and _charseq(trigger, trigger),
            arguments=tuple(
                (found.get("role"), found.get("entity_mention_id") or found.get("filler_id"), found.line)
                for found in mention.all("em_arg", "arg")
            ),
            group=event.get("id"),
            line=mention.line,
        )


def _charseq(offsets: XmlElement, surface: XmlElement) -> CharSeq:
    start, length = number(offsets.get("offset")), number(offsets.get("length"))
    end = None if start is None or length is None else start + length
    stored = f"offset={shown(offsets.get('offset'), 20)} length={shown(offsets.get('length'), 20)}"
    return CharSeq(start=start, end=end, surface=surface.text, line=offsets.line, stored=stored)
