"""SCAN is the published data set, made from its grammar."""

import numpy as np
import pytest

from tasks.compositional.scan import Scan


def everything(task: Scan) -> dict[str, str]:
    commands = {}
    for length in range(1, 49):
        if task.produces(length):
            batch = task.sample(np.random.default_rng(0), length, 10_000, "test")
            for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
                words = [task.alphabet[token] for token in prompt if token >= 0]
                commands[" ".join(words)] = " ".join(task.alphabet[token] for token in answer)
    return commands


COMMANDS = everything(Scan())


def test_the_published_counts() -> None:
    lengths = [len(actions.split()) for actions in COMMANDS.values()]
    assert len(COMMANDS) == 20_910
    assert sum(length <= 22 for length in lengths) == 16_990
    assert sum(length > 22 for length in lengths) == 3_920
    assert max(lengths) == 48
    assert sorted({length for length in lengths if length > 22}) == [24, 25, 26, 27, 28, 30, 32, 33, 36, 40, 48]


@pytest.mark.parametrize(
    ("command", "actions"),
    [  # the examples of Lake & Baroni (2018), figure 1 and text
        ("jump", "JUMP"),
        ("jump left", "LTURN JUMP"),
        ("jump around right", "RTURN JUMP RTURN JUMP RTURN JUMP RTURN JUMP"),
        ("turn left twice", "LTURN LTURN"),
        ("jump thrice", "JUMP JUMP JUMP"),
        ("jump opposite left and walk thrice", "LTURN LTURN JUMP WALK WALK WALK"),
        ("jump opposite left after walk around left", "LTURN WALK LTURN WALK LTURN WALK LTURN WALK LTURN LTURN JUMP"),
        ("turn around right", "RTURN RTURN RTURN RTURN"),
    ],
)
def test_known_examples(command: str, actions: str) -> None:
    names = {"LTURN": "I_TURN_LEFT", "RTURN": "I_TURN_RIGHT", "JUMP": "I_JUMP", "WALK": "I_WALK"}
    assert COMMANDS[command] == " ".join(names[action] for action in actions.split())


def test_the_oracle_knows_every_command() -> None:
    task = Scan()
    assert all(" ".join(task.solve(command.split())) == actions for command, actions in COMMANDS.items())


def test_each_test_command_is_asked_once_and_training_draws_them_all() -> None:
    task = Scan()
    asked = task.sample(np.random.default_rng(0), 48, 5, "test")
    assert len(asked.prompt) == 128
    assert len({tuple(prompt) for prompt in asked.prompt}) == 128
    near = task.sample(np.random.default_rng(0), 10, 300, "test")
    assert len({tuple(prompt) for prompt in near.prompt}) == 300, "without repetition"
    drawn = task.sample(np.random.default_rng(0), 21, 2000)
    assert len({tuple(prompt) for prompt in drawn.prompt}) == 64, "every command of the length occurs"


@pytest.mark.parametrize(
    ("longest", "trained_on", "held_out"),
    [(22, 16_990, 3_920), (25, 17_774, 3_136)],  # Lake & Baroni (2018); Kazemnejad et al. (2023)
)
def test_a_cut_is_a_training_length(longest: int, trained_on: int, held_out: int) -> None:
    task = Scan()
    trained = [length for length in range(1, longest + 1) if task.produces(length)]
    beyond = [length for length in range(longest + 1, 49) if task.produces(length)]
    assert task.length_weights(trained).sum() == trained_on
    rng = np.random.default_rng(0)
    assert sum(len(task.sample(rng, length, 1, "test").prompt) for length in beyond) == held_out


def test_the_cuts_of_csordas_are_the_lengths_from_22_to_40_that_occur() -> None:
    task = Scan()
    occurring = [length for length in range(22, 41) if task.produces(length)]
    assert occurring == [22, 24, 25, 26, 27, 28, 30, 32, 33, 36, 40]


def test_shortcuts_by_counting_commands() -> None:
    """Without "twice" and "thrice" there are 34 phrases, with them 102; any two are joined by "and" and by "after". The
    order is of no matter to two phrases whose actions are the same either way round.
    """
    task = Scan()
    right = {
        name: sum(guess(command.split()) == actions.split() for command, actions in COMMANDS.items())
        for name, guess in task.shortcuts().items()
    }
    alone = [actions for command, actions in COMMANDS.items() if not {"and", "after"} & set(command.split())]
    commute = sum(f"{one} {other}" == f"{other} {one}" for one in alone for other in alone)
    assert len(alone) == 102
    assert right == {"without twice and thrice": 34 + 2 * 34**2, "after read as and": 102 + 102**2 + commute}
