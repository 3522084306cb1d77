"""Training of arguments on predicted mentions: what the tagger will meet beside the mentions of gold."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..models.bundle import Settings
from ..models.network import RasidModel

PREDICTED_FROM = 2 / 3
"""Share of the steps from which predicted mentions are added: by then the network predicts many rightly."""


def with_predicted_mentions(
    targets: Mapping[str, Tensor], logits: Mapping[str, Tensor], words: Tensor, network: RasidModel, settings: Settings
) -> dict[str, Tensor]:
    """Targets with the triggers and entities that the network predicts, beside those of gold.

    A predicted mention that gold lacks has no role. It is left out where its label or the arguments were not annotated:
    there, gold may lack it although it is right.

    Args:
        targets: of a batch.
        logits: of the batch.
        words: as for `RasidModel.forward`; tells padding from words. [B, W, 2]
        network: made the logits.
        settings: thresholds and temperatures of entities and triggers.
    """
    chain = network.chain
    if chain is not None:
        scores = chain.scores().detach().float().cpu().numpy()
        settings = replace(settings, transitions=tuple(map(tuple, scores.tolist())))
    lengths = (words[:, :, 1] > words[:, :, 0]).sum(1).tolist()
    owned = targets["owned"].cpu().numpy()
    added = dict(targets)
    for task in network.tasks:
        column = {"triggers": "argument_triggers", "entities": "argument_entities"}.get(task.name)
        if column is None or task.word_spans is None:
            continue
        annotated = targets[f"{column}_annotated"].cpu().numpy()
        rows = [
            (window, span.first, span.end, span.label)
            for window, values in enumerate(logits[task.name].detach().float().cpu().numpy())
            if annotated[window].any()
            for span in task.word_spans(values[: lengths[window]], settings)
            if annotated[window, span.label] and (task.name == "entities" or owned[window, span.first])
        ]
        gold = targets[column].cpu().numpy()
        both = np.concatenate([gold, np.array(rows, dtype=gold.dtype).reshape(-1, 4)])
        added[column] = torch.from_numpy(np.unique(both, axis=0)).to(targets[column].device)
    return added
