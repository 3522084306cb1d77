"""Builds an article from the feature structures of a CAS document."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ....errors import shown
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ArticleLog
from ..common.file_names import free_name
from ..common.lines import parse_object
from ..common.offsets import Offsets, trimmed
from .names import ARGUMENTS_FEATURE, ARTICLE_TYPE, ENTITY_TYPE, PREDICTED_FEATURE
from .uima_cas import MAX_COVERED, Cas, Structure

_LABELS = ("value", "label", "types", "type", "category")  # label features of layers that are named without one
_NAMED_ENTITIES = ENTITY_TYPE.removesuffix("NamedEntity")  # the package has subtypes: Person, Location …
# Layers of the document's structure, which hold no annotations of a person.
_STRUCTURAL = (
    "uima.",
    "de.tudarmstadt.ukp.dkpro.core.api.segmentation.",
    "de.tudarmstadt.ukp.dkpro.core.api.metadata.",
    "de.tudarmstadt.ukp.clarin.webanno.api.type.",
    "org.dkpro.core.api.pdf.",
    "org.dkpro.core.api.xml.",
)
_LINGUISTIC = ("de.tudarmstadt.", "org.dkpro.")  # linguistic layers that every project has
_PLACES = ("sofa", "begin", "end", "id")
_UNSET = ("", "false", False, 0, None)  # XMI stores truth values as strings


@dataclass(frozen=True, kw_only=True, slots=True)
class Layers:
    """What to read, see `read_file`: layers with their label features, empty where none is named."""

    entity: Mapping[str, str]
    event: Mapping[str, str]
    relation: Mapping[str, str]
    document: Mapping[str, str]
    ignored: frozenset[str]
    triggers: frozenset[str]
    predictions: bool = False


def build_article(cas: Cas, layers: Layers, log: ArticleLog) -> Article:
    """The article of a document.

    Args:
        cas: the document.
        layers: the layers to read.
        log: records problems; names the article.
    """
    for cause, message in cas.problems:
        log.drop(cause, message)
    reader = _CasReader(cas=cas, layers=layers, log=log, offsets=Offsets(cas.text))
    types = reader.read_structures()
    reader.make_ids_unique()
    return Article(
        text=cas.text,
        id=log.article,
        entities=tuple(sorted(reader.entities.values(), key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(reader.events_with_arguments(), key=lambda event: event.trigger.start)),
        event_types=types,
        **_metadata(cas, log),
    )


@dataclass(kw_only=True)
class _CasReader:
    """Reads feature structures; all dictionaries have ids of structures as keys.

    Attributes:
        covered: code points that the spans cover together so far.
        owners: id of an array → (id, feature) of the structure that holds it.
        entities: entities read.
        events: events read, without arguments.
        arguments: id of an event → (role, id of an entity).
        left_out: (layer, feature) → number of values that have no place in an article.
    """

    cas: Cas
    layers: Layers
    log: ArticleLog
    offsets: Offsets
    covered: int = 0
    owners: dict[int, tuple[int, str]] = field(default_factory=dict)
    entities: dict[int, Entity] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    arguments: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def read_structures(self) -> tuple[str, ...]:
        """Fill entities, events and arguments; returns the event types of the article."""
        types: list[str] = []
        unread: dict[str, list[Structure]] = defaultdict(list)
        relations: list[Structure] = []
        layers = self.layers
        for structure in self.cas.structures.values():
            layer = self._layer(structure)
            if layer in layers.entity or layer in layers.event:
                self._span(structure, layer)
            elif layer in layers.relation:
                relations.append(structure)
            elif structure.id not in self.cas.members:
                pass  # a link, an array, or deleted
            elif layer in layers.document:
                types += self._event_types(structure, layers.document[layer])
            elif "sofa" in structure.features and not layer.startswith(_STRUCTURAL):
                if layer not in layers.ignored and layer != ARTICLE_TYPE:
                    unread[layer].append(structure)
        for event in self.events:
            self._slots(self.cas.structures[event])
        for relation in relations:
            self._relation(relation)
        for layer, structures in unread.items():
            self._unread_layer(layer, structures)
        for (layer, feature), count in self.left_out.items():
            message = f"{count} values of feature {shown(feature)} of layer {layer} have no place in an article"
            self.log.fix("feature left out", message)
        return tuple(dict.fromkeys(types))

    def _event_types(self, structure: Structure, feature: str) -> tuple[str, ...]:
        """The event types of a document-level annotation, unless a model predicted them."""
        labels = self._labels(structure, feature)
        if self.layers.predictions or structure.features.get(PREDICTED_FEATURE) in _UNSET:
            return labels
        message = f"{structure} ({'+'.join(labels)}) was predicted by a model and is left out; to confirm it, clear its"
        self.log.fix("prediction", f"{message} feature {PREDICTED_FEATURE}, or read with predictions=true")
        return ()

    def _unread_layer(self, layer: str, structures: Sequence[Structure]) -> None:
        """Record a layer that is not read. One that may hold mentions or arguments is dropped."""
        message = f"{len(structures)} annotations of layer {layer} are not read"
        ends = {structure.number(end) for structure in structures for end in ("Governor", "Dependent")}
        if layer.startswith(_LINGUISTIC):
            self.log.fix("layer ignored", message)
        elif not any("begin" in structure.features for structure in structures):
            self.log.fix("layer left out", f"{message}; name it in document_layers if its labels are event types")
        elif ends != {None} and ends.isdisjoint(self.events):
            self.log.fix("relation left out", f"{message}: its relations are not those of events")
        else:
            message += "; name it in entity_layers, event_layers, relation_layers or ignored_layers"
            self.log.drop("layer not read", message)

    def events_with_arguments(self) -> Iterator[Event]:
        """The events; every argument refers to an entity by its id."""
        for number, event in self.events.items():
            pairs = self.arguments[number]
            arguments = tuple(Argument(role=role, entity=self.entities[target].id) for role, target in pairs)
            yield replace(event, arguments=arguments)

    def make_ids_unique(self) -> None:
        """Remove ids that are used twice, and give one to entities that are arguments and have none."""
        taken: dict[str, int] = {}
        for mentions in (self.entities, self.events):
            for number, mention in mentions.items():
                if mention.id in taken:
                    message = f"id {shown(mention.id)} is used twice; structure {number} is read without it"
                    self.log.fix("duplicate id", message)
                    mentions[number] = replace(mention, id="")  # pyright: ignore[reportArgumentType]
                elif mention.id:
                    taken[mention.id] = 1
        for number in sorted({target for pairs in self.arguments.values() for _, target in pairs}):
            if not self.entities[number].id:
                self.entities[number] = replace(self.entities[number], id=free_name(str(number), taken, key=str))

    def _layer(self, structure: Structure) -> str:
        if structure.type in self.layers.entity or not structure.type.startswith(_NAMED_ENTITIES):
            return structure.type
        return ENTITY_TYPE

    def _labels(self, structure: Structure, feature: str) -> tuple[str, ...]:
        return self._label(structure, feature)[1]

    def _label(self, structure: Structure, feature: str) -> tuple[str, tuple[str, ...]]:
        """The label feature of a structure and its labels; empty if it has none."""
        for name in [feature] if feature else _LABELS:
            if self._is_owner(structure, name) and (labels := self.cas.strings(structure, name)):
                return name, labels
        return "", ()

    def _is_owner(self, structure: Structure, feature: str) -> bool:
        """Whether no other structure holds the array of a feature; a shared array is read once, not for each."""
        array = self.cas.structures.get(structure.number(feature) or 0)
        if array is None or "elements" not in array.features:
            return True
        owner = self.owners.setdefault(array.id, (structure.id, feature))
        if owner != (structure.id, feature):
            message = f"{feature} of structure {structure.id} is the array {array.id} of structure {owner[0]}"
            self.log.drop("shared array", f"{message}; it is read once")
        return owner == (structure.id, feature)

    def _span(self, structure: Structure, layer: str) -> None:
        """Read a span as an entity or an event; one that cannot be used is logged."""
        feature = self.layers.entity.get(layer, self.layers.event.get(layer, ""))
        label, labels = self._label(structure, feature)
        what = f"{'+'.join(labels)} ({structure})" if labels else str(structure)
        begin, end = structure.number("begin"), structure.number("end")
        found = None if begin is None or end is None else self.offsets.from_utf16(begin, end)
        if structure.number("sofa") != self.cas.sofa:
            self.log.drop("other view", f"{what} belongs to another view than the text")
        elif structure.id not in self.cas.members:
            self.log.drop("not in the index", f"{what} is not in the index of its view: it was deleted")
        elif found is None:
            place = f"{shown(structure.features.get('begin'))}-{shown(structure.features.get('end'))}"
            length = len(self.cas.text)
            message = f"{what} {place} is empty, outside the text of {length} code points, or splits a character"
            self.log.drop("span outside the text", f"{message}; offsets count UTF-16 units, the end is exclusive")
        elif not labels:
            message = f"{what} {shown(self.cas.text[slice(*found)])} has no {feature or 'label'}; label it"
            self.log.drop("no label", message)
        elif inner := trimmed(self.cas.text, *found, what, self.log):
            self._add_span(structure, labels, *inner, layer in self.layers.event)
            others = (name for name in structure.features if name not in (*_PLACES, label))
            self.left_out.update((layer, name) for name in others if self._is_set(structure, name))

    def _add_span(self, structure: Structure, labels: tuple[str, ...], start: int, end: int, is_event: bool) -> None:
        what, label = f"{'+'.join(labels)} ({structure})", labels[0]
        name = structure.features.get("id")
        name = name if isinstance(name, str) else ""
        self.covered += end - start
        if self.covered > MAX_COVERED:
            limit = f"{MAX_COVERED >> 20} million characters"
            self.log.drop("too many spans", f"{what}: the spans cover more than {limit} together")
        elif is_event or label in self.layers.triggers:
            trigger = Span(start=start, end=end)
            self.events[structure.id] = Event(trigger=trigger, types=tuple(dict.fromkeys(labels)), id=name)
        else:
            if len(labels) > 1:
                self.log.drop("several labels", f"{what}: an entity has one label, the first is read")
            self.entities[structure.id] = Entity(start=start, end=end, label=label, id=name)

    def _is_set(self, structure: Structure, feature: str) -> bool:
        """Whether a feature has a value that is not read: it holds no arguments of an event."""
        links = self.cas.referred(structure, feature)[0] if structure.id in self.events else []
        is_slot = feature == ARGUMENTS_FEATURE or any("target" in link.features for link in links)
        value = structure.features[feature]
        return not is_slot and (isinstance(value, list | dict) or value not in _UNSET)

    def _slots(self, event: Structure) -> None:
        """Read arguments from the links of an event; features that hold links are found by their targets."""
        for feature in (name for name in event.features if name not in _PLACES):
            links, missing = self.cas.referred(event, feature) if self._is_owner(event, feature) else ([], [])
            links = [link for link in links if "target" in link.features]
            for link in links:
                self._argument(event.id, link.features.get("role"), link.number("target"), f"link {link.id}")
            if links or feature == ARGUMENTS_FEATURE:  # other features may be plain numbers
                for number in missing:
                    self.log.drop("unknown id", f"{feature} of event {event.id} refers to {number}, which is missing")

    def _relation(self, relation: Structure) -> None:
        """Read an argument from a relation between an event and an entity, in either direction."""
        what = str(relation)
        source, target = relation.number("Governor"), relation.number("Dependent")
        role = "+".join(self._labels(relation, self.layers.relation[relation.type]))
        if relation.id not in self.cas.members:
            self.log.drop("not in the index", f"{what} is not in the index of its view: it was deleted")
        elif source in self.events:
            self._argument(source, role, target, what)
        elif target in self.events:
            self._argument(target, role, source, what)
        elif source in self.cas.structures and target in self.cas.structures:
            message = f"{what} {shown(role)} goes from {source} to {target}; neither is an event that was read"
            self.log.fix("relation left out", message)
        else:
            message = f"{what} {shown(role)} goes from {source} to {target}, and one of them is missing"
            self.log.drop("unknown id", message)

    def _argument(self, event: int, role: object, target: int | None, what: str) -> None:
        if not isinstance(role, str) or not role:
            self.log.drop("no role", f"{what} of event {event} has no role; name it")
        elif target in self.events:
            message = f"{what}: {shown(role)} of event {event} is event {target}; arguments are entities"
            self.log.fix("event as an argument", f"{message}, so it is left out")
        elif target not in self.entities:
            message = f"{what}: {shown(role)} of event {event} refers to {target}, which is no entity that was read"
            self.log.drop("unknown id", message)
        else:
            self.arguments[event].append((role, target))


def _metadata(cas: Cas, log: ArticleLog) -> dict[str, Any]:
    """Title, date, source and meta as `write_files` stores them."""
    stored = next((structure.features for structure in cas.structures.values() if structure.type == ARTICLE_TYPE), {})
    metadata: dict[str, Any] = {
        key: stored[key] for key in ("title", "date", "source") if isinstance(stored.get(key), str)
    }
    if "meta" in stored:
        try:
            metadata["meta"] = parse_object(str(stored["meta"]))
        except ValueError as error:
            log.drop("meta", f"meta is {shown(stored['meta'])}: {error}")
    return metadata
