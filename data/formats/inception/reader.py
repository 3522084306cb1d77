"""Reading: see the package."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ProblemLog
from ...text.words import trim
from ..common.lines import parse_json
from ..common.offsets import Offsets
from .archive import Document, read_archive
from .uima_cas import MAX_COVERED, Cas, CasError, Structure, parse_cas, read_content
from .writer import ARGUMENTS_FEATURE, ARTICLE_TYPE, ENTITY_TYPE, EVENT_LABEL_TYPE, EVENT_TYPE, METADATA_TYPE

_LABELS = ("value", "label", "types", "type", "category")  # features looked at where a layer is named without one
_NAMED_ENTITIES = ENTITY_TYPE.removesuffix("NamedEntity")  # DKPro has subtypes: Person, Location …
# What carries the document rather than somebody's judgement of it.
_STRUCTURAL = (
    "uima.",
    "de.tudarmstadt.ukp.dkpro.core.api.segmentation.",
    "de.tudarmstadt.ukp.dkpro.core.api.metadata.",
    "de.tudarmstadt.ukp.clarin.webanno.api.type.",
    "org.dkpro.core.api.pdf.",
    "org.dkpro.core.api.xml.",
)
_LINGUISTIC = ("de.tudarmstadt.", "org.dkpro.")  # layers of every project, mostly of no use here


def read_file(
    path: Path,
    log: ProblemLog,
    *,
    entity_layers: Collection[str] = (f"{ENTITY_TYPE}:value", "custom.Span:label"),
    event_layers: Collection[str] = (f"{EVENT_TYPE}:types",),
    relation_layers: Collection[str] = ("custom.Relation:label",),
    document_layers: Collection[str] = (f"{EVENT_LABEL_TYPE}:value",),
    ignored_layers: Collection[str] = (),
    triggers: Collection[str] = (),
    annotator: str = "",
) -> Iterator[tuple[int, Article]]:
    """Read the document of a file, or those of a zip archive; what cannot be used is left out and recorded.

    Args:
        path: an XMI or a JSON file, or an archive of a document or of a project; type systems are not needed.
        log: takes the problems and the count.
        entity_layers: span layers of which each annotation is an entity, as ``"custom.Span:label"``; without a feature
            the first of value, label, types, type and category.
        event_layers: span layers of which each annotation triggers an event.
        relation_layers: relation layers; one between an event and an entity, in either direction, is an argument.
        document_layers: document-level layers whose labels are event types of the whole article.
        ignored_layers: layers that are left aside and not reported.
        triggers: labels of the entity layers that are event types.
        annotator: whose version of the documents of a project's archive is read; without it the curated one, else that
            of the only annotator. ``CURATION_USER`` is the curator, ``INITIAL_CAS`` the document as it was imported.

    Yields:
        0, for there are no lines that matter, and the article. Its id is the one that it was written with, else the
        document's name in INCEpTION, else the name of the file. The log's source is then ``ARCHIVE!MEMBER``.
    """
    documents = read_archive(path, log, annotator) if path.suffix.lower() == ".zip" else _document(path, log)
    for document in documents:
        try:
            cas = parse_cas(document.content, json=document.json)
        except CasError as error:
            log.drop("not a CAS document", f"the document is left out: {error}", article=document.name)
            continue
        reading = _Reading(
            cas=cas,
            log=log,
            name=_name(cas) or document.name,
            entity_layers=_layers(entity_layers),
            event_layers=_layers(event_layers),
            relation_layers=_layers(relation_layers),
            document_layers=_layers(document_layers),
            triggers=frozenset(triggers),
        )
        log.articles += 1
        yield 0, reading.article(_layers(ignored_layers))


def _document(path: Path, log: ProblemLog) -> Iterator[Document]:
    """The document of a file, unless it cannot be read."""
    try:
        content = read_content(path)
    except (CasError, OSError) as error:
        log.drop("not a CAS document", f"the document is left out: {error}", article=path.stem)
        return
    yield Document(name=path.stem, content=content, json=path.suffix.lower() == ".json")


def _layers(named: Collection[str]) -> dict[str, str]:
    """Layer → the feature of its label, empty where it was not named."""
    names = [named] if isinstance(named, str) else named
    return {layer: feature for layer, _, feature in (name.partition(":") for name in names)}


def _name(cas: Cas) -> str:
    """The article's id as it was written, or the document's name."""
    for kind, feature in ((ARTICLE_TYPE, "id"), (METADATA_TYPE, "documentTitle"), (METADATA_TYPE, "documentId")):
        for structure in cas.structures.values():
            if structure.type == kind and isinstance(name := structure.features.get(feature), str) and name:
                return name if kind == ARTICLE_TYPE else name.removesuffix(".xmi").removesuffix(".json")
    return ""


@dataclass(kw_only=True)
class _Reading:
    """One document on its way to an article."""

    cas: Cas
    log: ProblemLog
    name: str
    entity_layers: dict[str, str]
    event_layers: dict[str, str]
    relation_layers: dict[str, str]
    document_layers: dict[str, str]
    triggers: frozenset[str]
    covered: int = 0
    owners: dict[int, tuple[int, str]] = field(default_factory=dict)
    offsets: Offsets = field(init=False)
    entities: dict[int, Entity] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)
    arguments: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.offsets = Offsets(self.cas.text)

    def drop(self, cause: str, message: str) -> None:
        self.log.drop(cause, message, article=self.name)

    def fix(self, cause: str, message: str) -> None:
        self.log.fix(cause, message, article=self.name)

    def article(self, ignored: Collection[str]) -> Article:
        for cause, message in self.cas.problems:
            self.drop(cause, message)
        labels: list[str] = []
        aside: Counter[str] = Counter()
        relations: list[Structure] = []
        for structure in self.cas.structures.values():
            kind = self._kind(structure)
            if kind in self.entity_layers or kind in self.event_layers:
                self._span(structure, kind)
            elif kind in self.relation_layers:
                relations.append(structure)
            elif structure.id not in self.cas.members:
                pass  # a link, an array, or deleted
            elif kind in self.document_layers:
                labels += self._labels(structure, self.document_layers[kind])
            elif kind not in ignored and kind != ARTICLE_TYPE and "sofa" in structure.features:
                aside[kind] += not kind.startswith(_STRUCTURAL)
        for event in self.events:
            self._slots(self.cas.structures[event])
        for relation in relations:
            self._relation(relation)
        self._report(+aside)
        return self._assembled(tuple(dict.fromkeys(labels)))

    def _kind(self, structure: Structure) -> str:
        if structure.type in self.entity_layers or not structure.type.startswith(_NAMED_ENTITIES):
            return structure.type
        return ENTITY_TYPE

    def _labels(self, structure: Structure, feature: str) -> tuple[str, ...]:
        names = [feature] if feature else _LABELS
        for name in names:
            if self._is_own(structure, name) and (labels := self.cas.strings(structure, name)):
                return labels
        return ()

    def _is_own(self, structure: Structure, feature: str) -> bool:
        """Whether a feature's values are in no array that another holds: one shared by many would be read for each."""
        array = self.cas.structures.get(structure.number(feature) or 0)
        if array is None or "elements" not in array.features:
            return True
        owner = self.owners.setdefault(array.id, (structure.id, feature))
        if owner != (structure.id, feature):
            message = f"{feature} of structure {structure.id} is the array {array.id}, which structure {owner[0]} holds"
            self.drop("shared array", f"{message}; it is read once")
        return owner == (structure.id, feature)

    def _span(self, structure: Structure, kind: str) -> None:
        """Take a span as an entity or an event, or say why not."""
        what = f"{kind.rpartition('.')[2]} with the id {structure.id}"
        feature = self.entity_layers.get(kind, self.event_layers.get(kind, ""))
        labels = self._labels(structure, feature)
        if labels:
            what = f"{'+'.join(labels)} ({what})"
        begin, end = structure.number("begin"), structure.number("end")
        found = None if begin is None or end is None else self.offsets.from_utf16(begin, end)
        if structure.number("sofa") != self.cas.sofa:
            self.drop("other view", f"{what} is of another view than the text that is read")
        elif structure.id not in self.cas.members:
            self.drop("not in the index", f"{what} is in the file but not in the index of its view: it was deleted")
        elif found is None:
            place = f"{structure.features.get('begin')!r:.30}-{structure.features.get('end')!r:.30}"
            message = (
                f"{what} {place} is empty, outside the text of {len(self.cas.text)} code points, or cuts a character"
            )
            self.drop("span outside the text", f"{message}; offsets count UTF-16 units, the end is exclusive")
        elif not labels:
            message = f"{what} {self.cas.text[found[0] : found[1]][:60]!r} has no {feature or 'label'}; label it"
            self.drop("no label", message)
        else:
            self._settled(structure, kind, labels, found)

    def _settled(self, structure: Structure, kind: str, labels: tuple[str, ...], found: tuple[int, int]) -> None:
        surface, label = self.cas.text[found[0] : found[1]], labels[0]
        start, end = trim(self.cas.text, *found) if surface != surface.strip() else found
        what = f"{'+'.join(labels)} {found[0]}-{found[1]} {surface[:60]!r}"
        self.covered += end - start
        if self.covered > MAX_COVERED:
            self.drop("too many spans", f"{what}: the spans cover over {MAX_COVERED >> 20} million characters together")
            return
        if start == end:
            self.drop("empty span", f"{what} covers nothing that is seen")
            return
        if (start, end) != found:
            self.fix("white space at an edge", f"{what} is taken without it: {self.cas.text[start:end][:60]!r}")
        name = structure.features.get("id")
        name = name if isinstance(name, str) else ""
        if kind in self.event_layers or label in self.triggers:
            trigger = Span(start=start, end=end)
            self.events[structure.id] = Event(trigger=trigger, types=tuple(dict.fromkeys(labels)), id=name)
            return
        if len(labels) > 1:
            self.drop("several labels", f"{what}: an entity has one, the first is taken")
        self.entities[structure.id] = Entity(start=start, end=end, label=label, id=name)

    def _slots(self, event: Structure) -> None:
        """Arguments from the links that an event holds; which features hold them is seen from what they refer to."""
        for feature in (name for name in event.features if name not in ("sofa", "begin", "end", "id")):
            links, missing = self.cas.referred(event, feature) if self._is_own(event, feature) else ([], [])
            links = [link for link in links if "target" in link.features]
            for link in links:
                self._argument(event.id, link.features.get("role"), link.number("target"), f"link {link.id}")
            if links or feature == ARGUMENTS_FEATURE:  # else it may be a plain number
                for number in missing:
                    self.drop("unknown id", f"{feature} of event {event.id} names {number}, which the file lacks")

    def _relation(self, relation: Structure) -> None:
        """An argument from a relation between an event and an entity, whichever it was drawn from."""
        what = f"{relation.type.rpartition('.')[2]} with the id {relation.id}"
        source, target = relation.number("Governor"), relation.number("Dependent")
        roles = self._labels(relation, self.relation_layers[relation.type])
        if relation.id not in self.cas.members:
            self.drop("not in the index", f"{what} is in the file but not in the index of its view: it was deleted")
        elif source in self.events:
            self._argument(source, "+".join(roles), target, what)
        elif target in self.events:
            self._argument(target, "+".join(roles), source, what)
        else:
            message = f"{what} {'+'.join(roles)!r:.60} goes from {source} to {target}, of which none is an event"
            self.drop("relation of no event", f"{message}; relations between entities are not kept")

    def _argument(self, event: int, role: object, target: int | None, what: str) -> None:
        if not isinstance(role, str) or not role:
            self.drop("no role", f"{what} of event {event} has no role; name it")
        elif target not in self.entities:
            self.drop(
                "unknown id", f"{what}: {role!r:.60} of event {event} is {target}, which is no entity that was read"
            )
        else:
            self.arguments.setdefault(event, []).append((role, target))

    def _report(self, aside: Counter[str]) -> None:
        """Say which layers were not read."""
        for layer, count in aside.items():
            message = f"{count} annotations of layer {layer} are not read"
            if layer.startswith(_LINGUISTIC):
                self.fix("layer left aside", message)
            else:
                self.drop("layer not read", f"{message}; name it in entity_layers, event_layers … or ignored_layers")

    def _assembled(self, labels: tuple[str, ...]) -> Article:
        self._name_apart()
        events = []
        for number, event in self.events.items():
            arguments = tuple(
                Argument(role=role, entity=self.entities[target].id) for role, target in self.arguments.get(number, ())
            )
            events.append(replace(event, arguments=arguments))
        return Article(
            text=self.cas.text,
            id=self.name,
            entities=tuple(sorted(self.entities.values(), key=lambda entity: (entity.start, -entity.end))),
            events=tuple(sorted(events, key=lambda event: event.trigger.start)),
            event_types=labels,
            **self._about(),
        )

    def _name_apart(self) -> None:
        """Take away ids that are used twice, and give one to the entities that are arguments and have none."""
        used: set[str] = set()

        def name(given: str, number: int) -> str:
            if given and given in used:
                message = f"id {given!r:.60} is used twice; structure {number} is read without it"
                self.fix("duplicate id", message)
                return ""
            used.add(given)
            return given

        self.entities = {number: replace(item, id=name(item.id, number)) for number, item in self.entities.items()}
        self.events = {number: replace(item, id=name(item.id, number)) for number, item in self.events.items()}
        for number in sorted({target for pairs in self.arguments.values() for _, target in pairs}):
            if not self.entities[number].id:
                free = next(free for free in _names(number) if free not in used)
                used.add(free)
                self.entities[number] = replace(self.entities[number], id=free)

    def _about(self) -> dict[str, Any]:
        """Title, date, source and meta as `write_files` stores them."""
        found = [structure for structure in self.cas.structures.values() if structure.type == ARTICLE_TYPE]
        if not found:
            return {}
        stored = found[0].features
        about: dict[str, Any] = {}
        for key in ("title", "date", "source"):
            if isinstance(stored.get(key), str):
                about[key] = stored[key]
        if "meta" in stored:
            try:
                about["meta"] = parse_json(str(stored["meta"]))
            except ValueError as error:
                self.drop("meta", f"meta is {stored['meta']!r:.60}: {error}")
            else:
                if not isinstance(about["meta"], dict):
                    self.drop("meta", f"meta is {stored['meta']!r:.60}; it must be an object")
                    del about["meta"]
        return about


def _names(number: int) -> Iterator[str]:
    yield str(number)
    for suffix in itertools.count(1):
        yield f"{number}-{suffix}"
