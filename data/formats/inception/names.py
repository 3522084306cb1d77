"""Layers (UIMA types) and features that the reader and the writer of INCEpTION files share."""

ENTITY_TYPE = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
METADATA_TYPE = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
EVENT_TYPE = "custom.Event"
LINK_TYPE = "custom.EventArgumentsLink"  # INCEpTION names the links of a slot feature LAYER + FEATURE + Link
EVENT_LABEL_TYPE = "custom.EventType"
ARTICLE_TYPE = "custom.Article"
ARGUMENTS_FEATURE = "arguments"
PREDICTED_FEATURE = "predicted"  # of an event type of the article that a model predicted
