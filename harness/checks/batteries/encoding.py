"""Every encoding keeps what it declares and what all encodings promise."""

import copy
from typing import get_args

import torch

from harness.attention.positions import Positions
from harness.checks.claims import DoesNotApply, Failed, require
from harness.checks.encodings import Subject, attention, reach
from harness.checks.inputs import DIMENSIONS, largest, sequential, tokens
from harness.checks.numerics import bfloat16, kernels_agree, same_in_parts, trained_everywhere
from harness.checks.tried import Tried
from harness.dimensions import Dimensions
from harness.encodings.base import Mode
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer
from harness.models.base import Model

SIZES = (Dimensions(16, 1, 1, 20), Dimensions(32, 4, 2, 42), Dimensions(48, 3, 3, 100), Dimensions(128, 8, 4, 500))
"""Small and larger networks, with one head and with many."""


def subject(tried: Tried) -> Subject:
    """The encoding of a choice."""
    made = tried.component_class()
    options = tried.component().options

    def network() -> Model:
        if "causal" not in made.modes:
            raise DoesNotApply("it is not for networks that read from left to right")
        return tried.shaken_network()

    return Subject(options, lambda dimensions: made(dimensions, **options), network)


def builds(subject: Subject) -> str:
    """It builds at several sizes, and gives finite numbers"""
    refused = ""  # with gradients, as in training, where logits of pairs that are not visible have to be finite too
    built = []
    for dimensions in SIZES:
        said = f"dimension {dimensions.d_model} with {dimensions.n_heads} heads"
        try:
            encoding = subject.build(dimensions)
        except ValueError as objection:  # what an encoding says of sizes that it is not for
            refused = f"; not at {said}: {objection}"
            continue
        layer = attention(encoding, dimensions)
        for length in (1, 2, reach(encoding, 100)):
            found = layer(torch.randn(2, length, dimensions.d_model), sequential(length, 0, encoding.channels))
            require(found.isfinite().all(), f"{said}, {length} tokens: not finite")
        built.append(said)
    require(built, f"it builds at none{refused}")
    return f"{len(built)} of {len(SIZES)}{refused}"


def declares_modes(subject: Subject) -> None:
    """It says in which kinds of attention it is defined"""
    modes = subject.encoding().modes
    require(modes and set(modes) <= set(get_args(Mode)), f"modes = {modes}, of {', '.join(get_args(Mode))}")


def softmax_as_declared(subject: Subject) -> None:
    """Its weights are a softmax, if it says so"""
    encoding = subject.encoding()
    require(
        encoding.softmax is not encoding.uses("attention_weights"),
        f"softmax = {encoding.softmax}, and attention_weights is {'' if encoding.softmax else 'not '}its own",
    )


@torch.no_grad()
def shift_invariance(subject: Subject) -> str:
    """Adding one number to all positions changes nothing, if and only if it says so"""
    encoding = subject.encoding()
    layer = attention(encoding)
    length = reach(encoding, 20)
    x = torch.randn(2, length, DIMENSIONS.d_model)
    far = 300 if encoding.shift_invariant or encoding.longest else 3000  # what depends on position may do so late
    far = far if encoding.longest is None else min(far, encoding.longest - length)
    here, there = (layer(x, sequential(length, start, encoding.channels)) for start in (0, far))
    same = torch.allclose(here, there, atol=2e-4)
    option, _, value = encoding.shift_variant_with.partition("=")
    chosen = bool(option) and subject.options.get(option) == value
    require(
        encoding.shift_invariant == (type(encoding).shift_invariant and not chosen),
        f"shift_invariant = {encoding.shift_invariant} on the instance, and the class says otherwise",
    )
    require(same == encoding.shift_invariant, f"shift_invariant = {encoding.shift_invariant}, {largest(here, there)}")
    return f"shift_invariant = {encoding.shift_invariant}, {largest(here, there)}"


@torch.no_grad()
def positions_matter(subject: Subject) -> str:
    """Spreading positions changes something, unless it depends on nothing but the order"""
    encoding = subject.encoding()
    layer = attention(encoding)
    length = reach(encoding, 40) // 2
    x, where = torch.randn(2, length, DIMENSIONS.d_model), sequential(length, 1, encoding.channels)
    stretched = Positions(where.values * 2, False, None)
    here, there = layer(x, where), layer(x, stretched)
    said = f"depends_on = {encoding.depends_on}, {largest(here, there)}"
    require(torch.allclose(here, there, atol=1e-5) == (encoding.depends_on == "order"), said)
    require(
        encoding.depends_on != "positions" or not encoding.shift_invariant,
        "it depends on positions by themselves, and says that it is shift-invariant",
    )
    return said


@torch.no_grad()
def horizon(subject: Subject) -> str:
    """Beyond its horizon all positions are alike, and not before"""
    encoding, tried = subject.encoding(), []
    for causal in (True, False):
        end = encoding.horizon(causal=causal)
        if end is None or ("causal" if causal else "bidirectional") not in encoding.modes:
            continue
        layer = attention(encoding, causal=causal)
        x = torch.randn(2, 2, DIMENSIONS.d_model)
        nearer, there, beyond, far = (
            layer(x, Positions(torch.tensor([[0, second]]), False)) for second in (end - 1, end, end + 1, 3000)
        )
        require(torch.allclose(there, beyond, atol=1e-5), f"{end} and {end + 1} differ")
        require(torch.allclose(there, far, atol=1e-5), f"{end} and 3000 differ")
        require(not torch.allclose(nearer, there, atol=1e-5), f"{end - 1} and {end} are alike already")
        tried.append(str(end))
    if not tried:
        raise DoesNotApply("it has none")
    return " and ".join(dict.fromkeys(tried))


@torch.no_grad()
def no_look_ahead(subject: Subject) -> str:
    """Outputs depend on no later token, unless it says so"""
    made = subject.network().double()  # in float32 sums of other lengths differ, and layers can make more of it
    channels, said = made.encodings()[0].channels, all(e.prefix_consistent for e in made.encodings())
    length = reach(made.encodings()[0], 30)
    whole = made(tokens(3, length), sequential(length, channels=channels))
    for short in (1, 7, length - 1):
        part = made(tokens(3, length)[:, :short], sequential(short, channels=channels))
        same = torch.allclose(whole[:, :short], part, atol=1e-9)
        require(
            same == said, f"prefix_consistent = {said}, {short} of {length} tokens: {largest(whole[:, :short], part)}"
        )
    return f"prefix_consistent = {said}"


@torch.no_grad()
def alone_in_a_batch(subject: Subject) -> None:
    """Other sequences of a batch and padding change nothing"""
    made = subject.network()
    channels = made.encodings()[0].channels
    short = made(tokens(1, 12), sequential(12, channels=channels))
    padded = torch.cat([tokens(1, 12), torch.zeros(1, 9, dtype=torch.long)], dim=1)
    companions = torch.cat([tokens(4, 21, seed=5), padded])
    beside = made(companions, sequential(21, channels=channels))[-1:, :12]
    require(torch.allclose(beside, short, atol=1e-5), largest(beside, short))


@torch.no_grad()
def nothing_remembered(subject: Subject) -> None:
    """What was computed before changes nothing, and no buffer grows"""
    made = subject.network()
    encoding = made.encodings()[0]
    sizes = {key: value.shape for key, value in made.state_dict().items()}
    length = reach(encoding, 200)
    before = made(tokens(2, 10), sequential(10, channels=encoding.channels))
    made(tokens(2, length), sequential(length, channels=encoding.channels))
    after = made(tokens(2, 10), sequential(10, channels=encoding.channels))
    require(torch.equal(before, after), largest(before, after))
    require({key: value.shape for key, value in made.state_dict().items()} == sizes, "a saved buffer has another size")


def trains(subject: Subject) -> None:
    """A gradient reaches every parameter"""
    encoding = subject.encoding()
    length = reach(encoding, 300)  # so that far distances occur
    where = sequential(length, channels=encoding.channels)
    if "causal" in encoding.modes and not encoding.pretrained:
        made = subject.network().train()
        made.readout(made(tokens(2, length), where)).square().mean().backward()
        trained_everywhere(made)
    else:
        attention(encoding, causal=False)(torch.randn(2, length, DIMENSIONS.d_model), where).square().mean().backward()
        trained_everywhere(encoding)


@torch.no_grad()
def far_positions(subject: Subject) -> str:
    """Far positions give finite numbers, or an error that names the limit"""
    encoding = subject.encoding()
    layer = attention(encoding)
    if encoding.longest is None:
        found = layer(torch.randn(1, 4, DIMENSIONS.d_model), sequential(4, 100_000, encoding.channels))
        require(found.isfinite().all(), "position 100,000 gives what is not finite")
        return "100,000"
    x, longest = torch.randn(1, 2, DIMENSIONS.d_model), encoding.longest
    layer(x, sequential(2, longest - 2, encoding.channels))
    try:
        layer(x, sequential(2, longest - 1, encoding.channels))
    except IndexError as error:
        wanted = f"position {longest} is beyond the {longest} "
        require(wanted in str(error), f"the error says {error}, and should say: {wanted}...")
        return f"limit {longest}"
    raise Failed(f"it has {longest} positions by {encoding.limited_by}, and position {longest} is no IndexError")


def trains_in_bfloat16(subject: Subject) -> None:
    """It trains in bfloat16"""
    encoding = subject.encoding()
    layer = attention(encoding)
    length = reach(encoding, 40)
    x = torch.randn(2, length, DIMENSIONS.d_model, requires_grad=True)
    with bfloat16():
        loss = layer(x, sequential(length, channels=encoding.channels)).float().square().mean()
    loss.backward()
    for gradient in (x.grad, *(parameter.grad for parameter in encoding.parameters())):
        require(gradient is None or gradient.isfinite().all(), "a gradient is not finite")


@torch.no_grad()
def exact_in_bfloat16(subject: Subject) -> str:
    """In bfloat16 positions are not rounded

    Positions near 100,000 and distances near 1,000 would collapse; the encoding must not see them so.
    """
    encoding = subject.encoding()
    if encoding.longest is not None or reach(encoding, 200) < 200:
        raise DoesNotApply("it has no positions near 100,000 with distances near 1,000")
    where = sequential(1200, 100_000, encoding.channels)
    x = torch.randn(1, 1200, DIMENSIONS.d_model)
    torch.manual_seed(1)
    layer = Attention(Layer(DIMENSIONS, encoding, Standard(DIMENSIONS), True))
    exact = layer(x.bfloat16().float(), where)
    coarse = Attention(Layer(DIMENSIONS, encoding, Standard(DIMENSIONS), True))
    coarse.load_state_dict(layer.state_dict())
    coarse.project.bfloat16()
    coarse.output.bfloat16()
    rounded = coarse(x.bfloat16(), where).float()
    share = float((exact - rounded).abs().max() / exact.abs().max())
    require(share < 0.03, f"{share:.3f} of the largest number, and .03 is what rounding the rest explains")
    return f"{share:.3f} of the largest number"


@torch.no_grad()
def exact_in_float64(subject: Subject) -> str:
    """In float64 it gives what it gives in float32, but for rounding"""
    encoding = subject.encoding()
    length = reach(encoding, 60)
    double = copy.deepcopy(encoding).double()
    x, where = torch.randn(2, length, DIMENSIONS.d_model), sequential(length, 0, encoding.channels)
    found, exact = attention(encoding)(x, where), attention(double)(x.double(), where)
    require(exact.dtype == torch.float64, f"it gives {exact.dtype} to a network in float64")
    require(torch.allclose(found.double(), exact, atol=1e-4, rtol=1e-3), largest(found, exact))
    return largest(found, exact)


def kernels(subject: Subject) -> str:
    """The fast kernel gives what the explicit one gives, with gradients"""
    encoding, tried = subject.encoding(), []
    for causal, mode in ((True, "causal"), (False, "bidirectional")):
        if mode in encoding.modes:
            length = reach(encoding, 60)
            where = sequential(length, 0, encoding.channels)
            torch.manual_seed(2)
            kernels_agree(encoding, Standard(DIMENSIONS), where, DIMENSIONS, causal=causal)
            tried.append(mode)
    if not tried:
        raise DoesNotApply(f"modes = {encoding.modes}")
    return ", ".join(tried)


def cache(subject: Subject) -> None:
    """With a key-value cache it gives what it gives without"""
    made = subject.network().double()
    if not made.can_cache():
        raise DoesNotApply("nothing that is kept would still hold: prefix_consistent = False")
    encoding = made.encodings()[0]
    length = reach(encoding, 72)
    stops = [stop for stop in (1, 2, 9, 30, 67) if stop < length]
    where = sequential(length, 0, encoding.channels)
    asked = tokens(3, length)
    with torch.no_grad():
        same_in_parts(made, asked, made(asked, where), where, [*stops, length])


CLAIMS = (
    builds, declares_modes, softmax_as_declared, trains, no_look_ahead, alone_in_a_batch, nothing_remembered,
    shift_invariance, positions_matter, horizon, far_positions, kernels, cache, trains_in_bfloat16, exact_in_bfloat16,
    exact_in_float64,
)  # fmt: skip
"""In the order in which they are checked."""
