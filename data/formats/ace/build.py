"""Builds an article from standoff annotations and a source text."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from ....errors import shown
from ...articles import Argument, Article, Entity, Event, Span
from ...problems import ArticleLog, ProblemLog
from ..common.offsets import OffsetError, trimmed
from .names import joined
from .source_text import SourceText
from .standoff import Mention, Standoff

_OPTIONS = ("mentions", "values")


def build_article(
    standoff: Standoff,
    source: SourceText,
    log: ProblemLog,
    *,
    mentions: Collection[str],
    values: bool,
    name: str,
) -> Article:
    """The article of a document.

    Args:
        standoff: its annotations.
        source: the text, which maps the offsets.
        log: records bad annotations as dropped, and counts as fixed what has no place or the options exclude.
        mentions: levels of mentions to keep.
        values: keep values and time expressions.
        name: id of the article.
    """
    article_log = ArticleLog(log=log, article=name)
    if not source.usual:
        article_log.fix("counting", f"the offsets of the file count {source.counting}")
    reader = _MentionReader(
        source=source,
        log=log,
        article=name,
        ignored=Counter(standoff.ignored),
        event_ids=frozenset(event.id for event in standoff.events if event.id),
    )
    entities = reader.entities(standoff.mentions, mentions, values)
    events = reader.events(standoff.events, {entity.id for entity in entities if entity.id})
    # A made id that an argument refers to is kept.
    made = standoff.made_ids - {argument.entity for event in events for argument in event.arguments}
    entities = [replace(entity, id="") if entity.id in made else entity for entity in entities]
    events = [replace(event, id="") if event.id in made else event for event in events]
    reader.ignored["links between coreferent mentions"] = reader.links()
    for what, count in sorted(reader.ignored.items()):
        if count:
            option = next((f"; reading option {key} chooses them" for key in _OPTIONS if what.startswith(key)), "")
            article_log.fix(f"{what} left out", f"{count} {what} are left out{option}")
    return Article(
        text=source.text,
        id=name,
        entities=tuple(sorted(entities, key=lambda entity: (entity.start, -entity.end))),
        events=tuple(sorted(events, key=lambda event: event.trigger.start)),
    )


@dataclass(kw_only=True, slots=True)
class _MentionReader:
    """Turns mentions into entities and events, one after the other.

    Attributes:
        source: the text.
        log: records problems.
        article: id of the article.
        ignored: annotations that are left out → their number.
        event_ids: ids of all mentions of events.
        ids: ids in use.
        excluded: ids of the mentions that the options exclude.
        groups: id of an entity or event → number of mentions kept.
    """

    source: SourceText
    log: ProblemLog
    article: str
    ignored: Counter[str]
    event_ids: frozenset[str]
    ids: set[str] = field(default_factory=set)
    excluded: set[str] = field(default_factory=set)
    groups: Counter[str] = field(default_factory=Counter)

    def entities(self, mentions: Iterable[Mention], levels: Collection[str], values: bool) -> list[Entity]:
        kept: list[Entity] = []
        for mention in mentions:
            if mention.is_value and not values:
                self._exclude(mention, "values")
            elif mention.level and mention.level not in levels:
                self._exclude(mention, f"mentions of level {mention.level[:40]}")
            elif found := self._range(mention, "mention"):
                kept.append(Entity(start=found[0], end=found[1], label=mention.label, id=self._kept_id(mention)))
        return kept

    def events(self, mentions: Iterable[Mention], known: Collection[str]) -> list[Event]:
        kept: list[Event] = []
        for mention in mentions:
            if not (found := self._range(mention, "trigger")):
                continue
            trigger, arguments = Span(start=found[0], end=found[1]), self._arguments(mention, known)
            event = Event(trigger=trigger, types=(mention.label,), arguments=arguments, id=mention.id)
            if kept and (whole := joined(kept[-1], event)):
                kept[-1] = whole
            else:
                kept.append(replace(event, id=self._kept_id(mention)))
        return kept

    def links(self) -> int:
        """Number of coreference links; mentions without an entity or event have none."""
        return sum(count - 1 for group, count in self.groups.items() if group)

    def _at(self, line: int) -> ArticleLog:
        return ArticleLog(log=self.log, line=line, article=self.article)

    def _exclude(self, mention: Mention, what: str) -> None:
        self.excluded.add(mention.id)
        self.ignored[what] += 1

    def _kept_id(self, mention: Mention) -> str:
        """Count a mention as kept; returns its id, empty if another one has it."""
        self.groups[mention.group] += 1
        name = mention.id
        if name and name in self.ids:
            message = f"id {shown(name)} is used twice; the second mention has none now, and arguments mean the first"
            self._at(mention.line).fix("duplicate id", message)
            return ""
        self.ids.add(name)
        return name

    def _range(self, mention: Mention, kind: str) -> tuple[int, int] | None:
        """Where a mention is in the text, without white space at its edges; None, and logged, for a bad one."""
        what = f"{kind} {mention.label[:40]} {mention.id[:40]}"
        charseq = mention.charseq
        log = self._at(charseq.line if charseq else mention.line)
        if not mention.label:
            self._at(mention.line).drop("no type", f"{what} has no type")
            return None
        if charseq is None or charseq.start is None or charseq.end is None:
            stored = charseq.stored if charseq else "nothing"
            log.drop("no offsets", f"{what} has no offsets ({stored}); they must be two whole numbers")
            return None
        try:
            start, end, done = self.source.settle(charseq.start, charseq.end, charseq.surface)
        except OffsetError as error:
            log.drop("offsets", f"{what} at {charseq.stored}: {error}")
            return None
        if done:
            log.fix("offsets", f"{what} at {charseq.stored}: {done}")
        return trimmed(self.source.text, start, end, what, log)

    def _arguments(self, event: Mention, known: Collection[str]) -> tuple[Argument, ...]:
        kept = []
        for role, mention, line in event.arguments:
            if role and mention in known:
                kept.append(Argument(role=role, entity=mention))
            elif role and mention in self.excluded:
                self.ignored["arguments without their mention"] += 1
            elif role and mention in self.event_ids:
                self.ignored["events that are arguments"] += 1
            else:
                cause = "unknown id" if role else "no role"
                reason = "which is no mention of the article" if role else "without a role"
                what = f"{role[:40]} of {event.label[:40]} {event.id[:40]}"
                self._at(line).drop(cause, f"an argument {what} refers to {shown(mention)}, {reason}")
        return tuple(kept)
