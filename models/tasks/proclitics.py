"""Proclitics: how many letters of its first word stand before a mention, as و in وسوريا. They have no labels.

The task has no score of its own: a wrong proclitic is a wrong span of an entity or a trigger.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...data.windows.alignment import LONGEST_PROCLITIC
from ...data.windows.columns import IGNORED, word_column
from ...data.windows.targets import Gold
from .task import LossOptions, Task

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = LONGEST_PROCLITIC + 1


def make_targets(gold: Gold) -> dict[str, np.ndarray]:
    """Targets of the proclitics that entities and triggers have claimed.

    Returns:
        ``proclitics``, number of letters, `IGNORED` in words that begin no mention. [W] int8
    """
    letters = gold.proclitics.letters
    return {"proclitics": letters if gold.proclitics.annotated else np.full_like(letters, IGNORED)}


def loss(logits: "Tensor", targets: "Mapping[str, Tensor]", options: LossOptions) -> "Tensor":
    """Cross-entropy of the number of letters."""
    from torch.nn.functional import cross_entropy

    gold = targets["proclitics"].reshape(-1)
    return cross_entropy(logits.float().reshape(-1, CLASSES), gold, ignore_index=IGNORED, reduction="sum")


TASK = Task(
    name="proclitics",
    title="Proclitics of mentions",
    unit="word",
    width=lambda labels: CLASSES,
    columns=lambda labels: {"proclitics": word_column("int8")},
    targets=make_targets,
    loss=loss,
    count=lambda targets: (targets["proclitics"] != IGNORED).sum(),  # words that begin a mention
    label_logits=None,
)
"""Decodes nothing of its own: entities and triggers call `mentions.mention_offsets`."""
