"""One head per task over the encoder's states: shapes in, logits out."""

import torch
from torch import Tensor, nn


class WordPooling(nn.Module):
    """States of the sub-words of a word to one state.

    Args:
        how: ``first`` sub-word, ``mean`` of all, or learned ``attention`` over them.
        hidden: width of the states.
    """

    def __init__(self, how: str, hidden: int) -> None:
        super().__init__()
        self.how = how
        self.score = nn.Linear(hidden, 1) if how == "attention" else None

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """States [B, T, H] and words [B, W, 2] (first and one past the last sub-word) to [B, W, H]."""
        if self.how == "first":
            index = words[:, :, :1].expand(-1, -1, states.shape[-1])  # [B, W, H]
            return states.gather(1, index)
        position = torch.arange(states.shape[1], device=states.device)  # [T]
        member = (position >= words[:, :, :1]) & (position < words[:, :, 1:])  # [B, W, T]
        weight = member.to(states.dtype)
        if self.score is not None:
            # Bounded scores need no maximum to be subtracted: exp stays finite in every precision that trains.
            weight = weight * torch.exp(10 * torch.tanh(self.score(states).transpose(1, 2) / 10))
        weight = weight / weight.sum(-1, keepdim=True).clamp(min=1e-6)
        return weight @ states  # [B, W, H]


class SentenceHead(nn.Module):
    """Label-wise attention over the words of a sentence (Mullenbach et al. 2018): each label reads its own words.

    Args:
        hidden: width of the word states.
        labels: number of labels.
    """

    def __init__(self, hidden: int, labels: int) -> None:
        super().__init__()
        self.attention = nn.Linear(hidden, labels)
        self.value = nn.Linear(hidden, labels)

    def forward(self, words: Tensor, sentences: Tensor) -> Tensor:
        """Word states [B, W, H] and ranges of words [B, S, 2] to logits [B, S, K]."""
        position = torch.arange(words.shape[1], device=words.device)  # [W]
        member = (position >= sentences[:, :, :1]) & (position < sentences[:, :, 1:])  # [B, S, W]
        with torch.autocast(words.device.type, enabled=False):
            score = torch.exp(10 * torch.tanh(self.attention(words.float()) / 10))  # [B, W, K]
            mask = member.float()
            return (mask @ (score * self.value(words.float()))) / (mask @ score).clamp(min=1e-6)  # [B, S, K]


class ArticleHead(nn.Module):
    """What a sentence says of the whole article: its own types, weighed by where it stands.

    News says in its title and lead what it is about, so a label of the article is a label of a sentence near its
    beginning: few parameters, which a few hundred labeled articles can teach.

    Args:
        labels: number of labels.
        places: so many first sentences are told apart; all later ones are one place.
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
    """A linear-chain CRF over word tags (Lafferty et al. 2001), trained also where only some labels were annotated."""

    def __init__(self, tags: int, forbidden: Tensor) -> None:
        """Args: number of tags; which transitions [K, K] and starts (row K) are never allowed, as bool [K + 1, K]."""
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(tags + 1, tags))  # the last row is the start
        self.forbidden: Tensor
        # Saved with the weights: transformers loads into memory that it leaves unset for what no file has.
        self.register_buffer("forbidden", forbidden)

    def scores(self) -> Tensor:
        """Transition scores [K + 1, K], forbidden ones at -1e4."""
        return torch.where(self.forbidden, torch.full_like(self.transitions, -1e4), self.transitions)

    def negative_log_likelihood(
        self, emissions: Tensor, allowed: Tensor, mask: Tensor, continues: Tensor | None = None
    ) -> Tensor:
        """Minus the log of the probability of all tag sequences that the gold allows.

        Args:
            emissions: [B, W, K]
            allowed: tags that gold allows at each word. [B, W, K] bool
            mask: real words, a prefix of each row. [B, W] bool
            continues: rows that do not begin a text: any tag may stand first, and no start is scored. [B] bool

        Returns:
            [B]
        """
        with torch.autocast(emissions.device.type, enabled=False):
            free = emissions.float()
            held = free.masked_fill(~allowed, -1e4)
            return self._partition(free, mask, continues) - self._partition(held, mask, continues)

    def _partition(self, emissions: Tensor, mask: Tensor, continues: Tensor | None) -> Tensor:
        scores = self.scores()
        step, start = scores[:-1], scores[-1]
        if continues is not None:
            start = start * ~continues[:, None]  # [B, K]
        alpha = start + emissions[:, 0]  # [B, K]
        for t in range(1, emissions.shape[1]):
            following = torch.logsumexp(alpha[:, :, None] + step, dim=1) + emissions[:, t]  # [B, K]
            alpha = torch.where(mask[:, t, None], following, alpha)
        return torch.where(mask[:, 0], torch.logsumexp(alpha, dim=1), torch.zeros_like(alpha[:, 0]))
