"""Names of controls and made ids that the reader and the writer of Label Studio files share."""

import re

ENTITIES, TRIGGERS, EVENT_TYPES, TEXT = "entity", "trigger", "event_types", "text"
"""Names of the controls in the labeling configuration."""

MADE_ID = re.compile(r"rasid-[et]\d+")
"""Ids of regions that have none in the article; the reader removes them."""
