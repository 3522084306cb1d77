"""Entities, Relations, Events of DEFT (light and rich ERE): what a ``deft_ere`` states.

``offset`` and ``length`` count every character of the source, its tags included.
"""

from collections.abc import Iterator

from ..common.xml_tree import Node
from .standoff import EventMention, Mention, Place, Standoff, number, parted


def read_ere(root: Node, *, extent: str, subtypes: bool, event_types: str) -> Standoff:
    """What the file states; fillers are values.

    Args:
        root: element ``deft_ere``.
        extent: ``head`` takes the ``nom_head`` of a mention that has one.
        subtypes: unused, as entities of ERE have none.
        event_types: ``full``, ``subtype`` or ``type``.
    """
    stated = Standoff(id=root.get("doc_id"), source=root.get("source_type"))
    for entity in root.all("entity"):
        stated.mentions += _mentions(entity, extent)
    for filler in root.all("filler"):
        mention = Mention(
            id=filler.get("id"),
            label=filler.get("type"),
            level="",
            value=True,
            place=_place(filler, filler),
            group="",
            line=filler.line,
        )
        stated.mentions.append(mention)
    for event in root.all("hopper", "event"):
        stated.events += _events(event, event_types)
        stated.left["attributes of events"] += any(
            mention.get("realis") not in ("", "actual") for mention in event.all("event_mention")
        )
    stated.left["relations"] = sum(1 for _ in root.all("relation"))
    return stated


def _mentions(entity: Node, extent: str) -> Iterator[Mention]:
    for mention in entity.all("entity_mention"):
        head = mention.first("nom_head") if extent == "head" else None
        yield Mention(
            id=mention.get("id"),
            label=entity.get("type"),
            level=mention.get("noun_type"),
            value=False,
            place=_place(head, head) if head else _place(mention, mention.first("mention_text") or mention),
            group=entity.get("id"),
            line=mention.line,
        )


def _events(event: Node, event_types: str) -> Iterator[EventMention]:
    for mention in event.all("event_mention"):
        trigger = mention.first("trigger")
        yield EventMention(
            id=mention.get("id"),
            label=parted(mention.get("type"), mention.get("subtype"), event_types),
            place=trigger and _place(trigger, trigger),
            arguments=tuple(
                (found.get("role"), found.get("entity_mention_id") or found.get("filler_id"), found.line)
                for found in mention.all("em_arg", "arg")
            ),
            group=event.get("id"),
            line=mention.line,
        )


def _place(node: Node, holder: Node) -> Place:
    start, length = number(node.get("offset")), number(node.get("length"))
    end = None if start is None or length is None else start + length
    stated = f"offset={node.get('offset')[:20]!r} length={node.get('length')[:20]!r}"
    return Place(start, end, holder.text, node.line, stated)
