"""ACE Program Format (APF 4 and 5, as in ACE 2004 and 2005): what a ``source_file`` states.

``charseq`` counts characters of the source without its tags, from 0, END inclusive.
"""

from collections.abc import Iterator

from ..common.xml_tree import Node
from .standoff import AUTHOR, EventMention, Mention, Place, Standoff, first_id, number, parted

# What a file says of an event where its annotator had nothing to say.
_PLAIN = {"MODALITY": "Asserted", "POLARITY": "Positive", "GENERICITY": "Specific", "TENSE": "Unspecified"}
_UNSAID = ("", "unknown")


def read_apf(root: Node, *, extent: str, subtypes: bool, event_types: str) -> Standoff | None:
    """What the first document of the file states; None where there is none.

    Args:
        root: element ``source_file``.
        extent: ``head`` or ``extent`` of a mention.
        subtypes: labels are TYPE.SUBTYPE.
        event_types: ``full``, ``subtype`` or ``type``.
    """
    documents = list(root.all("document"))
    if not documents:
        return None
    source = root.get("SOURCE")
    stated = Standoff(id=documents[0].get("DOCID"), source="" if source in _UNSAID else source)
    stated.left["documents of the same file"] = len(documents) - 1
    parts = "full" if subtypes else "type"
    for node in documents[0].children:
        match node.tag:
            case "entity" | "value" | "quantity":
                label = parted(node.get("TYPE"), node.get("SUBTYPE"), parts)
                stated.mentions += _mentions(node, label, extent)
            case "timex2":
                stated.mentions += _mentions(node, "TIMEX2", extent)
                stated.left["dates of time expressions"] += bool(node.get("VAL"))
            case "event":
                stated.events += _events(node, event_types)
                stated.left["attributes of events"] += any(
                    node.get(name) not in ("", plain) for name, plain in _PLAIN.items()
                )
            case "relation":
                stated.left["relations"] += 1
            case other:
                stated.left[f"elements {other[:40]!r}"] += 1
    if root.get("AUTHOR") == AUTHOR:
        mentions = (*stated.mentions, *stated.events)
        stated.nameless = frozenset(item.id for item in mentions if item.group and item.id == first_id(item.group))
    return stated


def _mentions(node: Node, label: str, extent: str) -> Iterator[Mention]:
    value = node.tag != "entity"
    for mention in node.all(f"{node.tag}_mention"):
        chosen = mention.first("head") if extent == "head" else None
        yield Mention(
            id=mention.get("ID"),
            label=label,
            level="" if value else mention.get("TYPE"),
            value=value,
            place=_place(chosen or mention.first("extent")),
            group=node.get("ID"),
            line=mention.line,
        )


def _events(node: Node, event_types: str) -> Iterator[EventMention]:
    label = parted(node.get("TYPE"), node.get("SUBTYPE"), event_types)
    for mention in node.all("event_mention"):
        yield EventMention(
            id=mention.get("ID"),
            label=label,
            place=_place(mention.first("anchor")),
            arguments=tuple(
                (argument.get("ROLE"), argument.get("REFID"), argument.line)
                for argument in mention.all("event_mention_argument")
            ),
            group=node.get("ID"),
            line=mention.line,
        )


def _place(node: Node | None) -> Place | None:
    sequence = node and node.first("charseq")
    if sequence is None:
        return None
    start, last = number(sequence.get("START")), number(sequence.get("END"))
    stated = f"START={sequence.get('START')[:20]!r} END={sequence.get('END')[:20]!r}"
    return Place(start, None if last is None else last + 1, sequence.text, sequence.line, stated)
