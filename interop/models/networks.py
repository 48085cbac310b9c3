"""The networks that the test models and the checks are built from, small and with fixed weights.

All take whole numbers below `VOCABULARY`, shape [batch, 12], and give float32 scores.
"""
import torch
import torch.nn as nn

VOCABULARY = 50
LENGTH = 12
WIDTH = 16


class InFloat16(nn.Module):
    """A Linear whose parameters are float16 inside a float32 network."""

    def __init__(self, width: int, out: int):
        super().__init__()
        self.linear = nn.Linear(width, out).to(torch.float16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.to(torch.float16)).to(torch.float32)


class InBFloat16(nn.Module):
    """A Linear whose parameters are bfloat16 inside a float32 network."""

    def __init__(self, width: int, out: int):
        super().__init__()
        self.linear = nn.Linear(width, out).to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.to(torch.bfloat16)).to(torch.float32)


class Tied(nn.Module):
    """A small language model: the head's weight is the embedding's, and two Linear pairs hold other precisions."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.up = InFloat16(WIDTH, 2 * WIDTH)
        self.down = InBFloat16(2 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embedding(tokens)
        x = self.norm(x + self.down(torch.relu(self.up(x))))
        return self.head(x)


class Mixed(nn.Module):
    """One of each: kinds of modules that a backend can quantize, and kinds that it must leave as they are."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norms = nn.BatchNorm2d(4)
        self.back = nn.ConvTranspose2d(4, 1, 3, padding=1)
        self.lstm = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.first = nn.Linear(WIDTH, WIDTH)
        self.second = self.first
        self.low = InFloat16(WIDTH, WIDTH)
        self.brain = InBFloat16(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.stack = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * WIDTH, 5))
        self.register_buffer("scale", torch.tensor(0.5))
        self.register_buffer("positions", torch.arange(LENGTH) / LENGTH, persistent=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embedding(tokens) + self.positions.unsqueeze(1)
        x = x + self.back(torch.relu(self.norms(self.conv(x.unsqueeze(1))))).squeeze(1)
        x = x + self.lstm(x)[0] * self.scale
        x = x + self.attention(x, x, x, need_weights=False)[0]
        x = self.second(torch.relu(self.first(x)))
        x = self.norm(x + self.low(x) + self.brain(x))
        return self.stack(x.mean(1))


class Places(nn.Module):
    """Tensors in unusual places: in the root itself, under names other than identifiers, as views of one storage."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(VOCABULARY, WIDTH))
        self.register_parameter("two words", nn.Parameter(torch.randn(WIDTH, WIDTH)))
        self.steps = nn.ParameterList([torch.randn(WIDTH, WIDTH), torch.randn(WIDTH, WIDTH)])
        storage = torch.randn(4 * WIDTH * WIDTH) / 4
        square = storage[: WIDTH * WIDTH].view(WIDTH, WIDTH)
        self.linear = nn.Linear(WIDTH, WIDTH)
        self.linear.weight = nn.Parameter(square)
        self.turned = nn.Linear(WIDTH, WIDTH, bias=False)
        self.turned.weight = nn.Parameter(square.t())
        self.every_other = nn.Linear(WIDTH, WIDTH, bias=False)
        self.every_other.weight = nn.Parameter(storage[7 : 7 + 2 * WIDTH * WIDTH].view(WIDTH, 2 * WIDTH)[:, ::2])
        self.register_buffer("repeated", storage[-WIDTH:].expand(LENGTH, WIDTH))
        self.register_buffer("nothing", torch.empty(0, WIDTH))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = nn.functional.embedding(tokens, self.table) @ self._parameters["two words"] + self.repeated
        x = torch.tanh(x @ self.steps[0]) @ self.steps[1]
        x = self.turned(torch.relu(self.linear(x))) + self.nothing.sum()
        return self.every_other(torch.tanh(x)).mean(1)


def build(network, seed=0):
    """A network with weights that depend on the seed alone, ready to run."""
    torch.manual_seed(seed)
    return network().eval()


def tokens(batch=4, seed=1):
    """Whole numbers to run them on."""
    return torch.randint(0, VOCABULARY, (batch, LENGTH), generator=torch.Generator().manual_seed(seed))


def traced(network, example):
    """The network's trace, with attention as its plain operators and not as one fused call."""
    torch.backends.mha.set_fastpath_enabled(False)
    return torch.jit.trace(network, example, check_trace=False)
