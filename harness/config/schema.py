"""The schema of a run: what conf/ composes to, after validation. Nothing here needs PyTorch."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, field_validator, model_validator

from harness.config.canonical import canonical
from harness.config.frozen import Frozen as Frozen
from harness.config.selection import Selection as Selection
from harness.config.size import Size as Size
from harness.files import user_paths

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""The name of a choice: it becomes part of file names and of tables."""

Length = Annotated[int, Field(ge=1, le=10**6)]
"""A length of a task, in whatever it counts."""

COMPONENT_GROUPS = (
    "task",
    "encoding",
    "positions",
    "train_extension",
    "logit",
    "architecture",
    "optimizer",
    "schedule",
)
"""Groups of which a run has one class each."""

PLACE_GROUPS = ("launcher", "sweep")
"""Groups of which a run has one class each, and which say nothing of what a run is."""

LISTED_GROUPS = ("mixer", "extension", "callbacks", "logger")
"""Groups of which a run has any number of classes."""

SETTING_GROUPS = ("model", "train", "evaluation", "trainer")
"""Groups that are settings rather than classes."""

MOST_LENGTHS = 10_000
"""Lengths that one run tests."""

SEEDS = 2**32
"""Seeds are below this."""

LOOK_EVERY = 25
"""Steps between looks at held-out examples where ``train.until`` needs them and no learning curve is wanted."""


class Component(Frozen):
    """A choice: its name, its class, and the options of the class's constructor."""

    name: Name
    target: str
    options: dict[str, JsonValue] = {}


ATTENTION = Component(name="attention", target="harness.mixers.attention.Attention")
"""The default mixer, and that of runs from before mixers could be chosen."""

OPTIMIZER = Component(name="adamw", target="harness.optimizers.adamw.AdamW")
SCHEDULE = Component(name="cosine", target="harness.schedules.cosine.Cosine")
"""The default optimizer and schedule, and those of runs from before they could be chosen."""

LAUNCHER = Component(name="local", target="harness.launch.local.Local")
"""The default launcher, and that of records, which do not say how runs were started."""

SWEEP = Component(name="listed", target="harness.search.listed.Listed")
"""What a sweep does unless it searches, and that of records, which do not say it."""

TRAIN_EXTENSION = Component(name="extrapolate", target="harness.extensions.extrapolate.Extrapolate")
"""What changes in the encoding before weights are trained further, unless a run says otherwise: nothing."""


class Extended(Frozen):
    """An extension with which weights were trained: what it changed, and from how many tokens to how many."""

    extension: Component
    trained: int = Field(ge=1)
    target: int = Field(ge=1)


class Origin(Frozen):
    """The run whose weights are trained further. Only ``record`` is typed; the rest is read from that record when the
    run is composed, and kept, so that the run is known where the record is not.
    """

    record: Annotated[str, AfterValidator(lambda text: user_paths.expanded(text, "weights_from="))] = Field(
        min_length=1, max_length=4096
    )
    """The file of the record; the weights lie in the same folder of results."""
    training: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,200})?$")
    """The name of the training that made the weights; empty before the record has been read."""
    method: str = ""
    """A digest of what decided the weights, all but the seed: what the seeds of one method have in common."""
    steps: int = Field(0, ge=0)
    """Steps of that training."""
    length: int = Field(0, ge=0)
    """The longest length trained on there."""
    tokens: int = Field(0, ge=0)
    """Tokens of the longest sequence trained on there."""
    built_for: int = Field(0, ge=0)
    """Training tokens that the network was built for: those of the first training, where there were several."""
    extended: list[Extended] = Field([], max_length=100)
    """The extensions with which the weights were trained, the first one first."""
    network: dict[str, JsonValue] = {}
    """What the network is, which the run that goes on has to agree with."""


class Lengths(Frozen):
    """The lengths that are trained and tested; what a length counts is defined by the task."""

    shortest: Length
    """Shortest length trained on."""
    train: Length
    """Longest length trained on."""
    test: Length
    """Longest length tested."""
    step: Length
    """Every multiple of this is tested, besides the shortest and longest trained, the first beyond them and the longest
    tested.
    """
    grid: list[Length] = Field([], max_length=MOST_LENGTHS)
    """The tested lengths, where they should be others."""
    original: Length | None = None
    """The longest length that the weights were trained on before this run; ``None``: as their record or the
    configuration of the saved network says.
    """

    @model_validator(mode="after")
    def _ordered(self) -> "Lengths":
        if self.shortest > self.train:
            raise ValueError(f"shortest={self.shortest} is above train={self.train}")
        if not self.grid and self.test <= self.train:
            raise ValueError(
                f"test={self.test} is not above train={self.train}: nothing would be tested beyond the training length"
            )
        if not self.grid and self.test // self.step > MOST_LENGTHS:
            raise ValueError(
                f"test={self.test} step={self.step}: these are more than {MOST_LENGTHS} lengths to test: raise step"
            )
        if self.grid and min(self.grid) > self.train:
            raise ValueError(
                f"grid={self.grid}: nothing would be tested up to train={self.train}, so nobody would know whether "
                "training converged: add a length from there"
            )
        return self

    def requested(self) -> list[int]:
        """The lengths to test, as far as the task can produce them."""
        if self.grid:
            return sorted(set(self.grid))
        regular = range(self.step, self.test + 1, self.step)
        return sorted({*regular, self.shortest, self.train, self.train + 1, self.test})


class Train(Frozen):
    """The training budget and its hyperparameters."""

    steps: int = Field(ge=0, le=10**9)
    """0 only for a saved network, which is then tested as it is."""
    batch: int = Field(ge=1, le=10**6)
    learning_rate: float = Field(gt=0)
    warmup: int = Field(ge=0, le=10**9)
    weight_decay: float = Field(ge=0)
    beta2: float = Field(gt=0, lt=1)
    clip: float = Field(ge=0)
    precision: Literal["32-true", "bf16-mixed"]
    until: float = Field(0.0, ge=0, le=1)
    """The exact match on held-out examples of the training lengths at which training ends; 0: after all steps."""
    until_examples: int = Field(256, ge=1, le=10**6)
    """The held-out examples that must show it, at least; the default is what records without this key had."""


class Evaluation(Frozen):
    """Settings of the evaluation."""

    examples: int = Field(ge=1, le=10**6)
    every: int = Field(0, ge=0, le=10**9)
    """Steps between the points of the learning curve; 0: there is none."""


class TrainerSettings(Frozen):
    """Where and how a run is computed. Nothing here may change a result beyond rounding. What is not named here is
    handed on to Lightning (:mod:`harness.config.trainer_arguments`).
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    accelerator: Literal["auto", "cpu", "gpu"]
    devices: int = Field(ge=1, le=2**12)
    nodes: int = Field(1, ge=1, le=2**12)  # records of earlier runs have none
    strategy: Literal["auto", "ddp", "fsdp"]
    checkpoint_every: int = Field(ge=1, le=10**9)
    kernel: Literal["auto", "explicit", "flex"] = "auto"  # records of earlier runs have none
    compile: Literal["auto", "true", "false"] = "false"

    @field_validator("compile", mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        """YAML and the command line make a truth value of true and false."""
        return str(value).lower() if isinstance(value, bool) else value

    @property
    def processes(self) -> int:
        """The processes that train the one model, one for each device."""
        return self.devices * self.nodes


NOT_KEPT = {"results", "force", "retry", "launcher", "sweep", "part_of"}
"""What a record's config leaves out of a run: it says how the run was started, and nothing of what it is."""


class Run(Frozen):
    """One run: first what determines its results, then how and where it is computed. Defaults that are components are
    made by functions, because pydantic would copy them, with all they hold, for every run and record.
    """

    task: Component
    lengths: Lengths
    encoding: Component
    positions: Component
    train_extension: Component = Field(default_factory=lambda: TRAIN_EXTENSION)
    """What changes in the encoding of weights that were trained before, for the lengths trained now."""
    extension: dict[Name, Component] = Field(min_length=1)
    logit: Component
    architecture: Component
    mixer: dict[Name, Component] = Field(default_factory=lambda: {"attention": ATTENTION}, min_length=1)
    """What moves information between tokens: the layers use these in turn, or as ``pattern`` says."""
    pattern: list[Name] = []
    """The mixers of the first layers, by name; the others repeat them. Empty: the listed ones in turn."""
    model: Size
    train: Train
    optimizer: Component = Field(default_factory=lambda: OPTIMIZER)
    schedule: Component = Field(default_factory=lambda: SCHEDULE)
    callbacks: dict[Name, Component] = {}
    """Lightning's callbacks, of the user's own, in the order in which they are called."""
    evaluation: Evaluation
    seed: int = Field(ge=0, lt=SEEDS)
    weights_from: Origin | None = None
    """Where the initial weights come from; ``None``: they are drawn, or those of a saved network."""

    presets: dict[str, Name] = {}
    """The names of the chosen settings, for display."""
    trainer: TrainerSettings
    logger: dict[Name, Component] = {}
    launcher: Component = Field(default_factory=lambda: LAUNCHER)
    sweep: Component = Field(default_factory=lambda: SWEEP)
    selection: Selection | None = None
    """Said by a search alone, of its trials and of the runs that follow from it."""
    part_of: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,200})?$")
    """The name of the sweep that does the run, for trackers; no record says it."""
    results: Annotated[str, AfterValidator(lambda text: user_paths.expanded(text, ""))] = Field(min_length=1)
    packages: list[str] = []
    force: bool = False
    retry: bool = False

    @field_validator("launcher", mode="before")
    @classmethod
    def _launcher(cls, value: Any) -> Any:
        """Configs of earlier runs have the options alone, of the launcher that there was."""
        if isinstance(value, dict) and "target" not in value and "slots" in value:
            return LAUNCHER.model_copy(update={"options": value})
        return value

    def looked_every(self) -> int:
        """The steps after which training looks at held-out examples; 0 if it never does."""
        return self.evaluation.every or (LOOK_EVERY if self.train.until else 0)

    def mixers(self) -> list[str]:
        """The name of each layer's mixer, from the first on."""
        names = self.pattern or list(self.mixer)
        return [names[number % len(names)] for number in range(self.model.layers)]

    @classmethod
    def from_composed(cls, composed: dict[str, Any], choices: dict[str, str]) -> "Run":
        """A run from what Hydra composed: ``composed`` as a plain container, ``choices`` by group. Raises
        ``pydantic.ValidationError``.
        """

        def component(name: str, node: Any) -> Any:
            if not isinstance(node, dict) or "_target_" not in node:
                return node
            options = {key: value for key, value in node.items() if key != "_target_"}
            return {"name": name, "target": node["_target_"], "options": options}

        values = canonical(composed)
        for group in (*COMPONENT_GROUPS, *PLACE_GROUPS):
            if group in values:
                values[group] = component(choices.get(group, group), values[group])
        for group in LISTED_GROUPS:
            if isinstance(values.get(group), dict):
                values[group] = {name: component(name, node) for name, node in values[group].items()}
        if isinstance(origin := values.get("weights_from"), str):
            values["weights_from"] = {"record": origin} if origin else None
        values["presets"] = {group: choices[group] for group in SETTING_GROUPS if choices.get(group)}
        return cls.model_validate(values)
