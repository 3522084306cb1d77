"""ACE Program Format (APF 4 and 5, as in ACE 2004 and 2005): reads the element ``source_file``.

The offsets of a ``charseq`` count characters of the source without its tags, from 0; END is inclusive.
"""

from collections.abc import Iterator

from ....errors import shown
from ..common.xml_tree import XmlElement
from .names import AUTHOR, first_id
from .standoff import CharSeq, Mention, Standoff, joined_type, read_charseq, read_mention

# Default values of the attributes of an event.
_DEFAULTS = {"MODALITY": "Asserted", "POLARITY": "Positive", "GENERICITY": "Specific", "TENSE": "Unspecified"}
_UNKNOWN = ("", "unknown")


def read_apf(root: XmlElement, *, extent: str, subtypes: bool, event_types: str) -> Standoff | None:
    """The annotations of the first document of the file; None if there is no document.

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
    standoff = Standoff(id=documents[0].get("DOCID"), source="" if source in _UNKNOWN else source)
    standoff.ignored["documents of the same file"] = len(documents) - 1
    parts = "full" if subtypes else "type"
    for element in documents[0].children:
        match element.tag:
            case "entity" | "value" | "quantity":
                label = joined_type(element.get("TYPE"), element.get("SUBTYPE"), parts)
                standoff.mentions += _mentions(element, label, extent)
            case "timex2":
                standoff.mentions += _mentions(element, "TIMEX2", extent)
                standoff.ignored["dates of time expressions"] += bool(element.get("VAL"))
            case "event":
                standoff.events += _events(element, event_types)
                standoff.ignored["attributes of events"] += any(
                    element.get(name) not in ("", default) for name, default in _DEFAULTS.items()
                )
            case "relation":
                standoff.ignored["relations"] += 1
            case other:
                standoff.ignored[f"elements {shown(other)}"] += 1
    if root.get("AUTHOR") == AUTHOR:
        mentions = (*standoff.mentions, *standoff.events)
        standoff.made_ids = frozenset(item.id for item in mentions if item.group and item.id == first_id(item.group))
    return standoff


def _mentions(element: XmlElement, label: str, extent: str) -> Iterator[Mention]:
    is_value = element.tag != "entity"
    for mention in element.all(f"{element.tag}_mention"):
        chosen = mention.first("head") if extent == "head" else None
        charseq = _charseq(chosen or mention.first("extent"))
        level = "" if is_value else mention.get("TYPE")
        yield read_mention(mention, label, charseq, element.get("ID"), level=level, is_value=is_value)


def _events(element: XmlElement, event_types: str) -> Iterator[Mention]:
    label = joined_type(element.get("TYPE"), element.get("SUBTYPE"), event_types)
    for mention in element.all("event_mention"):
        arguments = tuple(
            (argument.get("ROLE"), argument.get("REFID"), argument.line)
            for argument in mention.all("event_mention_argument")
        )
        charseq = _charseq(mention.first("anchor"))
        yield read_mention(mention, label, charseq, element.get("ID"), arguments=arguments)


def _charseq(element: XmlElement | None) -> CharSeq | None:
    charseq = element and element.first("charseq")
    return charseq and read_charseq(charseq, "START", "END", charseq.text)
