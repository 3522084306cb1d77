"""Entities, Relations, Events of DEFT (light and rich ERE): reads the element ``deft_ere``.

``offset`` and ``length`` count every character of the source, tags included.
"""

from collections.abc import Iterator

from ..common.xml_tree import XmlElement
from .standoff import CharSeq, Mention, Standoff, joined_type, read_charseq, read_mention


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
        standoff.mentions.append(read_mention(filler, filler.get("type"), _charseq(filler), "", is_value=True))
    for event in root.all("hopper", "event"):
        standoff.events += _events(event, event_types)
        standoff.ignored["attributes of events"] += any(
            mention.get("realis") not in ("", "actual") for mention in event.all("event_mention")
        )
    standoff.ignored["relations"] = sum(1 for _ in root.all("relation"))
    return standoff


def _mentions(entity: XmlElement, extent: str) -> Iterator[Mention]:
    for mention in entity.all("entity_mention"):
        head = mention.first("nom_head") if extent == "head" else None
        charseq = _charseq(head) if head else _charseq(mention, mention.first("mention_text"))
        yield read_mention(mention, entity.get("type"), charseq, entity.get("id"), level=mention.get("noun_type"))


def _events(event: XmlElement, event_types: str) -> Iterator[Mention]:
    for mention in event.all("event_mention"):
        label = joined_type(mention.get("type"), mention.get("subtype"), event_types)
        trigger = mention.first("trigger")
        arguments = tuple(
            (found.get("role"), found.get("entity_mention_id") or found.get("filler_id"), found.line)
            for found in mention.all("em_arg", "arg")
        )
        yield read_mention(mention, label, trigger and _charseq(trigger), event.get("id"), arguments=arguments)


def _charseq(offsets: XmlElement, surface: XmlElement | None = None) -> CharSeq:
    return read_charseq(offsets, "offset", "length", (surface or offsets).text)
