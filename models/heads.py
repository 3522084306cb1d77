"""Parts of the network between the encoder's states and the logits of the tasks."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .pairs import SIZE, RoleWeights, feature_count


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadInputs:
    """What the heads read.

    Attributes:
        words: states of the words. [B, W, H]
        valid: which words are real, not padding. [B, W] bool
        sentences: first and one-past-last word of each sentence; padding is 0, 0. [B, S, 2]
        sentence_numbers: number of each sentence in its article. [B, S]
        tasks: tasks that the network is trained for.
    """

    words: Tensor
    valid: Tensor
    sentences: Tensor
    sentence_numbers: Tensor
    tasks: AbstractSet[str]


def members(ranges: Tensor, count: int) -> Tensor:
    """Which of ``count`` positions are in each range [B, R, 2], whose end is exclusive. [B, R, count] bool"""
    position = torch.arange(count, device=ranges.device)
    return (position >= ranges[:, :, :1]) & (position < ranges[:, :, 1:])


class Standardization(nn.Module):
    """Shifts and scales every dimension of the encoder's states to mean 0 and standard deviation 1 (LeCun et al. 1998).

    All states of an encoder share a large mean, and their scale differs from encoder to encoder. The gradient of a head
    is a product with the states: unless the mean is removed, it is a second bias in every weight, and Adam's steps
    follow the number of positives in a batch. Mean and deviation are those before training, and stay constant.

    Args:
        hidden: size of the states.
    """

    LEAST = 0.1
    """Smallest deviation, as a share of the root mean square: a dimension that is constant must not become noise."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(hidden))
        self.register_buffer("deviation", torch.ones(hidden))

    def fit(self, states: Tensor) -> None:
        """Set mean and deviation from states. [N, H]"""
        deviation, mean = torch.std_mean(states.float(), dim=0, correction=0)
        least = self.LEAST * float(deviation.square().mean().sqrt())
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.clamp(min=max(least, 1e-6)))

    def forward(self, states: Tensor) -> Tensor:
        """[…, H]"""
        return (states - self.mean) / self.deviation


class WordPooling(nn.Module):
    """States of the sub-words of a word to one state.

    Args:
        pooling: ``first`` sub-word, ``mean`` of all, or learned ``attention`` over them.
        hidden: size of the states.
    """

    def __init__(self, pooling: str, hidden: int) -> None:
        super().__init__()
        self.pooling = pooling
        self.score = nn.Linear(hidden, 1) if pooling == "attention" else None

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """States [B, T, H] and words [B, W, 2] (first and one past the last sub-word) to [B, W, H]."""
        if self.pooling == "first":
            index = words[:, :, :1].expand(-1, -1, states.shape[-1])  # [B, W, H]
            return states.gather(1, index)
        weight = members(words, states.shape[1]).to(states.dtype)  # [B, W, T]
        if self.score is not None:
            # With bounded scores exp stays finite in every precision; the maximum need not be subtracted.
            weight = weight * torch.exp(10 * torch.tanh(self.score(states).transpose(1, 2) / 10))
        weight = weight / weight.sum(-1, keepdim=True).clamp(min=1e-6)
        return weight @ states  # [B, W, H]


class SpanHead(nn.Module):
    """Scores of all spans of up to a number of words, for every label.

    The score of a span is a low-rank biaffine product of its first and last word (Dozat and Manning 2017, Yu et al.
    2020), plus linear terms of the first word, of the last word, of the mean of all words and of the length.

    Args:
        hidden: size of the word states.
        labels: number of labels.
        width: number of words of the longest span.
        rank: of the biaffine product.
    """

    FIRST_BIAS = -5.0  # spans are rare (Lin et al. 2017)

    def __init__(self, hidden: int, labels: int, width: int, rank: int = 64) -> None:
        super().__init__()
        self.width = width
        self.first, self.last = nn.Linear(hidden, rank), nn.Linear(hidden, rank)
        self.product = nn.Linear(rank, labels, bias=False)
        self.linear = nn.Linear(hidden, 3 * labels)
        self.length = nn.Embedding(width, labels)

    def initialize(self) -> None:
        """Draw the first weights of the product, and set the bias."""
        for layer in (self.first, self.last):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        nn.init.normal_(self.product.weight, std=0.5 * self.product.in_features**-0.5)
        nn.init.constant_(self.linear.bias, 0.0)
        nn.init.constant_(self.length.weight, self.FIRST_BIAS)

    def forward(self, words: Tensor, valid: Tensor, impossible: float) -> Tensor:
        """Word states to logits of the spans that start at each word.

        Args:
            words: [B, W, H]
            valid: which words are real. [B, W] bool
            impossible: logit of a span that ends behind the last word.

        Returns:
            [B, W, width * labels]
        """
        batch, count = words.shape[:2]
        steps = torch.arange(self.width, device=words.device)
        last = torch.arange(count, device=words.device)[:, None] + steps  # [W, D]
        inside = last < count
        last = last.clamp(max=count - 1).reshape(-1)  # [W * D]
        shape = (batch, count, self.width, -1)
        ends = nn.functional.gelu(self.last(words)).index_select(1, last).reshape(shape)  # [B, W, D, R]
        product = self.product(nn.functional.gelu(self.first(words))[:, :, None] * ends)  # [B, W, D, L]
        of_first, of_last, of_all = self.linear(words).chunk(3, dim=-1)  # [B, W, L] each
        total = nn.functional.pad(of_all.float().cumsum(1), (0, 0, 1, 0))  # [B, W + 1, L]
        mean = total[:, 1:].index_select(1, last).reshape(shape) - total[:, :-1][:, :, None]
        mean = mean / (steps + 1)[:, None]
        scores = product + of_first[:, :, None] + of_last.index_select(1, last).reshape(shape) + mean
        scores = scores + self.length.weight
        possible = valid.index_select(1, last).reshape(batch, count, self.width) & inside  # [B, W, D]
        return scores.masked_fill(~possible[..., None], impossible).reshape(batch, count, -1)


class ArgumentHead(nn.Module):
    """States of words, and the weights that turn the states of a trigger and an entity into logits of roles.

    The network gives the states of all words. The pairs are made when triggers and entities are known, and scored by
    `pairs.role_logits`.

    Args:
        hidden: size of the word states.
        types: number of event types.
        labels: number of entity labels.
        roles: number of roles.
    """

    FIRST_BIAS = -3.0  # a pair rarely has a given role

    def __init__(self, hidden: int, types: int, labels: int, roles: int) -> None:
        super().__init__()
        self.types, self.labels = types, labels
        self.words = nn.Linear(hidden, 4 * SIZE)
        self.features = nn.Embedding(feature_count(types, labels), SIZE)
        self.roles = nn.Linear(SIZE, roles)
        self.product = nn.Linear(SIZE, roles, bias=False)

    def initialize(self) -> None:
        """Draw the first weights, and set the bias."""
        nn.init.normal_(self.words.weight, std=self.words.in_features**-0.5)
        nn.init.normal_(self.features.weight, std=0.5)
        for layer in (self.roles, self.product):
            nn.init.normal_(layer.weight, std=0.5 * SIZE**-0.5)
        nn.init.constant_(self.roles.bias, self.FIRST_BIAS)

    def forward(self, words: Tensor) -> Tensor:
        """Word states [B, W, H] to the states that `role_logits` reads. [B, W, 4 * SIZE]"""
        return self.words(words)

    def weights(self) -> RoleWeights:
        """What scores the pairs."""
        return RoleWeights(self.features.weight, self.roles.weight, self.product.weight, self.roles.bias)


class SentenceHead(nn.Module):
    """Label-wise attention over the words of a sentence (Mullenbach et al. 2018): each label has its own weights.

    Args:
        hidden: size of the word states.
        labels: number of labels.
    """

    def __init__(self, hidden: int, labels: int) -> None:
        super().__init__()
        self.attention = nn.Linear(hidden, labels)
        self.value = nn.Linear(hidden, labels)

    def forward(self, words: Tensor, sentences: Tensor) -> Tensor:
        """Word states [B, W, H] and ranges of words [B, S, 2] to logits [B, S, K]."""
        with torch.autocast(words.device.type, enabled=False):
            score = torch.exp(10 * torch.tanh(self.attention(words.float()) / 10))  # [B, W, K]
            mask = members(sentences, words.shape[1]).float()  # [B, S, W]
            return (mask @ (score * self.value(words.float()))) / (mask @ score).clamp(min=1e-6)  # [B, S, K]


class ArticleHead(nn.Module):
    """Logits of the article from each sentence: its sentence logits, scaled, plus a bias for the sentence's position.

    News has its topic in title and lead, so a label of the article is a label of a sentence near its beginning. The few
    parameters can be learned from a few hundred labeled articles.

    Args:
        labels: number of labels.
        places: number of positions with a bias of their own; later sentences share the last one.
    """

    def __init__(self, labels: int, places: int) -> None:
        super().__init__()
        self.place = nn.Embedding(places, 1)
        self.scale = nn.Parameter(torch.ones(labels))
        self.bias = nn.Parameter(torch.zeros(labels))

    def forward(self, sentences: Tensor, number: Tensor) -> Tensor:
        """Sentence logits [B, S, K] and numbers of the sentences in their article [B, S] to logits [B, S, K]."""
        place = self.place(number.clamp(max=self.place.num_embeddings - 1))  # [B, S, 1]
        return sentences * self.scale + place + self.bias


class LinearChain(nn.Module):
    """A linear-chain CRF over word tags (Lafferty et al. 2001) that can be trained on partial annotation.

    Args:
        tags: number of tags, K.
        forbidden: transitions that are never allowed; the last row is the start of a text. [K + 1, K] bool
    """

    def __init__(self, tags: int, forbidden: Tensor) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(tags + 1, tags))  # the last row is the start
        self.forbidden: Tensor
        # Saved with the weights, because transformers leaves memory unset for a buffer that no file has.
        self.register_buffer("forbidden", forbidden)

    def scores(self) -> Tensor:
        """Transition scores [K + 1, K], forbidden ones at -1e4."""
        return torch.where(self.forbidden, torch.full_like(self.transitions, -1e4), self.transitions)

    def negative_log_likelihood(
        self, emissions: Tensor, allowed: Tensor, mask: Tensor, continues: Tensor | None = None
    ) -> Tensor:
        """Negative log-likelihood of all tag sequences that the gold allows.

        Args:
            emissions: [B, W, K]
            allowed: tags that gold allows at each word. [B, W, K] bool
            mask: real words, a prefix of each row. [B, W] bool
            continues: rows that do not begin a text: any tag may come first, and no start is scored. [B] bool

        Returns:
            [B]
        """
        with torch.autocast(emissions.device.type, enabled=False):
            scores = emissions.float()
            allowed_scores = scores.masked_fill(~allowed, -1e4)
            return self._partition(scores, mask, continues) - self._partition(allowed_scores, mask, continues)

    def _partition(self, emissions: Tensor, mask: Tensor, continues: Tensor | None) -> Tensor:
        """Log of the sum over all tag sequences. [B]"""
        scores = self.scores()
        step, start = scores[:-1], scores[-1]
        if continues is not None:
            start = start * ~continues[:, None]  # [B, K]
        alpha = start + emissions[:, 0]  # [B, K]
        for t in range(1, emissions.shape[1]):
            following = torch.logsumexp(alpha[:, :, None] + step, dim=1) + emissions[:, t]  # [B, K]
            alpha = torch.where(mask[:, t, None], following, alpha)
        return torch.where(mask[:, 0], torch.logsumexp(alpha, dim=1), torch.zeros_like(alpha[:, 0]))
